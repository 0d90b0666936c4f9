"""`twohop browse load` and `show` on a real database: what they print, exit codes, and that errors write nothing."""

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.driver import Database
from graph.server import ManagedServer
from graph.source import stored_source
from graph.trees import read_tree, write_classes
from tests.api.conftest import answer, enter, refused, twohop

TREE = """id,name,parent,class,name_de,name_pt_BR
1,Food & Drink,,,Essen & Trinken,Comida
2,Cheese [🧀],1,category,Käse,
3,Party shelf,1,assortment,,
"""
TREES = ["shelves", "mine", "other", "google"]
CLEAR = """
MATCH (n) WHERE n:Tree AND n.id IN $trees OR n:BrowseNode AND n.tree IN $trees OR n:Source AND n.id = 'made-up'
CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS
"""
ALL = """
MATCH (n) OPTIONAL MATCH (n)-[r]->(m)
RETURN labels(n) AS labels, properties(n) AS properties, collect([type(r), m.id]) AS edges
"""


@pytest.fixture(autouse=True)
def folder(
    server: ManagedServer, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The working folder, with `shelves.csv`. The store is what the tests share, and is left without these trees."""
    environment: dict[str, str | None] = {
        "NEO4J_URI": server.status().bolt_uri,
        "NEO4J_PASSWORD": server.password(),
        "TWOHOP_HOME": str(tmp_path / "home"),
        "TWOHOP_STORE": "small-shop",
        "COLUMNS": "160",
    }
    enter(monkeypatch, tmp_path, environment)
    (tmp_path / "shelves.csv").write_text(TREE, encoding="utf-8")
    database.write_in_batches(CLEAR, {"trees": TREES})
    yield tmp_path
    database.write_in_batches(CLEAR, {"trees": TREES})


def dump(database: Database) -> list[str]:
    return sorted(repr({**row, "edges": sorted(map(str, row["edges"]))}) for row in database.read(ALL))


def shape(database: Database, tree: str = "shelves") -> dict[str, str | None]:
    return {node.id: node.parent for node in read_tree(database, tree).nodes.values()}


# load


def test_load_prints_what_it_loaded(database: Database) -> None:
    result = twohop("browse", "load", "shelves.csv")
    assert result.exit_code == 0, result.stderr
    title, *rows = result.stdout.splitlines()
    assert title == "The tree shelves: 3 nodes"
    words = [row.split() for row in rows]
    assert ["names", "in", "nodes", "without"] in words
    assert ["de", "2", "1"] in words
    assert ["pt_br", "1", "2"] in words
    assert shape(database) == {"shelves:1": None, "shelves:2": "shelves:1", "shelves:3": "shelves:1"}
    assert "Writing the tree shelves" in result.stderr
    assert "twohop: " not in result.stderr


def test_the_same_load_again_changes_nothing(database: Database) -> None:
    first = twohop("browse", "load", "shelves.csv")
    before = dump(database)
    second = twohop("browse", "load", "shelves.csv")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout == second.stdout
    assert dump(database) == before


def test_a_newer_version_takes_the_place_of_the_older(folder: Path, database: Database) -> None:
    assert twohop("browse", "load", "shelves.csv").exit_code == 0
    (folder / "shelves.csv").write_text("id,name,parent\n3,Party,\n4,New,3\n1,Food,4\n", encoding="utf-8")
    assert twohop("browse", "load", "shelves.csv").stdout == "The tree shelves: 3 nodes\n"
    assert shape(database) == {"shelves:3": None, "shelves:4": "shelves:3", "shelves:1": "shelves:4"}
    assert answer("browse", "show", "shelves:3") | {
        "name": "Party",
        "node_class": None,
        "class_source": None,
    } == answer("browse", "show", "shelves:3")


def test_a_tree_by_another_name_stands_beside_the_first(folder: Path, database: Database) -> None:
    (folder / "other.jsonl").write_text('{"id": 1, "name": "漢字", "parent": null}\n', encoding="utf-8")
    for words in (("shelves.csv",), ("shelves.csv", "--tree", "mine"), ("other.jsonl",)):
        assert twohop("browse", "load", *words).exit_code == 0
    assert len(shape(database)) == len(shape(database, "mine")) == 3
    assert shape(database, "other") == {"other:1": None}
    assert answer("browse", "show", "other:1")["name"] == "漢字"


@pytest.mark.parametrize("given", ["--data", "TWOHOP_DATA"])
def test_google_in_the_folder_of_the_raw_data(
    folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    place = folder / "raw" / "taxonomies" / "google"
    place.mkdir(parents=True)
    text = "# Google_Product_Taxonomy_Version: 2019-07-10\n1 - Animals\n2 - Animals > Pets\n"
    (place / "taxonomy-with-ids.en-US.txt.gz").write_bytes(gzip.compress(text.encode()))
    (place / "taxonomy-with-ids.de-DE.txt").write_text("1 - Tiere\n", encoding="utf-8")
    words = ["--data", str(folder / "raw")] if given == "--data" else []
    monkeypatch.setenv("TWOHOP_DATA", str(folder / ("none" if words else "raw")))
    result = twohop("browse", "load", "google", *words)
    assert result.stdout.startswith("The tree google, version 2019-07-10: 2 nodes\n")
    assert answer("browse", "show", "google:2")["path"] == "Animals > Pets"


@pytest.mark.data
def test_the_real_google(data_folder: Path) -> None:
    result = twohop("browse", "load", "google", "--data", str(data_folder))
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("The tree google, version 2019-07-10: 5,582 nodes\n")
    words = [row.split() for row in result.stdout.splitlines()]
    assert ["ja_jp", "5,424", "158"] in words
    assert ["zh_cn", "5,427", "155"] in words
    birds = answer("browse", "show", "google:3")
    assert birds["path"] == "Animals & Pet Supplies > Pet Supplies > Bird Supplies"


# show


def test_show_as_json() -> None:
    twohop("browse", "load", "shelves.csv")
    assert answer("browse", "show", "shelves:2") == {
        "id": "shelves:2",
        "name": "Cheese [🧀]",
        "tree": "shelves",
        "level": 1,
        "node_class": "category",
        "class_source": "source",
        "class_confidence": 1.0,
        "path": "Food & Drink > Cheese [🧀]",
        "serves": [],
        "parent": "shelves:1",
        "children": 0,
        "items": 0,
    }
    top = answer("browse", "show", "shelves:1")
    assert (top["path"], top["level"], top["node_class"]) == ("Food & Drink", 0, None)


def test_show_for_people(database: Database) -> None:
    twohop("browse", "load", "shelves.csv")
    assert twohop("browse", "show", "shelves:2").stdout.splitlines() == [
        "Food & Drink > Cheese [🧀] [shelves:2]",
        "tree shelves, category (by source)",
        "It serves no intent.",
    ]
    assert twohop("browse", "show", "shelves:1").stdout.splitlines() == [
        "Food & Drink [shelves:1]",
        "It serves no intent.",
    ]
    write_classes(database, [{"id": "shelves:1", "class": "alias", "source": "classifier", "confidence": 0.876}])
    assert "tree shelves, alias (by classifier, confidence 0.88)" in twohop("browse", "show", "shelves:1").stdout


def test_an_unknown_node() -> None:
    assert refused("browse", "show", "google:none") == "twohop: browse node 'google:none' is not in the graph"
    assert refused("browse", "show", "none", "--json") == "twohop: browse node 'none' is not in the graph"


# Errors


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "shelves.csv: the tree is empty; nothing was written"),
        ("id,name,parent\n", "shelves.csv: the tree is empty; nothing was written"),
        ("id,name\n1,A\n", "shelves.csv: column 'parent' is missing: a tree has the columns id, name and parent"),
        ("id,name,parent\n1,A,2\n2,B,1\n", "stands in or below a cycle (1 more like it); nothing was written"),
        ("id,name,parent\n1,A,9\n", "node '1' has a parent that is not there; nothing was written"),
        ("id,name,parent\n1,A,1\n", "node '1' is its own parent; nothing was written"),
        ("id,name,parent\n1,A,\n1,B,\n", "node '1' is there twice; nothing was written"),
        ("id,name,parent\n1,,\n", "node '1' has no name; nothing was written"),
        ("id,name,parent,class\n1,A,,shelf\n", "class 'shelf' is none of category, assortment, alias"),
        ("id,name,parent\n1,A,,\n", "shelves.csv, line 2: has 4 fields instead of 3; nothing was written"),
    ],
)
def test_a_bad_tree_is_one_line_and_writes_nothing(folder: Path, database: Database, text: str, why: str) -> None:
    assert twohop("browse", "load", "shelves.csv").exit_code == 0
    before = dump(database)
    (folder / "shelves.csv").write_text(text, encoding="utf-8")
    line = refused("browse", "load", "shelves.csv")
    assert line.startswith("twohop: shelves.csv")
    assert line.endswith(why)
    assert dump(database) == before
    assert not (folder / "home").exists()


def test_sources_that_are_not_there(folder: Path) -> None:
    (folder / "damaged.csv.gz").write_bytes(gzip.compress(TREE.encode() * 9)[:-9])
    advice = "name google or shopify, or a file with the columns id, name and parent"
    assert refused("browse", "load", "none.csv") == f"twohop: tree none.csv: no such file: {advice}"
    assert refused("browse", "load", "amazon") == f"twohop: tree amazon: no such file: {advice}"
    assert refused("browse", "load", "google").startswith("twohop: taxonomy google: no folder ")
    assert refused("browse", "load", "shopify", "--data", ".").startswith("twohop: taxonomy shopify: no folder ")
    assert refused("browse", "load", "damaged.csv.gz").startswith("twohop: file damaged.csv.gz: is damaged (")
    assert refused("browse", "load", "shelves.csv", "--tree", "Meine").startswith("twohop: 'Meine' cannot be the name")


def test_a_tree_cannot_take_the_name_of_the_store(database: Database) -> None:
    database.write("OPTIONAL MATCH (s:Source) WITH s WHERE s IS NULL CREATE (:Source {id: 'made-up'})")
    source = stored_source(database)
    assert source
    before = dump(database)
    line = refused("browse", "load", "shelves.csv", "--tree", source.id)
    assert line == f"twohop: {source.id} is the store's own tree: give this one another name (--tree)"
    assert dump(database) == before


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"bolt://127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("NEO4J_URI", address)
    assert refused("browse", "load", "shelves.csv").startswith(f"twohop: {address}: ")
    assert refused("browse", "show", "shelves:1").startswith(f"twohop: {address}: ")


@pytest.mark.parametrize(
    "words", [("browse",), ("browse", "load"), ("browse", "show"), ("browse", "load", "a", "b"), ("browse", "burn")]
)
def test_wrong_usage(words: tuple[str, ...]) -> None:
    result = twohop(*words)
    assert result.exit_code == 2
    assert result.stderr or result.stdout
