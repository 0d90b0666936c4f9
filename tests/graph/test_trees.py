"""Browse trees in a real Neo4j: written again, in a newer version, beside others, after a cut, and read back."""

import time
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from graph.driver import Database
from graph.errors import NotFound, StoreError
from graph.incremental import write_incremental
from graph.schema import BROWSE_CLASSES, TREE_NODE, Source, Tables, locale_property
from graph.settings import Settings
from graph.statements import statement
from graph.trees import (
    read_crosswalk,
    read_titles,
    read_tree,
    tree_names,
    write_classes,
    write_crosswalk,
    write_node_embeddings,
    write_tree,
)
from tests.graph.conftest import dump, events, make_tables

LOCALES = (
    "cs-CZ", "da-DK", "de-DE", "en-US", "es-ES", "fr-FR", "it-IT", "ja-JP", "nl-NL", "no-NO", "pl-PL", "pt-BR", "ru-RU",
    "sv-SE", "tr-TR", "zh-CN",
)  # fmt: skip
NAMES = (
    "🍕 Pizza 👨‍👩‍👧‍👦",
    "مستلزمات",
    "Ка́ша",
    "é",
    'a "b" \\ c',
    "ペット・ペット用品",
    "İş ve Endüstri",
    "line\nend\u2028",
)
LABELS = "MATCH (n:BrowseNode {id: $id}) RETURN labels(n) AS labels, properties(n) AS properties"


def make_nodes(*rows: tuple[Any, ...], **columns: Sequence[str | None]) -> pl.DataFrame:
    """Rows (id, parent), (id, parent, name) or (id, parent, name, class), parents first; ids as names by default."""
    levels: dict[str | None, int] = {None: -1}
    made = []
    for key, parent, *more in rows:
        levels[key] = levels[parent] + 1
        name, node_class = [*more, *[key, None][len(more) :]][:2]
        made.append({"id": key, "name": name, "level": levels[key], "parent": parent, "class": node_class})
    return pl.DataFrame(made, schema=TREE_NODE).with_columns(pl.Series(k, v, pl.String) for k, v in columns.items())


FIRST = make_nodes(
    ("t:food", None),
    ("t:toys", None),
    ("t:cheese", "t:food"),
    ("t:blocks", "t:toys"),
    ("t:gouda", "t:cheese"),
    name_de=["Essen", "Spielzeug", "Käse", None, "Gouda"],
)
OTHER = make_nodes(("o:1", None), ("o:2", "o:1"), ("o:3", "o:2"))


def shape(database: Database, tree: str) -> dict[str, str | None]:
    return {node.id: node.parent for node in read_tree(database, tree).nodes.values()}


def node(database: Database, key: str) -> dict[str, Any]:
    return database.read(LABELS, {"id": key})[0]


def own_store() -> Tables:
    """A store with two items in its own tree."""
    return make_tables(
        events({"user": "u", "item": "i1", "time": 1}, {"user": "u", "item": "i2", "time": 2}),
        source=Source("small"),
        browse_nodes=pl.DataFrame({"id": ["a", "a/b"], "name": ["A", "B"], "level": [0, 1]}),
        in_category=pl.DataFrame({"item": ["i1", "i2", "i2"], "browse_node": ["a", "a/b", "a"]}),
        child_of=pl.DataFrame({"child": ["a/b"], "parent": ["a"]}),
    )


# Written


def test_the_same_tree_again_changes_nothing(empty_database: Database) -> None:
    write_tree(empty_database, "t", "2019", FIRST)
    before = dump(empty_database)
    assert len(before) == len(FIRST) + 3 + 1  # nodes, edges and the (:Tree)
    write_tree(empty_database, "t", "2019", FIRST)
    assert dump(empty_database) == before
    [stored] = empty_database.read(statement("trees"))
    assert stored == {"id": "t", "version": "2019", "nodes": 5, "loading": False}
    found = node(empty_database, "t:cheese")
    assert found["labels"] == ["BrowseNode"]
    assert found["properties"] == {"id": "t:cheese", "name": "t:cheese", "name_de": "Käse", "level": 1, "tree": "t"}


