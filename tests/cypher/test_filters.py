"""What queries give under filters is what plain Python leaves of a random shop; k items come whenever there are k."""

import math
import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cypher.filters import Filters
from cypher.item_complements import item_complements
from cypher.newest import newest
from cypher.popular import popular
from cypher.recommend import recommend
from cypher.recommend_session import recommend_session
from cypher.search_items import lucene, search_items
from cypher.similar import similar
from cypher.user_complements import user_complements
from graph.constraints import create_constraints
from graph.driver import Database
from graph.errors import NotFound
from graph.generations import switch, write_generation
from tests.weighted_graph import WeightedGraph

EXAMPLES = int(os.environ.get("TWOHOP_EXAMPLES", "25"))  # random graphs; make faults sets more
START = datetime(2024, 1, 1, tzinfo=UTC)
MOST = 1000
SHELVES = """
UNWIND $nodes AS node
CREATE (n:BrowseNode {id: node.id, name: node.id, tree: 'shop', level: node.level})
WITH count(*) AS nodes
CALL () {
  UNWIND $parents AS pair
  MATCH (n:BrowseNode {id: pair[0]}), (parent:BrowseNode {id: pair[1]})
  CREATE (n)-[:CHILD_OF]->(parent)
}
CALL () {
  UNWIND $items AS one
  MATCH (i:Item {id: one.id})
  SET i.price = one.price, i.popularity = one.popularity, i.created = one.created
  WITH i, one UNWIND one.nodes AS node
  MATCH (n:BrowseNode {id: node})
  CREATE (i)-[:IN_CATEGORY]->(n)
}
RETURN 1 AS done
"""
# One intent, which the user u0 pursues: it needs every browse node, in their order, and completes some with others.
INTENT = """
CREATE (:Serving {id: 'intents', tree: 'shop', now: 7, covered_days: 28})
CREATE (party:Intent {id: 'party', sentence: 'prepare for a party'})
WITH party
MATCH (u:User {id: 'u0'})
CREATE (u)-[:PURSUES {rank: 1, categories: []}]->(party)
WITH party
UNWIND $nodes AS node
MATCH (n:BrowseNode {id: node.id})
CREATE (party)-[:NEEDS {rank: node.rank, score: 1.0}]->(n)
WITH count(*) AS needs
UNWIND $complements AS one
MATCH (a:BrowseNode {id: one[0]}), (b:BrowseNode {id: one[1]})
CREATE (a)-[:COMPLEMENTS {intent: 'party', score: one[2]}]->(b)
"""


@dataclass
class Shop:
    """A weighted graph with a tree: `parent` of each node, the nodes of each item, and what filters ask for."""

    graph: WeightedGraph
    parent: dict[str, str | None]
    nodes: dict[str, list[str]]
    price: dict[str, float | None]
    popularity: dict[str, int]
    created: dict[str, datetime | None]
    complements: list[tuple[str, str, float]] = field(default_factory=list)

    def write(self, database: Database) -> None:
        self.graph.write(database)
        items = [
            {"id": item, "price": self.price[item], "popularity": self.popularity[item], "created": self.created[item],
             "nodes": self.nodes[item]}
            for item in self.nodes
        ]  # fmt: skip
        nodes = [
            {"id": node, "rank": rank, "level": len(self.above(node))} for rank, node in enumerate(self.parent, start=1)
        ]
        parents = [[node, parent] for node, parent in self.parent.items() if parent]
        database.write(SHELVES, {"nodes": nodes, "parents": parents, "items": items})
        database.write(INTENT, {"nodes": nodes, "complements": [list(one) for one in self.complements]})
        switch(
            database,
            write_generation(database, self.graph.weights(), model="pdn", data="tests", artefact="sha", metrics={}),
        )

    def above(self, node: str) -> list[str]:
        """The node and all above it."""
        parent = self.parent[node]
        return [node, *(self.above(parent) if parent else [])]

    def within(self, item: str, node: str) -> bool:
        return any(node in self.above(own) for own in self.nodes[item])

    def passes(self, item: str, filters: Filters) -> bool:
        price = self.price[item]
        return (
            self.graph.available[item] is not False
            and item not in filters.exclude
            and (filters.category is None or self.within(item, filters.category))
            and (filters.min_price is None or (price is not None and price >= filters.min_price))
            and (filters.max_price is None or (price is not None and price <= filters.max_price))
        )

    def popular(self, filters: Filters, left_out: Iterable[str] = ()) -> list[str]:
        found = [item for item in self.nodes if item not in set(left_out) and self.passes(item, filters)]
        return sorted(found, key=lambda item: (-self.popularity[item], item))

    def complete(self, item: str, each: int, filters: Filters) -> list[tuple[str, str]]:
        """(item, category): what `item_complements` gives, all of it."""
        own = {node for leaf in self.nodes[item] for node in self.above(leaf)}
        scores = {end: max(s for a, b, s in self.complements if a in own and b == end)
                  for start, end, _ in self.complements if start in own}  # fmt: skip
        placed = [
            (place, -score, other, category)
            for category, score in scores.items()
            for place, other in enumerate(
                [one for one in self.popular(filters, [item]) if self.within(one, category)][:each]
            )
        ]
        first: dict[str, tuple[int, float, str, str]] = {}
        for one in sorted(placed):
            first.setdefault(one[2], one)
        return [(one[2], one[3]) for one in sorted(first.values())]

    def need(self, each: int, m: int, k: int, filters: Filters) -> list[tuple[str, str]]:
        """(item, category): what `user_complements` gives for u0, all of it."""
        had = self.graph.seen("u0")
        reached = {item: sum(paths.values()) for item, paths in self.graph.paths("u0", m, k).items()}
        placed = []
        for rank, category in enumerate(self.parent):
            if any(self.within(item, category) for item in had):
                continue
            there = [one for one in self.popular(filters) if self.within(one, category)]
            scored = sorted((one for one in there if one in reached), key=lambda one: (-round(reached[one], 9), one))
            chosen = (scored[:each] + [one for one in there if one not in scored[:each]])[:each]
            placed += [(place, rank, item, category) for place, item in enumerate(chosen)]
        first: dict[str, tuple[int, int, str, str]] = {}
        for one in sorted(placed):
            first.setdefault(one[2], one)
        return [(one[2], one[3]) for one in sorted(first.values())]


