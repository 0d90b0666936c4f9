"""Each business rule drops what it should and says why; a rules file of one's own; bad ones are refused by one line."""

from pathlib import Path

import numpy as np
import pytest

from graph.errors import SettingsError
from graph.intents import Intent
from models.intents.encoder import Encoder, Floats
from models.intents.links import Known, categories, name_vectors
from models.intents.rules import Category, checks, read_rules
from tests.models.intents.conftest import make_intent, make_tree

OUTING = make_intent("outing")
RULES = checks(read_rules())


def category(
    path: str, *google: str, id: str | None = None, above: tuple[str, ...] = (), vector: Floats | None = None
) -> Category:
    """One whose name is like no other's, unless `vector` says so."""
    unlike = np.random.default_rng(list(path.encode())).normal(size=64)
    found = unlike / np.linalg.norm(unlike) if vector is None else vector
    return Category(
        id or path, path.rsplit(" > ", maxsplit=1)[-1], (path, *google), frozenset(above), found.astype(np.float32)
    )


def why(rule: str, one: Category, other: Category, intent: Intent = OUTING) -> str | None:
    return RULES[rule](one, other, intent)


TENTS = category("Sporting Goods > Camping > Tents")
MEN = category("Apparel > Clothing > Men's Shirts")
WOMEN = category("Apparel > Clothing > Skirts")
BOTH = category("Apparel > Clothing > Women's and Men's Socks")
FOOD = "Food, Beverages & Tobacco"
WINE = category(f"{FOOD} > Beverages > Alcoholic Beverages > Wine", "WINE")
BEER = category(f"{FOOD} > Beverages > Alcoholic Beverages > Beer")
SODA = category(f"{FOOD} > Beverages > Soda")
CIGARS = category(f"{FOOD} > Tobacco Products > Cigars")
GLASSES = category("Home & Garden > Tableware > Stemware")
TOYS = category("Toys & Games > Toys > Dolls")
BIB = category("Baby & Toddler > Bibs")


def test_the_projects_rules_are_four() -> None:
    assert list(RULES) == ["gender", "age-restricted", "near-duplicate", "does-not-belong"]
    assert all(check(TENTS, GLASSES, OUTING) is None for check in RULES.values())


def test_genders_are_kept_apart_both_ways() -> None:
    assert why("gender", MEN, WOMEN) == "men and women are kept apart"
    assert why("gender", WOMEN, MEN) == "women and men are kept apart"
    table = category("Home & Garden > Linens & Bedding > Table Linens > Table Skirts")
    for one, other in ((MEN, MEN), (MEN, TENTS), (TENTS, WOMEN), (MEN, BOTH), (BOTH, WOMEN), (MEN, table)):
        assert why("gender", one, other) is None


def test_an_intent_for_women_leads_to_nothing_for_men() -> None:
    hers = make_intent("a", audience=("women", "adults"))
    assert why("gender", TENTS, MEN, hers) == "the intent is for women, this is for men"
    assert why("gender", TENTS, WOMEN, hers) is None
    assert why("gender", TENTS, BOTH, hers) is None
    assert why("gender", TENTS, GLASSES, hers) is None


def test_gender_is_read_from_googles_words_too() -> None:
    coded = category("MISC > 4711", "Apparel > Clothing > Dresses")
    assert why("gender", MEN, coded) == "men and women are kept apart"
    assert why("gender", coded, MEN) == "women and men are kept apart"


@pytest.mark.parametrize("child", [TOYS, BIB, category("GROCERY > BABY FOODS")])
def test_no_alcohol_beside_what_is_for_children(child: Category) -> None:
    assert why("age-restricted", child, WINE) == "alcohol is not shown beside what is for children"


def test_alcohol_only_completes_alcohol() -> None:
    assert why("age-restricted", GLASSES, WINE) == "alcohol only completes alcohol"
    assert why("age-restricted", SODA, WINE) == "alcohol only completes alcohol"
    assert why("age-restricted", SODA, CIGARS) == "tobacco only completes tobacco"
    assert why("age-restricted", CIGARS, WINE) == "alcohol only completes alcohol"
    assert why("age-restricted", WINE, CIGARS) == "tobacco only completes tobacco"
    assert why("age-restricted", BEER, WINE) is None
    assert why("age-restricted", WINE, GLASSES) is None


