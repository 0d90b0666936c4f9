"""Queries match intents, and lead back to categories; products find theirs by their titles."""

from collections import Counter

import pytest

from models.intents.encoder import Encoder
from models.intents.supervision import WEIGHTS, Match, match, place_products, trace
from tests.models.intents.conftest import make_intent

CAMP = make_intent("camp", sentence="go camping", term="camping", says=("sleep in a tent", "camp in the woods"))
PARTY = make_intent(
    "party", sentence="celebrate a birthday", term="birthday party", says=("throw a birthday party for children",)
)
INTENTS = [CAMP, PARTY]


def kinds(query: str, encoder: Encoder | None = None) -> dict[str, str]:
    return {one.intent: one.kind for one in match([query], INTENTS, encoder)}


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("go camping", "exact"),
        ("  Go   CAMPING ", "exact"),
        ("camping", "exact"),
        ("tents for sleeping", "lemmas"),
        ("sleeping in the tents", "lemmas"),
        ("campings", None),
        ("go camping tent", "overlap"),
        ("the woods camping trips", "overlap"),
        ("go fishing by boat", None),
        ("office chair", None),
        ("of the", None),
        ("", None),
        ("???", None),
    ],
)
def test_matches_by_words(query: str, kind: str | None) -> None:
    assert kinds(query).get("camp") == kind


def test_the_strongest_match_is_kept() -> None:
    found = match(["birthday party", "throw birthday party children", "birthday parties"], INTENTS, None)
    assert found == [
        Match("birthday parties", "party", "lemmas"),
        Match("birthday party", "party", "exact"),
        Match("throw birthday party children", "party", "lemmas"),
    ]
    assert [one.weight for one in found] == [0.9, 1.0, 0.9]
    assert WEIGHTS["exact"] > WEIGHTS["lemmas"] > WEIGHTS["overlap"] > WEIGHTS["meaning"]


def test_no_words_are_no_match() -> None:
    wordless = make_intent("wordless", sentence="all of it", term="???")
    assert match(["of the", "!!"], [wordless], None) == []
    assert [one.kind for one in match(["all of it"], [wordless], None)] == ["exact"]


def test_a_query_may_match_several_intents() -> None:
    other = make_intent("camp-too", sentence="go camping", term="camp")
    found = match(["go camping"], [*INTENTS, other], None)
    assert {one.intent for one in found} == {"camp", "camp-too"}


def test_matches_by_meaning(encoder: Encoder) -> None:
    assert kinds("birthday celebration") == {}
    assert kinds("birthday celebration", encoder) == {"party": "meaning"}
    assert kinds("go camping", encoder) == {"camp": "exact"}
    assert kinds("stainless steel kitchen sink", encoder) == {}
    assert match([], INTENTS, encoder) == []


def table(*rows: tuple[str, str, float]) -> list[dict[str, object]]:
    return [{"query": query, "node": node, "count": count} for query, node, count in rows]


def test_support_adds_up() -> None:
    matches = [Match("a", "camp", "exact"), Match("b", "camp", "lemmas"), Match("c", "camp", "overlap")]
    rows = table(("a", "tents", 4), ("b", "tents", 10), ("c", "tents", 1), ("a", "stoves", 2), ("z", "tents", 99))
    assert trace(matches, rows) == pytest.approx({("tents", "camp"): 4 + 9 + 0.6, ("stoves", "camp"): 2.0})


def test_at_most_three_intents_of_a_category() -> None:
    matches = [Match(f"q{number}", f"i{number}", "exact") for number in range(5)]
    counts = {"q0": 5, "q1": 1, "q2": 9, "q3": 5, "q4": 4}
    found = trace(matches, table(*((query, "tents", count) for query, count in counts.items())))
    assert found == {("tents", "i2"): 9.0, ("tents", "i0"): 5.0, ("tents", "i3"): 5.0}
    assert Counter(node for node, _ in found) == {"tents": 3}


def test_parts_keep_held_out_intents_away() -> None:
    matches = [Match("a", "camp", "exact"), Match("a", "party", "exact")]
    found = trace(matches, table(("a", "tents", 1)), {"camp": "train"})
    assert found == {("tents", "camp"): 1.0}


def test_an_empty_query_table_gives_nothing() -> None:
    assert match([], INTENTS, None) == []
    assert trace([], []) == {}
    assert trace([], table(("a", "tents", 1))) == {}
    assert trace([Match("a", "camp", "exact")], []) == {}


IDS = ["drills", "cats", "dresses", "tents"]
NAMES = ["Drills (Power Tools)", "Cat Food (Cat Supplies)", "Dresses (Clothing)", "Tents (Camping & Hiking)"]


def test_products_find_their_categories(encoder: Encoder) -> None:
    judged = [
        ("Cordless  DRILL", "cordless drill 18V", 1.0),
        ("cordless drill", "compact drill driver kit", 0.5),
        ("screw in a shelf", "cordless drill 18V", 0.25),
        ("kitten", "dry cat food with salmon, 3 kg", 1.0),
        ("nothing", "zzqx 9981", 1.0),
    ]
    found = place_products(judged, IDS, NAMES, encoder)
    rows = {(str(row["query"]), str(row["node"])): row["count"] for row in found}
    assert set(found[0]) == {"query", "node", "count"}
    assert rows == {("cordless drill", "drills"): 1.5, ("screw in a shelf", "drills"): 0.25, ("kitten", "cats"): 1.0}


def test_no_products_give_no_rows(encoder: Encoder) -> None:
    assert place_products([], IDS, NAMES, encoder) == []
