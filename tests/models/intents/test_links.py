"""Links of a small tree whose cosines are made up: who says what, in which order, and what completes what."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graph.driver import Row
from graph.intents import Intent, Links
from graph.trees import BrowseTree
from models.intents.encoder import Encoder
from models.intents.links import FEW, FORGOTTEN, Known, LinkOptions, Vectors, intent_vectors, link, needed, node_vectors
from models.intents.rules import Rule, read_rules
from tests.models.intents.conftest import make_intent, make_tree

TREE = make_tree(
    "Sporting Goods",
    "Sporting Goods > Tents",
    "Sporting Goods > Stoves",
    "Sporting Goods > Boots",
    "Sporting Goods > Lamps",
    "Food",
    "Food > Bread",
    "Food > Wine",
    "Home",
    "Home > Cushions",
    assortments=("Sporting Goods", "Food", "Home"),
)
TENTS, STOVES, BOOTS, LAMPS = (f"SportingGoods/{name}" for name in ("Tents", "Stoves", "Boots", "Lamps"))
BREAD, WINE, CUSHIONS = "Food/Bread", "Food/Wine", "Home/Cushions"
CAMP = make_intent("camp", "Sporting Goods > Tents", "Sporting Goods > Stoves", forgotten=("Sporting Goods > Lamps",))
HIKE = make_intent("hike", "Sporting Goods > Boots", "Sporting Goods > Tents", "Food > Bread")
DINE = make_intent("dine", "Food > Wine", "Food > Bread")
REST = make_intent("rest")
INTENTS = [CAMP, HIKE, DINE, REST]
Cosines = dict[tuple[str, str], float]


def vectors(cosines: Cosines, tree: BrowseTree = TREE, intents: list[Intent] = INTENTS) -> Vectors:
    """Unit vectors with these cosines of (node, intent), 0 elsewhere; no two names alike."""
    count = len(intents)
    axes = np.eye(count, count + len(tree.nodes), dtype=np.float32)
    nodes = np.zeros((len(tree.nodes), count + len(tree.nodes)), dtype=np.float32)
    for row, key in enumerate(tree.nodes):
        for column, intent in enumerate(intents):
            nodes[row, column] = cosines.get((key, intent.id), 0.0)
        nodes[row, count + row] = (1 - (nodes[row] ** 2).sum()) ** 0.5
    return Vectors(nodes, axes, np.eye(len(tree.nodes), dtype=np.float32))


def linked(
    cosines: Cosines | None = None,
    known: Known | None = None,
    rules: list[Rule] | None = None,
    intents: list[Intent] = INTENTS,
    tree: BrowseTree = TREE,
    **options: float,
) -> Links:
    made = vectors(cosines or {}, tree, intents)
    return link(tree, intents, made, known or Known(), rules or [], LinkOptions.model_validate(options))


def served(links: Links, node: str) -> list[tuple[str, str]]:
    """(intent, source) of a node in the order of their ranks."""
    rows = sorted((row for row in links.serves if row["node"] == node), key=lambda row: row["rank"])
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    return [(row["intent"], row["source"]) for row in rows]


def ranked(rows: list[Row], column: str, key: str) -> list[Row]:
    """Rows of one start in the order of their ranks, which are 1, 2, … by falling score."""
    found = sorted((row for row in rows if row[column] == key), key=lambda row: row["rank"])
    assert [row["rank"] for row in found] == list(range(1, len(found) + 1))
    assert all(one["score"] >= other["score"] for one, other in pairwise(found))
    return found


def needs(links: Links, intent: str) -> list[str]:
    return [row["node"] for row in ranked(links.needs, "intent", intent)]


def complements(links: Links, start: str) -> dict[str, str]:
    """{category: intent} in the order of their ranks."""
    return {row["end"]: row["intent"] for row in ranked(links.complements, "start", start)}


def dropped(links: Links, start: str) -> dict[str, tuple[str, str]]:
    return {row["end"]: (row["rule"], row["why"]) for row in links.dropped if row["start"] == start}


def test_the_table_says_what_a_category_serves() -> None:
    links = linked()
    assert served(links, BREAD) == [("dine", "table"), ("hike", "table")]  # second of two, third of three
    assert served(links, WINE) == [("dine", "table")]
    assert served(links, CUSHIONS) == []
    assert not {row["node"] for row in links.serves} & {"SportingGoods", "Food", "Home"}


def test_the_nearer_of_two_intents_comes_first() -> None:
    assert served(linked({(BREAD, "hike"): 0.5}), BREAD) == [("hike", "table"), ("dine", "table")]


def test_the_model_fills_only_above_the_threshold() -> None:
    cosines = {(CUSHIONS, "rest"): 0.5, (CUSHIONS, "camp"): 0.46, (CUSHIONS, "dine"): 0.44, (WINE, "rest"): 0.6}
    links = linked(cosines)
    assert served(links, CUSHIONS) == [("rest", "model"), ("camp", "model")]
    assert served(links, WINE) == [("dine", "table"), ("rest", "model")]
    confidence = {(row["node"], row["intent"]): row["confidence"] for row in links.serves}
    assert confidence[CUSHIONS, "rest"] == pytest.approx(0.5)
    assert confidence[WINE, "dine"] == 0.0
    assert served(linked(cosines, confident=0.3), CUSHIONS) == [("rest", "model"), ("camp", "model"), ("dine", "model")]
    assert served(linked(cosines, confident=0.7), CUSHIONS) == []


def test_the_model_never_pushes_the_table_out() -> None:
    links = linked({(BREAD, "rest"): 0.7, (BREAD, "camp"): 0.6})
    assert served(links, BREAD) == [("dine", "table"), ("hike", "table"), ("rest", "model")]


def test_at_most_three_intents_of_a_category() -> None:
    many = [make_intent(f"i{number}", "Food > Bread") for number in range(6)]
    links = linked({(BREAD, "i4"): 0.3, (BREAD, "i2"): 0.2}, intents=many)
    assert served(links, BREAD) == [("i4", "table"), ("i2", "table"), ("i0", "table")]
    chosen = Known(intents={BREAD: ("i5", "i4", "i3", "i2")})
    assert served(linked(known=chosen, intents=many), BREAD) == [("i5", "hand"), ("i4", "hand"), ("i3", "hand")]
    alike = {(CUSHIONS, f"i{number}"): 0.4 for number in range(6)}
    assert len(served(linked(alike, intents=many, confident=0.3), CUSHIONS)) == FEW


def test_what_was_chosen_by_hand_wins() -> None:
    chosen = Known(intents={BREAD: ("rest", "unheard of", "camp"), "Food": ("dine",)})
    links = linked({(BREAD, "dine"): 0.9, (CUSHIONS, "rest"): 0.9}, chosen)
    assert served(links, BREAD) == [("rest", "hand"), ("camp", "hand")]
    assert served(links, "Food") == [("dine", "hand")]
    assert {row["node"] for row in links.serves} == {BREAD, "Food"}  # nothing but what people chose


def test_queries_support_what_the_table_does_not_know() -> None:
    support = {(BREAD, "rest"): 1e6, (WINE, "camp"): 3.0, ("elsewhere", "camp"): 9.0, (WINE, "unheard of"): 9.0}
    links = linked(known=Known(support=support))
    assert served(links, BREAD) == [("rest", "queries"), ("dine", "table"), ("hike", "table")]
    assert served(links, WINE) == [("dine", "table"), ("camp", "queries")]
    told = {(row["node"], row["intent"]): row["support"] for row in links.serves}
    assert (told[WINE, "camp"], told[WINE, "dine"]) == (3.0, 0.0)


def test_needs_are_in_the_order_of_the_table() -> None:
    links = linked()
    assert needs(links, "camp") == [TENTS, STOVES, LAMPS]  # what people forget counts less
    assert needs(links, "hike") == [BOOTS, TENTS, BREAD]
    assert needs(links, "rest") == []
    assert {row["source"] for row in links.needs} == {"table"}
    assert all(0 < row["score"] <= 1 for row in links.needs)


def test_needs_are_at_most_k() -> None:
    assert needs(linked(needs=2), "hike") == [BOOTS, TENTS]
    assert needs(linked(needs=1), "camp") == [TENTS]


def test_the_model_adds_needs_only_where_nobody_said_any() -> None:
    cosines = {(CUSHIONS, "rest"): 0.8, (LAMPS, "rest"): 0.5, (WINE, "rest"): 0.44, (CUSHIONS, "camp"): 0.5}
    links = linked(cosines)
    assert needs(links, "rest") == [CUSHIONS, LAMPS]
    assert needs(links, "camp") == [TENTS, STOVES, LAMPS]
    assert needs(linked(cosines, near=0.4), "rest") == [CUSHIONS, LAMPS, WINE]
    assert needs(linked(cosines, needs=1), "rest") == [CUSHIONS]
    assert needs(linked(cosines, Known(intents={CUSHIONS: ("rest",)})), "rest") == []
    assert needs(linked({("Home", "rest"): 0.9}), "rest") == []  # an assortment is nothing to buy


def test_a_mined_intent_needs_the_categories_of_its_assortment() -> None:
    mined = make_intent("mined-sport", source="mined", nodes=("SportingGoods", "not in this tree"))
    links = linked({(CUSHIONS, "mined-sport"): 0.5}, intents=[mined])
    assert set(needs(links, "mined-sport")) == {TENTS, STOVES, BOOTS, LAMPS, CUSHIONS}
    assert {row["node"]: row["source"] for row in links.needs} == {
        **dict.fromkeys((TENTS, STOVES, BOOTS, LAMPS), "tree"),
        CUSHIONS: "model",
    }
    assert needs(links, "mined-sport")[-1] == CUSHIONS


def test_the_crosswalk_leads_from_googles_words_to_another_tree() -> None:
    other = make_tree("GROCERY", "GROCERY > BREADS", "GROCERY > CRACKERS", assortments=("GROCERY",))
    walk = Known(google={"GROCERY/BREADS": ("Food > Bread", "Food > Rolls")})
    found = needed(other, INTENTS, walk)
    assert set(found["hike"]) == set(found["dine"]) == {"GROCERY/BREADS"}
    assert not found["camp"]
    assert not found["rest"]
    assert walk.paths(other, "GROCERY/BREADS") == ("GROCERY > BREADS", "Food > Bread", "Food > Rolls")


def test_what_a_category_is_optional_or_not_meant_for() -> None:
    other = make_tree("GROCERY", "GROCERY > BREADS", assortments=("GROCERY",))
    walk = {"GROCERY/BREADS": ("Food > Bread",)}
    plain = needed(other, INTENTS, Known(google=walk))
    marked = Known(google=walk, optional_for={"GROCERY/BREADS": frozenset({"hike"})})
    assert needed(other, INTENTS, marked)["hike"]["GROCERY/BREADS"] <= FORGOTTEN < plain["dine"]["GROCERY/BREADS"]
    assert needed(other, INTENTS, marked)["dine"] == plain["dine"]
    another_kind = Known(google=walk, not_for={"GROCERY/BREADS": frozenset({"hike"})})
    assert needed(other, INTENTS, another_kind)["hike"] == {}
    assert needed(other, INTENTS, another_kind)["dine"] == plain["dine"]


def test_complements_are_what_the_intent_needs_beside() -> None:
    links = linked()
    assert complements(links, STOVES) == {TENTS: "camp", LAMPS: "camp"}
    assert complements(links, TENTS) == {STOVES: "camp", BOOTS: "hike", LAMPS: "camp", BREAD: "hike"}
    assert complements(links, CUSHIONS) == {}
    assert not links.dropped


def test_a_category_never_completes_itself() -> None:
    assert all(row["start"] != row["end"] for row in linked().complements)


def test_one_complement_for_a_pair_by_its_best_intent() -> None:
    both = [*INTENTS, make_intent("trek", "Sporting Goods > Boots", "Sporting Goods > Tents", "Sporting Goods > Lamps")]
    chosen = {BOOTS: ("hike", "trek", "camp")}
    links = linked({(BOOTS, "hike"): 0.1, (BOOTS, "trek"): 0.8}, Known(intents=chosen), intents=both)
    pairs = [(row["start"], row["end"]) for row in links.complements]
    assert len(pairs) == len(set(pairs))
    found = complements(links, BOOTS)
    assert found[BREAD] == "hike"
    # TENTS: hike is the first intent and says 0.55 of it, trek the second and says 0.9 / √2
    assert found[TENTS] == "trek"
    assert found[STOVES] == "camp"


def test_complements_are_capped() -> None:
    full = complements(linked(), TENTS)
    assert list(complements(linked(complements=2), TENTS).items()) == list(full.items())[:2]


def test_what_a_rule_drops_is_kept_with_its_reason() -> None:
    wine = "Alcoholic Beverages > Wine"
    tree = make_tree("Food", "Food > Bread", "Food > Cheese", "Alcoholic Beverages", wine)
    dine = make_intent("dine", "Food > Bread", "Food > Cheese", wine, excludes=("Food > Cheese",))
    links = linked(tree=tree, intents=[dine], rules=read_rules())
    kept, key = complements(links, "Food/Bread"), "AlcoholicBeverages/Wine"
    assert kept == {}
    assert dropped(links, "Food/Bread") == {
        key: ("age-restricted", "alcohol only completes alcohol"),
        "Food/Cheese": ("does-not-belong", "the table of intents leaves it out of 'get dine done'"),
    }
    assert complements(links, key) == {"Food/Bread": "dine"}
    assert {row["intent"] for row in links.dropped} == {"dine"}
    assert complements(linked(tree=tree, intents=[dine]), "Food/Bread") == {"Food/Cheese": "dine", key: "dine"}


def test_near_names_are_dropped_and_another_intent_may_still_lead_there() -> None:
    strict = make_intent("camp", "Sporting Goods > Tents", "Sporting Goods > Stoves", excludes=("Food > Bread",))
    camp = make_intent(
        "strict", "Sporting Goods > Tents", "Food > Bread", "Sporting Goods > Lamps", excludes=("Food > Bread",)
    )
    made = vectors({}, intents=[strict, camp, HIKE])
    place = {key: number for number, key in enumerate(TREE.nodes)}
    made.names[place[LAMPS]] = made.names[place[TENTS]]
    links = link(TREE, [strict, camp, HIKE], made, Known(), read_rules(), LinkOptions())
    assert dropped(links, TENTS) == {LAMPS: ("near-duplicate", "nearly the same: cosine 1.00 of the names")}
    assert complements(links, TENTS)[BREAD] == "hike"  # strict leaves it out, hike does not


@given(
    st.dictionaries(st.tuples(st.sampled_from(sorted(TREE.nodes)), st.sampled_from([one.id for one in INTENTS])),
                    st.floats(-0.5, 0.5)),
    st.dictionaries(st.sampled_from(sorted(TREE.nodes)),
                    st.lists(st.sampled_from([one.id for one in INTENTS]), unique=True).map(tuple), max_size=4),
    st.integers(1, 4),
)  # fmt: skip
def test_links_hold_together(cosines: Cosines, chosen: dict[str, tuple[str, ...]], most: int) -> None:
    links = linked(cosines, Known(intents=chosen), read_rules(), confident=0.2, near=0.2, needs=most, complements=most)
    serves: dict[str, set[str]] = defaultdict(set)
    for node in TREE.nodes:
        serves[node] = {intent for intent, _ in served(links, node)}
        assert len(serves[node]) <= FEW
        assert len(complements(links, node)) <= most
        assert not set(complements(links, node)) & (set(dropped(links, node)) | {node})
    needed_by = {intent.id: set(needs(links, intent.id)) for intent in INTENTS}
    assert all(len(found) <= most for found in needed_by.values())
    for row in (*links.complements, *links.dropped):
        assert row["intent"] in serves[row["start"]]
        assert row["end"] in needed_by[row["intent"]]


@pytest.mark.parametrize("given", [{"needs": 0}, {"complements": -1}, {"confident": 1.5}, {"near": float("nan")}])
def test_options_that_cannot_be(given: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        LinkOptions.model_validate(given)


def test_intent_vectors_are_the_mean_of_all_ways_to_say_it(encoder: Encoder) -> None:
    camp = make_intent("camp", sentence="go camping", says=("camping trip", "sleep in a tent"))
    found = intent_vectors([camp, REST], encoder)
    mean = encoder.encode(["go camping", "camping trip", "sleep in a tent"]).mean(axis=0)
    np.testing.assert_allclose(found[0], mean / np.linalg.norm(mean), rtol=1e-5)
    np.testing.assert_allclose(found[1], encoder.encode([REST.sentence])[0], atol=1e-6)


def test_nodes_are_read_with_the_name_above(encoder: Encoder) -> None:
    tree = make_tree("Furniture", "Furniture > Beds", "Furniture > Beds > Baby Beds")
    expected = encoder.encode(["Furniture", "Beds (Furniture)", "Baby Beds (Beds)"])
    np.testing.assert_allclose(node_vectors(tree, encoder), expected, atol=1e-6)