@pytest.mark.parametrize(
    "harmless",
    [
        f"{FOOD} > Beverages > Soda",
        f"{FOOD} > Food Items > Cooking & Baking Ingredients > Sugar & Sweeteners",
        "Hardware > Tools > Heat Guns",
        "Arts & Entertainment > Hobbies & Creative Arts > Arts & Crafts > Art & Crafting Tools > Glue Guns",
        "Toys & Games > Toys > Toy Weapons & Gadgets",
    ],
)
def test_words_in_a_path_restrict_nothing_harmless(harmless: str) -> None:
    """Google's department is called Food, Beverages & Tobacco, and there are guns for glue."""
    for one in (GLASSES, TOYS, TENTS):
        assert why("age-restricted", one, category(harmless), make_intent("a", audience=("children",))) is None


@pytest.mark.parametrize(
    ("group", "path"),
    [
        ("tobacco", f"{FOOD} > Tobacco Products > Chewing Tobacco"),
        ("tobacco", "DRUG GM > TOBACCO OTHER > SNUFF"),
        ("tobacco", "Home & Garden > Smoking Accessories"),
        ("weapons", "Mature > Weapons > Guns"),
        ("weapons", "Furniture > Gun Safes"),
        ("weapons", "Sporting Goods > Hunting & Shooting > Paintball & Airsoft > Airsoft > Airsoft Guns"),
        ("mature", "Mature > Erotic > Erotic Books"),
        ("alcohol", "GROCERY > BEERS/ALES > BASIC OPENSTOCK"),
    ],
)
def test_what_is_restricted(group: str, path: str) -> None:
    assert group in (why("age-restricted", GLASSES, category(path)) or "")
    assert group in (
        why("age-restricted", GLASSES, category("MISC > 4711", "Home & Garden > Decor", path, id=f"coded {path}")) or ""
    )


@pytest.mark.parametrize("audience", ["babies", "children", "teens"])
def test_an_intent_for_children_never_leads_to_alcohol(audience: str) -> None:
    young = make_intent("a", audience=(audience, "adults"))
    assert why("age-restricted", BEER, WINE, young) == f"alcohol is not for {audience}"
    assert why("age-restricted", BEER, GLASSES, young) is None
    assert why("age-restricted", BEER, WINE, make_intent("a", audience=("adults",))) is None


def near(cosine: float) -> tuple[Category, Category]:
    """Two categories whose names have this cosine."""
    one = np.array([1, 0])
    other = np.array([cosine, (1 - cosine**2) ** 0.5])
    return category("A > Tarps", vector=one), category("B > Bottles", vector=other)


def test_near_in_meaning_is_a_duplicate() -> None:
    assert why("near-duplicate", *near(0.85)) == "nearly the same: cosine 0.85 of the names"
    assert why("near-duplicate", *reversed(near(0.85))) == "nearly the same: cosine 0.85 of the names"
    assert why("near-duplicate", *near(0.75)) is None


def test_the_same_words_are_a_duplicate() -> None:
    one, other = category("A > Camping Tent"), category("B > Tents for Camping")
    assert why("near-duplicate", one, other) == "both have the same name"


def test_the_same_in_googles_words_is_a_duplicate() -> None:
    one, other = category("DAIRY > CHEESE", "Food > Cheese"), category("DELI > SLICES", "Food > Cheese", "Food > Ham")
    assert why("near-duplicate", one, other) == "both are the same in Google's words"


def test_above_and_below_are_duplicates() -> None:
    parent = category("Camping", id="1")
    child = category("Camping > Tents", id="2", above=("0", "1"))
    assert why("near-duplicate", parent, child) == "one is a part of the other"
    assert why("near-duplicate", child, parent) == "one is a part of the other"


def test_toddler_beds_and_baby_beds_are_duplicates(encoder: Encoder) -> None:
    """The paper's example of a complement that is none."""
    tree = make_tree(
        "Furniture",
        "Furniture > Toddler Beds",
        "Baby & Toddler",
        "Baby & Toddler > Baby Beds",
        "Baby & Toddler > Nursing Pillows",
        "Baby & Toddler > Night Lights",
    )
    found = categories(tree, name_vectors(tree, encoder), Known())
    toddler, baby = found["Furniture/ToddlerBeds"], found["Baby&Toddler/BabyBeds"]
    for one, other in ((toddler, baby), (baby, toddler)):
        assert (why("near-duplicate", one, other) or "").startswith("nearly the same: cosine 0.8")
    for other in ("Baby&Toddler/NursingPillows", "Baby&Toddler/NightLights"):
        assert why("near-duplicate", toddler, found[other]) is None
    assert why("near-duplicate", baby, found["Baby&Toddler"]) == "one is a part of the other"


