"""What is kept of items and browse nodes, and until when; the rows are made up, as other tests read real ones."""

from typing import Any

import pytest

from graph.driver import Row
from graph.excerpt import Excerpt, Profiles
from graph.statements import statement

PARENTS = {"grill": ["outdoor"], "tents": ["outdoor"], "outdoor": ["all"], "all": []}
NODES = {"charcoal": "grill", "tongs": "grill", "tent": "tents"}


class Graph:
    """Answers the two statements that excerpts are made of, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.brand = "old"
        self.intents = ["grill party"]

    def __call__(self, query: str, parameters: Any) -> list[Row]:
        if query == statement("item_profiles"):
            ids = parameters["items"]
            profile = [None] * len(parameters["profile"])
            rows = [[one, one, self.brand, 1.0, 5, profile, [NODES[one]]] for one in ids if one in NODES]
            found = {"names": ["id", "title", "brand", "price", "popularity", "profile", "nodes"], "items": rows}
        else:
            ids = parameters["nodes"]
            above = {up for one in ids for up in (one, *PARENTS[one], "all")}
            rows = [[one, 0, PARENTS[one], self.intents if one == "grill" else []] for one in sorted(above)]
            found = {"names": ["id", "level", "parents", "intents"], "nodes": rows}
        self.asked.append(ids)
        return [found]


@pytest.fixture
def graph() -> Graph:
    return Graph()


def parts(data: Excerpt) -> tuple[Any, ...]:
    nodes = data["browse_node"]
    return list(data["item"].id), list(data["item"].brand), list(nodes.id), data.parents, data.served


def test_what_is_kept_is_not_asked_for_again(graph: Graph) -> None:
    profiles = Profiles()
    first = profiles.read(graph, ["tongs", "charcoal", "nothing"])
    assert graph.asked == [["charcoal", "nothing", "tongs"], ["grill"]]
    assert parts(profiles.read(graph, ["charcoal", "tongs"])) == parts(first)
    assert len(graph.asked) == 2
    assert parts(profiles.read(graph, ["charcoal", "tent"])) == parts(Profiles().read(graph, ["charcoal", "tent"]))
    assert graph.asked[2:4] == [["tent"], ["tents"]]


def test_a_changed_item_is_read_anew(graph: Graph) -> None:
    profiles = Profiles()
    profiles.read(graph, ["charcoal", "tongs"])
    graph.brand = "new"
    profiles.forget_item("tongs")
    assert profiles.read(graph, ["charcoal", "tongs"])["item"].brand == ["old", "new"]
    profiles.forget_nodes()
    assert profiles.read(graph, ["charcoal", "tongs"])["item"].brand == ["new", "new"]


def test_a_row_that_was_read_before_a_change_is_not_kept(graph: Graph) -> None:
    profiles = Profiles()

    def changing(query: str, parameters: Any) -> list[Row]:
        rows = graph(query, parameters)
        graph.brand = "new"
        profiles.forget_item("tongs")
        return rows

    assert profiles.read(changing, ["tongs"])["item"].brand == ["old"]
    assert profiles.read(graph, ["tongs"])["item"].brand == ["new"]


def test_new_links_and_another_profile_are_read_anew(graph: Graph) -> None:
    profiles = Profiles()
    assert profiles.read(graph, ["tongs"], links="1").served == {"grill": ["grill party"]}
    graph.intents = ["feed the cat"]
    assert profiles.read(graph, ["tongs"], links="1").served == {"grill": ["grill party"]}
    assert profiles.read(graph, ["tongs"], links="2").served == {"grill": ["feed the cat"]}
    asked = len(graph.asked)
    profiles.read(graph, ["tongs"], ["colour"], links="2")
    assert graph.asked[asked:] == [["tongs"]]


def test_a_reader_without_intents_takes_what_there_is(graph: Graph) -> None:
    profiles = Profiles()
    profiles.read(graph, ["tongs"], links="1")
    assert parts(profiles.read(graph, ["tongs"]))[:3] == (["tongs"], ["old"], ["all", "grill", "outdoor"])
    profiles.read(graph, ["tongs"], links="1")
    assert graph.asked == [["tongs"], ["grill"]]


def test_everything_is_read_anew_after_a_while(graph: Graph) -> None:
    profiles = Profiles(seconds=0.0)
    profiles.read(graph, ["tongs"])
    profiles.read(graph, ["tongs"])
    assert graph.asked == [["tongs"], ["grill"]] * 2
