"""Every `.cypher` file runs as it is with the parameters of its header, and has its function beside it."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import cypher
from graph.constraints import create_constraints
from graph.driver import Database
from graph.generations import switch, write_generation
from tests.weighted_graph import star

FOLDER = Path(cypher.__file__).parent
STEMS = sorted(path.stem for path in FOLDER.glob("*.cypher"))
PARAMETER = re.compile(r"^// :param (\w+) => (.+?);\s+(\S.*)$", re.MULTILINE)
TREE = """
CREATE (root:BrowseNode {id: '1', name: 'Food', level: 1})
CREATE (leaf:BrowseNode {id: '2', name: 'Cheese', level: 2})-[:CHILD_OF]->(root)
WITH leaf MATCH (i:Item) SET i.created = datetime({epochSeconds: 7}) CREATE (i)-[:IN_CATEGORY]->(leaf)
WITH DISTINCT leaf MATCH (u:User {id: '1'}), (i:Item {id: '1'}) CREATE (u)-[:HELD_OUT]->(i)
"""
# Cheese serves a party, which needs crackers too, but no wine.
INTENTS = """
MATCH (root:BrowseNode {id: '1'}), (cheese:BrowseNode {id: '2'})
SET root.tree = 'shop', cheese.tree = 'shop', cheese.embedding = [1.0, 0.0], cheese.embedding_baseline = [0.0, 1.0]
CREATE (crackers:BrowseNode:ProductCategory {id: '3', name: 'Crackers', level: 2, tree: 'shop', embedding: [0.8, 0.6],
        embedding_baseline: [0.6, 0.8]})-[:CHILD_OF]->(root)
CREATE (wine:BrowseNode:ProductCategory {id: '4', name: 'Wine', level: 2, tree: 'shop'})-[:CHILD_OF]->(root)
CREATE (party:Intent {id: 'party', sentence: 'prepare for a party', source: 'table', department: 'Food',
        says: ['party food'], embedding: [1.0, 0.0]})
CREATE (cheese)-[:SERVES {confidence: 0.9, rank: 1, source: 'hand', support: 0.0}]->(party)
CREATE (party)-[:NEEDS {score: 1.0, rank: 1, source: 'table'}]->(cheese)
CREATE (party)-[:NEEDS {score: 0.8, rank: 2, source: 'table'}]->(crackers)
CREATE (cheese)-[:COMPLEMENTS {intent: 'party', score: 0.7, rank: 1}]->(crackers)
CREATE (cheese)-[:DROPPED {intent: 'party', rule: 'age-restricted', why: 'alcohol only completes alcohol'}]->(wine)
CREATE (:Item {id: 'dip', title: 'Round crackers', popularity: 3})-[:IN_CATEGORY]->(crackers)
CREATE (:Serving {id: 'intents', tree: 'shop', links: 1, now: 7.0, covered_days: 28, lambda: 1.0, tau: 1.0, alpha: 2.0,
        epsilon: 2.718281828459045})
WITH party MATCH (u:User {id: '1'})
CREATE (u)-[:PURSUES {score: 1.9, recency: 0.95, activeness: 2, rank: 1, first_time: datetime({epochSeconds: 7}),
        last_time: datetime({epochSeconds: 7}), categories: ['2']}]->(party)
"""


def header(stem: str, database: Database) -> dict[str, object]:
    """The example parameters, worked out by Neo4j itself."""
    found = PARAMETER.findall((FOLDER / f"{stem}.cypher").read_text("utf-8"))
    return {name: database.read(f"RETURN {value} AS value")[0]["value"] for name, value, _ in found}


@pytest.fixture(scope="module")
def graph(database: Database) -> Database:
    """Users `1` and `new`, items `1`, `2`, `3`: the ids of the examples."""
    create_constraints(database)
    small = star(2.0, ("2", "3"))
    for weights in (small.similar, small.available, small.item_direct):
        weights["1"] = weights.pop("a")
    small.triggers = {"1": {"1": 1.0}, "new": {}}
    small.user_direct = {"1": [1.0], "new": [1.0]}
    small.write(database)
    database.write(TREE)
    database.write(INTENTS)
    create_constraints(database)  # waits until the vector indexes have seen the nodes
    generation = write_generation(database, small.weights(), model="pdn", data="tests", artefact="sha", metrics={})
    switch(database, generation)
    return database


def test_files_are_found() -> None:
    assert {"recommend", "rank", "similar", "explain", "popular", "triggers", "subtree"} <= set(STEMS)


def test_every_file_has_its_function_and_every_module_its_file() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "filters"}
    assert modules == set(STEMS)
    for stem in STEMS:
        assert callable(getattr(import_module(f"cypher.{stem}"), stem))


@pytest.mark.parametrize("stem", STEMS)
def test_the_header_names_every_parameter(stem: str) -> None:
    text = (FOLDER / f"{stem}.cypher").read_text("utf-8")
    body = re.sub(r"//.*", "", text)
    assert set(re.findall(r"\$(\w+)", body)) == {name for name, _, _ in PARAMETER.findall(text)}
    assert text.startswith("// ")


@pytest.mark.parametrize("stem", STEMS)
def test_it_parses_with_the_parameters_of_its_header(stem: str, graph: Database) -> None:
    graph.read("EXPLAIN " + (FOLDER / f"{stem}.cypher").read_text("utf-8"), header(stem, graph))


@pytest.mark.parametrize("stem", STEMS)
def test_it_runs_with_the_parameters_of_its_header(stem: str, graph: Database) -> None:
    changed = {"items": 1} if stem == "sample" else {}
    rows = graph.read((FOLDER / f"{stem}.cypher").read_text("utf-8"), header(stem, graph) | changed)
    assert rows, "the example shows nothing"


def test_recommend_touches_nothing_that_it_does_not_need(graph: Database) -> None:
    """Users and generations by index; no scan, no label check after an expansion, one aggregation."""
    text = (FOLDER / "recommend.cypher").read_text("utf-8")
    with graph.driver.session(database=graph.name) as session:
        plan = session.run("EXPLAIN " + text, header("recommend", graph)).consume().plan
    operators: list[tuple[str, str]] = []

    def walk(node: dict[str, Any]) -> None:
        operators.append((str(node["operatorType"]).split("@")[0], str(node["args"].get("Details"))))
        for child in node.get("children", []):
            walk(child)

    walk(plan)
    names = [name for name, _ in operators]
    assert ("NodeUniqueIndexSeek", "UNIQUE u:User(id) WHERE id = $user") in operators
    assert "AllNodesScan" not in names
    scans = [details for name, details in operators if name == "NodeByLabelScan"]
    assert all("Serving" in details for details in scans)
    assert names.count("EagerAggregation") == 1
    assert "Eager" not in names
    assert not [details for name, details in operators if name == "Filter" and ":Item" in details]