def test_a_newer_version_takes_off_what_is_gone_and_moves_what_moved(empty_database: Database) -> None:
    write_tree(empty_database, "t", "2019", FIRST)
    write_tree(empty_database, "o", "", OTHER)
    newer = make_nodes(
        ("t:food", None, "All food"),
        ("t:new", None),
        ("t:gouda", "t:food"),
        ("t:toys", "t:new"),
        name_de=["Essen", None, None, "Spielzeug"],
    )
    write_tree(empty_database, "t", "2020", newer)
    assert shape(empty_database, "t") == {"t:food": None, "t:gouda": "t:food", "t:new": None, "t:toys": "t:new"}
    assert node(empty_database, "t:food")["properties"]["name"] == "All food"
    gouda = node(empty_database, "t:gouda")["properties"]
    assert gouda == {"id": "t:gouda", "name": "t:gouda", "level": 1, "tree": "t"}
    assert shape(empty_database, "o") == {"o:1": None, "o:2": "o:1", "o:3": "o:2"}
    [_, stored] = empty_database.read(statement("trees"))
    assert stored == {"id": "t", "version": "2020", "nodes": 4, "loading": False}
    changed = dump(empty_database)
    clean = [line for line in changed if "'o:" not in line and "'o'" not in line]
    empty_database.write("MATCH (n) DETACH DELETE n")
    write_tree(empty_database, "t", "2020", newer)
    assert dump(empty_database) == clean  # as if the older one had never been there


def test_a_version_without_a_language_has_no_names_in_it(empty_database: Database) -> None:
    write_tree(empty_database, "o", "", OTHER.with_columns(pl.lit("x").alias("name_de")))
    write_tree(empty_database, "t", "1", FIRST)
    write_tree(empty_database, "t", "2", FIRST.rename({"name_de": "name_fr"}))
    assert not empty_database.read("MATCH (n:BrowseNode {tree: 't'}) WHERE n.name_de IS NOT NULL RETURN n")
    assert node(empty_database, "t:cheese")["properties"]["name_fr"] == "Käse"
    assert node(empty_database, "o:1")["properties"]["name_de"] == "x"


def test_what_others_said_of_a_node_stays(empty_database: Database) -> None:
    write_tree(empty_database, "t", "1", FIRST)
    write_classes(empty_database, [{"id": "t:food", "class": "assortment", "source": "classifier", "confidence": 0.75}])
    vectors = pl.Series([[0.5] * 384]).to_numpy()
    write_node_embeddings(empty_database, ["t:food"], "encoder", vectors[0][None], vectors[0][None])
    said = {"id": "t:food", "google": ["Food"], "intents": ["grill-party"], "optional_for": ["picnic"], "not_for": []}
    write_crosswalk(empty_database, "t", [said])
    before = dump(empty_database)
    write_tree(empty_database, "t", "1", FIRST)
    assert dump(empty_database) == before
    found = node(empty_database, "t:food")
    assert found["labels"] == ["BrowseNode", "ProductAssortment"]
    assert found["properties"]["embedding"] == [0.5] * 384
    assert found["properties"]["embedding_model"] == "encoder"
    renamed = FIRST.with_columns(pl.col("name") + " and more")
    write_tree(empty_database, "t", "2", renamed)
    assert "embedding_model" not in node(empty_database, "t:food")["properties"]
    assert read_crosswalk(empty_database, "t") == [said]


def test_a_moved_node_has_one_parent_even_where_it_had_two(empty_database: Database) -> None:
    write_tree(empty_database, "t", "1", FIRST)
    empty_database.write("MATCH (a {id: 't:gouda'}), (b {id: 't:toys'}) CREATE (a)-[:CHILD_OF]->(b)")
    write_tree(empty_database, "t", "1", FIRST)
    assert empty_database.read("MATCH ({id: 't:gouda'})-[:CHILD_OF]->(p) RETURN p.id AS id") == [{"id": "t:cheese"}]


def test_trees_stand_beside_each_other_and_a_store_s_own(empty_database: Database, settings: Settings) -> None:
    write_incremental(own_store(), settings, empty_database)
    alone = dump(empty_database)
    write_tree(empty_database, "t", "", FIRST)
    write_tree(empty_database, "o", "", OTHER)
    assert tree_names(empty_database) == ["small", "o", "t"]
    assert set(alone) < set(dump(empty_database))
    assert shape(empty_database, "small") == {"a": None, "a/b": "a"}
    assert len(shape(empty_database, "t")) == 5
    assert shape(empty_database, "o") == {"o:1": None, "o:2": "o:1", "o:3": "o:2"}
    write_incremental(own_store(), settings, empty_database)
    assert tree_names(empty_database) == ["small", "o", "t"]
    assert len(shape(empty_database, "t")) == 5


def test_a_tree_cannot_take_the_place_of_the_store_s_own(empty_database: Database, settings: Settings) -> None:
    write_incremental(own_store(), settings, empty_database)
    before = dump(empty_database)
    with pytest.raises(StoreError, match=r"^small is the store's own tree: give this one another name"):
        write_tree(empty_database, "small", "", make_nodes(("small:1", None)))
    assert dump(empty_database) == before