@st.composite
def shops(draw: st.DrawFn) -> Shop:
    """Weights come from a generator with a drawn seed: no two are equal, so there is one right order."""
    dice = random.Random(draw(st.integers(0, 2**31)))
    items = [f"i{place}" for place in range(draw(st.integers(2, 9)))]
    nodes = [f"n{place}" for place in range(draw(st.integers(1, 6)))]
    some = st.lists(st.sampled_from(items), unique=True)
    graph = WeightedGraph(
        triggers={user: {item: math.exp(dice.uniform(-3, 3)) for item in draw(some)} for user in ("u0", "u1")},
        similar={j: {i: math.exp(dice.uniform(-3, 3)) for i in draw(some)} for j in items},
        available={item: draw(st.sampled_from([True, True, None, False])) for item in items},
        user_direct={user: [dice.uniform(-2, 2)] for user in ("u0", "u1")},
        item_direct={item: [dice.uniform(-2, 2)] for item in items},
        repeat_power=draw(st.sampled_from([1.0, 2.0])),
    )
    pairs = [(start, end) for start in nodes for end in nodes if start != end]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=6)) if pairs else []
    return Shop(
        graph,
        parent={node: draw(st.sampled_from([None, *nodes[:place]])) for place, node in enumerate(nodes)},
        nodes={item: draw(st.lists(st.sampled_from(nodes), unique=True, max_size=2)) for item in items},
        price={item: draw(st.sampled_from([None, 1.0, 2.0, 3.0])) for item in items},
        popularity={item: draw(st.integers(0, 3)) for item in items},
        created={item: draw(st.sampled_from([None, START, START + timedelta(days=1)])) for item in items},
        complements=[(start, end, round(0.1 + 0.1 * place, 1)) for place, (start, end) in enumerate(chosen)],
    )


@st.composite
def filters_of(draw: st.DrawFn, shop: Shop) -> Filters:
    prices = st.sampled_from([None, None, 1.0, 1.5, 2.0, 3.0])
    return Filters(
        category=draw(st.sampled_from([None, *shop.parent])),
        min_price=draw(prices),
        max_price=draw(prices),
        exclude=tuple(draw(st.lists(st.sampled_from([*shop.nodes, "unknown"]), unique=True, max_size=3))),
    )


@pytest.fixture(scope="module")
def graph(database: Database) -> Database:
    create_constraints(database)
    return database


@hypothesis_settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), shop=shops(), n=st.integers(1, 10), m=st.integers(1, 5), k=st.integers(1, 5))
def test_queries_give_what_passes(graph: Database, data: st.DataObject, shop: Shop, n: int, m: int, k: int) -> None:
    shop.write(graph)
    filters = data.draw(filters_of(shop))
    repeats = data.draw(st.booleans())

    def best(candidates: dict[str, float]) -> list[str]:
        return [item for item in sorted(candidates, key=lambda item: -candidates[item]) if shop.passes(item, filters)]

    seen = set() if repeats else shop.graph.seen("u0")
    reached = best(shop.graph.candidates("u0", m, k, repeats))
    filled = (reached + [item for item in shop.popular(filters, seen) if item not in reached])[:n]
    answer = recommend(graph, "u0", n, m=m, k=k, repeats=repeats, filters=filters)
    assert [item.id for item in answer.items] == filled
    assert [item.source for item in answer.items] == ["paths" if item in reached else "popular" for item in filled]
    assert answer.fallback == (None if shop.graph.triggers["u0"] else "popular")

    session = recommend_session(
        graph, shop.graph.triggers["u0"], shop.graph.user_direct["u0"], n, m=m, k=k, explain=True, filters=filters
    )
    reached = best(shop.graph.candidates("u0", m, k, repeats=True))
    filled = (reached + [item for item in shop.popular(filters) if item not in reached])[:n]
    assert [item.id for item in session.items] == filled
    for item in session.items:
        paths = {path.trigger: path.path for path in item.paths}
        assert paths == pytest.approx(shop.graph.paths("u0", m, k).get(item.id, {}))
        assert item.score == pytest.approx(item.direct + sum(paths.values()) if item.source == "paths" else 0.0)

    source = data.draw(st.sampled_from(sorted(shop.nodes)))
    near = [item for item, _ in shop.graph.neighbours(source) if shop.passes(item, filters)]
    assert [item.id for item in similar(graph, source, n, filters)] == near[:n]
    assert [item.id for item in popular(graph, n, filters=filters)] == shop.popular(filters)[:n]
    assert [item.id for item in popular(graph, n, "u0", filters)] == shop.popular(filters, shop.graph.seen("u0"))[:n]
    dated = sorted((item for item in shop.popular(filters) if shop.created[item]), key=lambda item: item)
    dated.sort(key=lambda item: shop.created[item] or START, reverse=True)
    assert [item.id for item in newest(graph, n, filters)] == dated[:n]
    found = search_items(graph, "ITEM", n, "popular", filters)
    assert [item.id for item in found] == shop.popular(filters)[:n]

    each = data.draw(st.integers(1, 3))
    completing = [(one.id, one.category) for one in item_complements(graph, source, n, each, filters)]
    assert completing == shop.complete(source, each, filters)[:n]
    needed = user_complements(graph, "u0", n, needs=10, each=each, m=m, k=k, filters=filters)
    assert [(one.id, one.category) for one in needed.items] == shop.need(each, m, k, filters)[:n]


