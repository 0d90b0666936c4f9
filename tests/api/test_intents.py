"""Shopping intents by the command itself: on the small shop, beside a small tree and with a small table of intents."""

import csv
import json
import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.demo import prepare_intents
from graph.driver import Database, connect
from graph.settings import load_settings
from tests.api.conftest import Line, answer, enter, refused, twohop
from tests.api.web.conftest import open_client

TREE = {
    "Grilling": [
        "Grills",
        "Charcoal",
        "Grill Tongs",
        "Barbecue Sauce",
        "Burger Buns",
        "Steaks",
        "Fire Starters",
        "Aprons",
    ],
    "Baking": [
        "Flour",
        "Sugar",
        "Cake Pans",
        "Mixing Bowls",
        "Rolling Pins",
        "Oven Mitts",
        "Vanilla",
        "Cookie Cutters",
    ],
    "Gardening": [
        "Seeds",
        "Potting Soil",
        "Watering Cans",
        "Garden Gloves",
        "Rakes",
        "Plant Pots",
        "Hoses",
        "Fertilizer",
    ],
    "Office Work": ["Pens", "Paper", "Staplers", "Desk Lamps", "Binders", "Sticky Notes", "Printers", "Envelopes"],
}
ALL_LINKS = """
MATCH (a)-[r:SERVES|NEEDS|COMPLEMENTS|DROPPED]->(b)
RETURN a.id AS a, type(r) AS type, properties(r) AS properties, b.id AS b
"""
SENTENCES = {
    "Grilling": "prepare for a grill party",
    "Baking": "bake cakes and cookies",
    "Gardening": "grow a garden",
    "Office Work": "set up an office",
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    rows = [
        {
            "id": SENTENCES[group].replace(" ", "-"),
            "sentence": SENTENCES[group],
            "say": [f"{group.lower()} for beginners", f"everything for {group.lower()}"],
            "department": group,
            "needs": [f"{group} > {name}" for name in names[:6]],
            "forgotten": [f"{group} > {name}" for name in names[6:]],
            "excludes": [next(f"{other} > {TREE[other][0]}" for other in TREE if other != group)],
        }
        for group, names in TREE.items()
    ]
    (folder / "all.yaml").write_text(yaml.safe_dump(rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def made(line: Line, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The small shop after all steps; afterwards without what they added."""
    file = tmp_path_factory.mktemp("trees") / "mini.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(["id", "name", "parent", "class"])
        for group, names in TREE.items():
            writer.writerow([group, group, "", "assortment"])
            writer.writerows([name, name, group, "category"] for name in names)
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, line.folder, line.environment)
        for words in (
            ("browse", "load", str(file)),
            ("intents", "mine", "--table", str(table)),
            ("intents", "train", "--epochs", "1", "--no-measure"),
            ("intents", "link", "--covered-days", "0"),
        ):
            result = twohop(*words)
            assert result.exit_code == 0, result.stderr
        settings = load_settings()
    with connect(settings) as database:
        yield database
        database.write("MATCH (n:Intent|Tree|Query) DETACH DELETE n")
        database.write("MATCH (n:BrowseNode {tree: 'mini'}) DETACH DELETE n")
        database.write("MATCH (s:Serving {id: 'intents'}) DELETE s")
        database.write("MATCH (u:User) REMOVE u.pursues_state")


@pytest.fixture
def linked(made: Database, shop: Line) -> Database:
    """The store of the commands, with its intents."""
    return made


def test_a_text_finds_the_categories_that_it_takes(linked: Database) -> None:
    lines = twohop(
        "intents", "categories", "have a barbecue", "sow and water plants", "--tree", "mini", "--k", "8", "--json"
    )
    assert lines.exit_code == 0, lines.stderr
    grill, garden = (json.loads(line) for line in lines.stdout.splitlines())
    assert grill["text"] == "have a barbecue"
    assert [set(row) for row in grill["categories"]] == [{"id", "path", "score"}] * 8
    assert sum(row["path"].startswith("Grilling > ") for row in grill["categories"]) >= 6
    assert sum(row["path"].startswith("Gardening > ") for row in garden["categories"]) >= 6
    scores = [row["score"] for row in grill["categories"]]
    assert scores == sorted(scores, reverse=True)


def test_texts_come_from_a_file_one_a_line(linked: Database, tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("bake a cake\n\n  write   letters \n", encoding="utf-8")
    shown = twohop("intents", "categories", "--file", str(file), "--tree", "mini", "--k", "1", "--json")
    assert [json.loads(line)["text"] for line in shown.stdout.splitlines()] == ["bake a cake", "write letters"]


def test_more_than_the_tree_holds_gives_all_of_it(linked: Database) -> None:
    shown = twohop("intents", "categories", "bake a cake", "--tree", "mini", "--k", "500", "--json")
    found = json.loads(shown.stdout)["categories"]
    assert len(found) == len({row["id"] for row in found}) == sum(map(len, TREE.values()))


def test_a_user_pursues_what_the_own_group_serves(linked: Database) -> None:
    found = answer("intents", "of", "u00")  # buys nearly all from the group Grill
    assert found["user"] == "u00"
    best = found["intents"][0]
    assert best["sentence"] == "prepare for a grill party"
    assert best["activeness"] == 7
    assert {"id", "sentence", "score", "recency", "activeness", "first_time", "last_time", "had", "needs"} == set(best)


def test_the_score_is_that_of_the_paper(linked: Database) -> None:
    """Eq. 2 and 3 by hand, at another time and with other parameters."""
    words = (
        "--now",
        "2024-03-01T12:00:00+00:00",
        "--lambda",
        "0.5",
        "--tau",
        "2",
        "--alpha",
        "2.2",
        "--epsilon",
        "2.5",
    )
    for one in answer("intents", "of", "u00", *words)["intents"]:
        age = (
            datetime.fromisoformat("2024-03-01T12:00:00+00:00") - datetime.fromisoformat(one["last_time"])
        ).total_seconds()
        recency = 1 / (1 + (2.5 / 2.2) ** (age / 86_400 - 10))
        assert one["recency"] == pytest.approx(recency, rel=1e-9)
        assert one["score"] == pytest.approx(math.sqrt(recency) * one["activeness"] ** 2, rel=1e-9)


def test_years_later_nothing_overflows(linked: Database) -> None:
    found = answer("intents", "of", "u00", "--now", "9999-01-01")["intents"]
    assert found
    assert all(one["score"] < 1e-100 for one in found)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("of", "nobody"), "user 'nobody' is not in the graph"),
        (("of", "u00", "--alpha", "3"), "must be below base"),
        (("of", "u00", "--alpha", "nan"), "leniency"),
        (("of", "u00", "--lambda=-1"), "recency_power"),
        (("link", "--now", "2020-01-01"), "in the future of that time"),
        (("categories", "anything", "--tree", "nowhere"), "the browse tree 'nowhere' has no vectors"),
        (("show", "nothing"), "intent 'nothing' is not in the graph"),
        (("train", "--base", "/no/such/model"), "model /no/such/model cannot be loaded"),
        (("mine", "--table", "/no/such/folder"), "folder /no/such/folder: not there"),
        (("queries", "/no/such/file.csv"), "query table /no/such/file.csv: not there"),
    ],
)
def test_what_cannot_be_gets_one_line(linked: Database, words: tuple[str, ...], said: str) -> None:
    assert said in refused("intents", *words)


def test_only_changed_users_are_worked_out_anew(linked: Database) -> None:
    assert "of 0 users" in twohop("intents", "link", "--users-only").stdout
    linked.write("MATCH (:User {id: 'u03'})-[r:INTERACTED]->() WITH r LIMIT 1 SET r.count = r.count + 1")
    try:
        assert "of 1 users" in twohop("intents", "link", "--users-only").stdout
    finally:
        linked.write("MATCH (:User {id: 'u03'})-[r:INTERACTED]->() WHERE r.count > 1 SET r.count = r.count - 1")
    assert "of 40 users" in twohop("intents", "link", "--users-only", "--tau", "2").stdout
    assert "of 40 users" in twohop("intents", "link", "--users-only").stdout


def test_complements_name_their_reason(linked: Database) -> None:
    found = answer("complements", "mini:Grills")
    paths = [row["path"] for row in found["categories"]]
    assert len(paths) == 7
    assert all(path.startswith("Grilling > ") for path in paths)
    assert {row["sentence"] for row in found["categories"]} == {"prepare for a grill party"}


def test_rules_of_ones_own_say_what_they_dropped(linked: Database, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text('- {rule: age-restricted, groups: {fire: "Fire Starters"}, children: "^$"}\n', encoding="utf-8")
    assert twohop("intents", "link", "--tree", "mini", "--rules", str(rules), "--covered-days", "0").exit_code == 0
    try:
        found = answer("complements", "mini:Grills", "--why")
        assert [row["name"] for row in found["dropped"]] == ["Fire Starters"]
        assert found["dropped"][0]["rule"] == "age-restricted"
        assert "fire only completes fire" in found["dropped"][0]["why"]
        assert "Grilling > Fire Starters" not in [row["path"] for row in found["categories"]]
    finally:
        assert twohop("intents", "link", "--covered-days", "0").exit_code == 0


def test_linking_again_changes_nothing(linked: Database) -> None:
    def links() -> list[Any]:
        return sorted(map(repr, linked.read(ALL_LINKS)))

    before = links()
    assert twohop("intents", "link", "--covered-days", "0").exit_code == 0
    assert links() == before


def test_contents_are_ranked_by_both_embeddings(linked: Database, tmp_path: Path) -> None:
    for embedding in ("intent", "baseline"):
        found = answer("contents", "rank", "u00", "--embedding", embedding)
        assert found["embedding"] == embedding
        assert found["contents"][0]["name"] == "Grill"
    own = tmp_path / "slots.json"
    own.write_text('{"left": ["g00", "g01"], "right": ["g45"]}', encoding="utf-8")
    found = answer("contents", "rank", "u00", "--contents", str(own))
    assert [(one["name"], one["items"]) for one in found["contents"]] == [("left", 2), ("right", 1)]
    own.write_text('{"left": ["nothing"]}', encoding="utf-8")
    assert "not in the graph: item 'nothing'" in refused("contents", "rank", "u00", "--contents", str(own))


def test_an_empty_query_table_changes_nothing(linked: Database, tmp_path: Path) -> None:
    good, empty = tmp_path / "queries.csv", tmp_path / "empty.csv"
    good.write_text("query,category,count\ngrill party,Grilling > Grills,5\nbbq,mini:Charcoal,2\n", encoding="utf-8")
    assert "2 queries" in twohop("intents", "queries", str(good), "--tree", "mini").stdout
    empty.write_text("query,category,count\n", encoding="utf-8")
    assert "is empty" in refused("intents", "queries", str(empty), "--tree", "mini")
    assert linked.read("MATCH (q:Query)-[r:MAPS_TO]->(n) RETURN q.id AS q, r.count AS c, n.id AS n ORDER BY q") == [
        {"q": "bbq", "c": 2.0, "n": "mini:Charcoal"},
        {"q": "grill party", "c": 5.0, "n": "mini:Grills"},
    ]
    good.write_text("query,category,count\nx,Nowhere,1\n", encoding="utf-8")
    assert "category 'Nowhere' is no id and no path" in refused("intents", "queries", str(good), "--tree", "mini")


def test_rest_answers_the_same(linked: Database) -> None:
    with open_client() as client:
        assert client.get("/users/u00/intents").json() == answer("intents", "of", "u00")
        assert client.get("/users/u00/complements").json() == answer("complements", "u00", "--user")
        assert client.get("/items/g00/complements").json() == answer("complements", "g00")
        found = client.get("/browse/mini:Grills/complements").json()["categories"]
        assert found == answer("complements", "mini:Grills")["categories"]
        words = ("--lambda", "0.5", "--tau", "100", "--alpha", "2.2", "--epsilon", "2.5")
        given = {"lambda": 0.5, "tau": 100, "alpha": 2.2, "epsilon": 2.5}
        assert client.get("/users/u00/intents", params=given).json() == answer("intents", "of", "u00", *words)
        for wrong in ({"alpha": 2.72}, {"epsilon": 1.9}, {"alpha": 3, "epsilon": 3}):  # the other one as it was stored
            refusal = client.get("/users/u00/intents", params=wrong)
            assert (refusal.status_code, "must be below base" in refusal.json()["detail"]) == (422, True)
        assert client.get("/users/u00/intents", params={"tau": 101}).status_code == 422
        assert client.get("/users/nobody/intents").status_code == 404
        assert client.get("/browse/nothing/complements").status_code == 404


def test_the_demo_does_only_what_is_left(linked: Database) -> None:
    assert prepare_intents(load_settings(), linked) == []


def test_what_people_see(linked: Database) -> None:
    shown = twohop("intents", "of", "u00").stdout
    assert "User u00 is up to" in shown
    assert "prepare for a grill party" in shown
    assert "Grilling > Charcoal" in twohop("complements", "mini:Grills").stdout
    assert (
        "to prepare for a grill party" in twohop("complements", "u00", "--user").stdout
        or "nothing" in twohop("complements", "u00", "--user").stdout
    )
    assert "assortment (by source)" in twohop("browse", "show", "mini:Grilling").stdout
    assert "Charcoal" in twohop("intents", "show", "prepare-for-a-grill-party", "--tree", "mini").stdout