def test_a_load_that_was_cut_off_is_refused_and_goes_on(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(empty_database, "t", "1", FIRST)
    whole = dump(empty_database)
    newer = make_nodes(("t:food", None), ("t:new", None), ("t:gouda", "t:new"))
    for cut in ("merge_browse_nodes", "merge_tree_edges", "drop_declared_classes", "drop_tree_nodes", "end_tree"):

        def failing(name: str, *place: str, cut: str = cut) -> str:
            if name == cut:
                raise KeyboardInterrupt
            return statement(name, *place)

        with monkeypatch.context() as patch:
            patch.setattr("graph.trees.statement", failing)
            patch.setattr("graph.batches.statement", failing)
            with pytest.raises(KeyboardInterrupt):
                write_tree(empty_database, "t", "2", newer)
        with pytest.raises(StoreError) as raised:
            read_tree(empty_database, "t")
        assert str(raised.value) == "the load of the tree t was not finished: run it again (twohop browse load t)"
        assert tree_names(empty_database) == []
        write_tree(empty_database, "t", "2", newer)
        assert shape(empty_database, "t") == {"t:food": None, "t:new": None, "t:gouda": "t:new"}
        write_tree(empty_database, "t", "1", FIRST)
        assert dump(empty_database) == whole


# Classes


def test_classes_are_a_label_and_properties(empty_database: Database) -> None:
    write_tree(empty_database, "t", "", FIRST)
    for node_class, label in (*BROWSE_CLASSES.items(), ("category", "ProductCategory")):
        row = {"id": "t:food", "class": node_class, "source": "classifier", "confidence": 0.5}
        write_classes(empty_database, [row, row | {"id": "not there"}])
        found = node(empty_database, "t:food")
        assert sorted(found["labels"]) == sorted(["BrowseNode", label])
        stored = read_tree(empty_database, "t").nodes["t:food"]
        assert (stored.node_class, stored.class_source, stored.class_confidence) == (node_class, "classifier", 0.5)
    assert node(empty_database, "t:toys")["labels"] == ["BrowseNode"]
    assert read_tree(empty_database, "t").nodes["t:toys"].node_class is None


def test_the_class_that_a_tree_declares(empty_database: Database) -> None:
    declared = make_nodes(("t:1", None, "A", "category"), ("t:2", "t:1", "B", "alias"), ("t:3", "t:1"))
    write_tree(empty_database, "t", "1", declared)
    found = node(empty_database, "t:2")
    assert sorted(found["labels"]) == ["Alias", "BrowseNode"]
    assert found["properties"] | {"class": "alias", "class_source": "source"} == found["properties"]
    before = dump(empty_database)
    write_tree(empty_database, "t", "1", declared)
    assert dump(empty_database) == before

    classified = {"class": "assortment", "source": "classifier", "confidence": 0.5}
    write_classes(empty_database, [classified | {"id": "t:3"}])
    newer = make_nodes(("t:1", None, "A", "assortment"), ("t:2", "t:1", "B"), ("t:3", "t:1"))
    write_tree(empty_database, "t", "2", newer)
    stored = {key: (one.node_class, one.class_source) for key, one in read_tree(empty_database, "t").nodes.items()}
    assert stored == {"t:1": ("assortment", "source"), "t:2": (None, None), "t:3": ("assortment", "classifier")}
    assert sorted(node(empty_database, "t:1")["labels"]) == ["BrowseNode", "ProductAssortment"]
    assert node(empty_database, "t:2")["labels"] == ["BrowseNode"]
    assert sorted(node(empty_database, "t:3")["labels"]) == ["BrowseNode", "ProductAssortment"]


# Read


def test_a_tree_is_read_with_parents_first(empty_database: Database, settings: Settings) -> None:
    write_tree(empty_database, "t", "", FIRST)
    tree = read_tree(empty_database, "t")
    places = {key: place for place, key in enumerate(tree.nodes)}
    assert all(one.parent is None or places[one.parent] < places[one.id] for one in tree.nodes.values())
    assert tree.children == {"t:food": ["t:cheese"], "t:toys": ["t:blocks"], "t:cheese": ["t:gouda"]}
    assert tree.path_text("t:gouda") == "t:food > t:cheese > t:gouda"
    assert tree.path_text("t:food") == "t:food"
    assert [one.level for one in tree.path("t:gouda")] == [0, 1, 2]
    assert set(tree.items_below.values()) == {0}


def test_items_at_and_below_each_node(empty_database: Database, settings: Settings) -> None:
    write_incremental(own_store(), settings, empty_database)
    tree = read_tree(empty_database, "small")
    assert {key: one.items for key, one in tree.nodes.items()} == {"a": 2, "a/b": 1}
    assert tree.items_below == {"a": 3, "a/b": 1}  # i2 is in both, and counts for each
    assert read_titles(empty_database, "small") == {}
    empty_database.write("MATCH (i:Item) SET i.title = 'no. ' + i.id, i.popularity = toInteger(right(i.id, 1))")
    assert read_titles(empty_database, "small") == {"a": ["no. i2", "no. i1"], "a/b": ["no. i2"]}
    assert read_titles(empty_database, "small", 1) == {"a": ["no. i2"], "a/b": ["no. i2"]}


def test_a_tree_that_is_not_there(empty_database: Database) -> None:
    assert tree_names(empty_database) == []
    with pytest.raises(NotFound, match=r"^no browse tree t in this store \(there: none\): load it"):
        read_tree(empty_database, "t")
    write_tree(empty_database, "o", "", OTHER)
    with pytest.raises(NotFound, match=r"\(there: o\)"):
        read_tree(empty_database, "t")


@pytest.mark.parametrize("lower", ["t:food", "t:gouda"])
def test_a_cycle_by_hand_is_an_error(empty_database: Database, lower: str) -> None:
    write_tree(empty_database, "t", "", FIRST)
    query = "MATCH (a {id: 't:food'}), (b {id: $lower}) CREATE (a)-[:CHILD_OF]->(b)"
    empty_database.write(query, {"lower": lower})
    with pytest.raises(StoreError, match=r"^the browse tree t has a cycle at t:(food|cheese|gouda): load it again$"):
        read_tree(empty_database, "t")
    write_tree(empty_database, "t", "", FIRST)
    assert shape(empty_database, "t")["t:food"] is None


def test_a_parent_in_another_tree_is_none(empty_database: Database) -> None:
    write_tree(empty_database, "t", "", FIRST)
    write_tree(empty_database, "o", "", OTHER)
    empty_database.write("MATCH (a {id: 't:food'}), (b {id: 'o:3'}) CREATE (a)-[:CHILD_OF]->(b)")
    tree = read_tree(empty_database, "t")
    assert tree.path_text("t:gouda") == "t:food > t:cheese > t:gouda"
    assert tree.nodes["t:food"].parent is None
    assert set(tree.children) == {"t:food", "t:toys", "t:cheese"}
    assert set(tree.items_below) == set(tree.nodes)


def test_names_in_16_locales_come_back(empty_database: Database) -> None:
    columns = {locale_property(locale): [f"{locale} {name}" for name in NAMES] for locale in LOCALES}
    rows = [(f"t:{name}", f"t:{NAMES[place - 1]}" if place else None, name) for place, name in enumerate(NAMES)]
    write_tree(empty_database, "t", "", make_nodes(*rows, **columns))
    tree = read_tree(empty_database, "t")
    assert [one.name for one in tree.nodes.values()] == list(NAMES)
    assert tree.path_text(f"t:{NAMES[-1]}") == " > ".join(NAMES)
    for place, name in enumerate(NAMES):
        stored = node(empty_database, f"t:{name}")["properties"]
        assert {key: stored[key] for key in columns} == {key: texts[place] for key, texts in columns.items()}


def test_a_crosswalk_takes_the_place_of_the_one_before(empty_database: Database) -> None:
    write_tree(empty_database, "t", "", FIRST)
    write_tree(empty_database, "o", "", OTHER)
    none = {"google": [], "intents": [], "optional_for": [], "not_for": []}
    row = none | {"id": "o:1", "google": ["A"]}
    assert write_crosswalk(empty_database, "o", [row]) == 1
    rows = [
        none | {"id": "t:food", "google": ["A > B", "C"], "intents": ["x"], "not_for": ["y"]},
        none | {"id": "none"},
    ]
    assert write_crosswalk(empty_database, "t", rows) == 1
    assert read_crosswalk(empty_database, "t") == rows[:1]
    assert write_crosswalk(empty_database, "t", [rows[0] | {"id": "t:toys"}]) == 1
    assert [one["id"] for one in read_crosswalk(empty_database, "t")] == ["t:toys"]
    assert write_crosswalk(empty_database, "t", []) == 0
    assert read_crosswalk(empty_database, "t") == []
    assert read_crosswalk(empty_database, "o") == [row]


# Large


@pytest.mark.long
def test_100_000_nodes(empty_database: Database) -> None:
    count = 100_000
    rows = [(f"t:{n}", f"t:{(n - 1) // 7}" if n else None, f"Näme {n} 🧀") for n in range(count)]
    nodes = make_nodes(*rows, name_de=[f"Größe {n}" for n in range(count)], name_ja=[f"名前 {n}" for n in range(count)])
    start = time.monotonic()
    write_tree(empty_database, "t", "", nodes)
    tree = read_tree(empty_database, "t")
    assert len(tree.nodes) == count
    assert {key: one.parent for key, one in tree.nodes.items()} == dict(nodes.select("id", "parent").iter_rows())
    assert tree.path_text("t:99999").count(" > ") == 6
    assert max(one.level for one in tree.nodes.values()) == 6
    write_tree(empty_database, "t", "", nodes[: count // 2])
    assert len(read_tree(empty_database, "t").nodes) == count // 2
    assert time.monotonic() - start < 300  # seconds; 73 on two cores that others kept busy