def test_an_unknown_category_is_named(graph: Database) -> None:
    shop = Shop(
        WeightedGraph(
            triggers={"u0": {"a": 1.0}, "new": {}},
            similar={"a": {"b": 1.0}},
            available={"a": True, "b": True},
            user_direct={"u0": [1.0], "new": [1.0]},
            item_direct={"a": [1.0], "b": [1.0]},
        ),
        parent={"n": None, "empty": None},
        nodes={"a": ["n"], "b": ["n"]},
        price={"a": 1.0, "b": None},
        popularity={"a": 1, "b": 0},
        created={"a": START, "b": None},
    )
    shop.write(graph)
    calls: list[Callable[[Filters], object]] = [
        lambda filters: recommend(graph, "u0", filters=filters).items,
        lambda filters: recommend(graph, "u0", filters=filters, fill=False).items,
        lambda filters: recommend(graph, "new", filters=filters).items,
        lambda filters: recommend_session(graph, {"a": 1.0}, filters=filters).items,
        lambda filters: similar(graph, "a", filters=filters),
        lambda filters: popular(graph, filters=filters),
        lambda filters: newest(graph, filters=filters),
        lambda filters: search_items(graph, "item", filters=filters),
        lambda filters: search_items(graph, "?", filters=filters),
        lambda filters: item_complements(graph, "a", filters=filters),
        lambda filters: user_complements(graph, "u0", filters=filters).items,
    ]
    for call in calls:
        with pytest.raises(NotFound, match="browse node 'nothing' is not in the graph"):
            call(Filters(category="nothing"))
        assert not call(Filters(category="empty"))


@pytest.fixture(scope="module")
def titled(graph: Database) -> Database:
    graph.write("MATCH (n) DETACH DELETE n")
    titles = {
        "1": ("Kellogg's Corn Flakes", "Kellogg's"),
        "2": ("Corn flour, 3.5 lb", "Goya"),
        "3": ("C++ primer", None),
        "4": ("漢字 dictionary", "Crème & Brûlée"),
        "5": ("Salt AND pepper 👍", "The Who"),
    }
    rows = [{"id": key, "title": title, "brand": brand} for key, (title, brand) in titles.items()]
    graph.write("UNWIND $rows AS row CREATE (i:Item) SET i = row", {"rows": rows})
    return graph


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("corn", {"1", "2"}),
        ("CORN fl", {"1", "2"}),
        ("flour corn", {"2"}),
        ("kellogg's", {"1"}),
        ("flakes kellog", {"1"}),
        ("corn 3.5", {"2"}),
        ("c++", {"3"}),
        ("c++ primer", {"3"}),
        ("漢字", {"4"}),
        ("crème", {"4"}),
        ("& brûlée", {"4"}),
        ("and", {"5"}),
        ("the who", {"5"}),
        ("salt AND pepper", {"5"}),
        ("corn OR salt", set()),
        ("NOT corn", set()),
        ("title:corn", set()),
        ("corn*", {"1", "2"}),
        ("c?rn", set()),
        ("corm~", set()),
        ("/c.rn/", set()),
        ("[a TO z]", set()),
        ("", set()),
        ("   ", set()),
        ("?! (", set()),
    ],
)
def test_words_are_found_and_never_syntax(titled: Database, text: str, found: set[str]) -> None:
    assert {item.id for item in search_items(titled, text)} == found


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.text('+-&|!(){}[]^"~*?:\\/ aANDORT', max_size=40)
)
def test_any_text_may_be_searched(titled: Database, text: str) -> None:
    assert len(search_items(titled, text)) <= 5
    assert lucene(text).strip() == lucene(text)
