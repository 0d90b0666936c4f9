"""Names in plain words, texts of categories, content words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.intents.texts import ABBREVIATIONS, category_text, lemmas, plain_name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Camping Tents", "Camping Tents"),
        ("FRZN MEAT/MEAT DINNERS", "frozen meat / meat dinners"),
        ("REFRGRATD DOUGH PRODUCTS", "refrigerated dough products"),
        ("FEM HYGN", "feminine hygiene"),
        ("DOMESTIC WINE", "domestic wine"),
        ("Frzn Meat", "Frzn Meat"),
        ("  Beds   & Frames ", "Beds & Frames"),
        ("Salad/Dip", "Salad / Dip"),
        ("TV", "tv"),
        ("1234", "1234"),
        ("", ""),
        ("GRÖSSE", "grösse"),
        ("日本", "日本"),
    ],
)
def test_plain_names(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@given(st.text(max_size=30))
def test_a_plain_name_has_single_blanks_and_stays_as_it_is(name: str) -> None:
    plain = plain_name(name)
    assert plain == " ".join(plain.split())
    assert plain_name(plain) == plain or plain.upper() == plain  # what is still in capitals has no lower case


def test_abbreviations_are_spelled_out_once() -> None:
    assert not set(ABBREVIATIONS) & {word for text in ABBREVIATIONS.values() for word in text.split()}


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["Tents"], "Tents"),
        (["Camping", "Tents"], "Tents (Camping)"),
        (["Outdoor", "Camping", "Tents"], "Tents (Camping)"),
        (["DRUG GM", "CNDY"], "candy (drug general merchandise)"),
    ],
)
def test_a_category_is_read_with_the_name_above(names: list[str], text: str) -> None:
    assert category_text(names) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Toddler Beds", {"toddler", "bed"}),
        ("go camping with the kids", {"go", "camp", "kid"}),
        ("Women's Shoes", {"woman", "shoe"}),
        ("a tent for the beach", {"tent", "beach"}),
        ("Tents, TENTS & tent", {"tent"}),
        ("20V drill", {"20v", "drill"}),
        ("of the", set()),
        ("&!? _", set()),
        ("", set()),
    ],
)
def test_lemmas(text: str, words: set[str]) -> None:
    assert lemmas(text) == words


@given(st.lists(st.sampled_from(["tents", "Beds", "stoves", "the", "for"])))
def test_order_and_number_do_not_matter(words: list[str]) -> None:
    assert lemmas(" ".join(words)) == lemmas(" ".join(reversed(words + words)))