def test_what_the_table_excludes_does_not_belong() -> None:
    strict = make_intent("outing", excludes=(f"{FOOD} > Beverages > Coffee",))
    for coffee in (category(f"{FOOD} > Beverages > Coffee"), category("COFFEE", f"{FOOD} > Beverages > Coffee")):
        assert (
            why("does-not-belong", TENTS, coffee, strict) == "the table of intents leaves it out of 'get outing done'"
        )
        assert why("does-not-belong", TENTS, coffee, OUTING) is None
    assert why("does-not-belong", category(f"{FOOD} > Beverages > Coffee"), TENTS, strict) is None


MINE = """
- rule: gender
  apart: {cats: "Cat", dogs: "Dog"}
- rule: gender
  apart: {indoors: "Indoor", outdoors: "Outdoor"}
- rule: near-duplicate
  cosine: 0.95
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.yaml"


def test_a_rules_file_of_ones_own(file: Path) -> None:
    file.write_text(MINE)
    mine = checks(read_rules(file))
    assert list(mine) == ["gender", "near-duplicate"]
    cat, dog = category("Pets > Cat Toys"), category("Pets > Dog Beds")
    assert mine["gender"](cat, dog, OUTING) == "cats and dogs are kept apart"
    assert mine["gender"](MEN, WOMEN, OUTING) is None
    assert mine["near-duplicate"](*near(0.85), OUTING) is None
    assert mine["near-duplicate"](*near(0.96), OUTING) is not None


def test_two_rules_of_one_name_both_hold(file: Path) -> None:
    file.write_text(MINE)
    mine = checks(read_rules(file))
    inside, outside = category("Indoor Lamps"), category("Outdoor Lights")
    assert mine["gender"](inside, outside, OUTING) == "indoors and outdoors are kept apart"


def test_an_empty_rules_file_drops_nothing(file: Path) -> None:
    file.write_text("# nothing is dropped\n")
    assert checks(read_rules(file)) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "not YAML"),
        ("a: b: c", "not YAML"),
        ("- rule: 'x\n", "not YAML"),
        ("a\x00b", "not YAML"),
        ("\udcff\udcfe", "not UTF-8"),
        ("rule: near-duplicate", "valid list"),
        ("3", "valid list"),
        ("- near-duplicate", "0: "),
        ("- rule: nearest", "'nearest'.*does not match"),
        ("- cosine: 0.5", "rule"),
        ("- rule: near-duplicate\n  cosine: 0", "cosine: .*greater than 0"),
        ("- rule: near-duplicate\n  cosine: 1.5", "cosine: .*less than or equal to 1"),
        ("- rule: near-duplicate\n  cosine: .nan", "cosine"),
        ("- rule: near-duplicate\n  cosine: .inf", "cosine"),
        ("- rule: near-duplicate\n  cosinus: 0.9", "cosinus: Extra inputs"),
        ("- rule: gender\n  apart: {women: W}", "apart: .*at least 2"),
        ("- rule: gender\n  apart: {women: W, men: '('}", r"apart: '\(' is no regular expression"),
        ("- rule: gender\n  apart: {women: W, men: 3}", "men: .*valid string"),
        ("- rule: gender", "apart: Field required"),
        ("- rule: age-restricted\n  groups: {}\n  children: Baby", "groups: .*at least 1"),
        ("- rule: age-restricted\n  groups: {beer: '*'}\n  children: Baby", r"groups: '\*' is no regular expression"),
        ("- rule: age-restricted\n  groups: {beer: Beer}\n  children: '['", r"children: '\[' is no regular expression"),
        ("- rule: age-restricted\n  groups: {beer: Beer}", "children: Field required"),
    ],
)
def test_bad_rules_are_refused_by_one_line(file: Path, text: str, said: str) -> None:
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError, match=said) as refused:
        read_rules(file)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(f"rules {file}: ")
    assert ": : " not in str(refused.value)


def test_rules_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"rules .*none.yaml: No such file"):
        read_rules(tmp_path / "none.yaml")
    with pytest.raises(SettingsError, match="Is a directory"):
        read_rules(tmp_path)
