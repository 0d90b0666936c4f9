"""The engines are interchangeable: the same items in the same order from Neo4j and from memory, whatever happened."""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api.engines import CypherEngine, ProjectionEngine
from cypher.filters import Filters
from cypher.recommend import Recommendations
from graph.catalogue import delete_item, delete_node, delete_user, patch_item, put_item, put_node
from graph.constraints import create_constraints
from graph.driver import Database
from graph.errors import NotFound
from graph.events import Event, write_events
from graph.experiment import start_experiment, stop_experiment
from graph.generations import rollback, switch, write_generation
from graph.projection import edits
from graph.projection.follower import Projections
from graph.statements import statement
from tests.weighted_graph import WeightedGraph

NEAR = 1e-9  # scores that differ by less are a tie: the engines add in another order
NODES = {"top": None, "left": "top", "right": "top", "low": "left"}
TREE = """
MERGE (s:Source {id: 'random'}) SET s.item_profile = [], s.user_profile = []
WITH s UNWIND $nodes AS row
MERGE (n:BrowseNode {id: row[0]}) SET n.name = row[0], n.tree = 'random', n.level = 0
WITH n, row WHERE row[1] IS NOT NULL
MERGE (p:BrowseNode {id: row[1]}) MERGE (n)-[:CHILD_OF]->(p)
"""
PLACES = """
UNWIND $rows AS row
MATCH (i:Item {id: row.item}) SET i.price = row.price
WITH i, row UNWIND row.nodes AS node
MATCH (n:BrowseNode {id: node}) MERGE (i)-[:IN_CATEGORY]->(n)
"""
# Few values, so that equal weights and equal sums come up.
WEIGHT = st.sampled_from([math.exp(x) for x in (-30, -3, -1, 0, 0, 1, 3, 59)])


@st.composite
def graphs(draw: st.DrawFn) -> WeightedGraph:
    items = [f"i{place}" for place in range(draw(st.integers(2, 12)))]
    size = draw(st.integers(0, 3))
    vectors = st.lists(st.floats(-9, 9, width=32), min_size=size, max_size=size)
    some = st.lists(st.sampled_from(items), unique=True)
    users = ["u0", "u1", "u2"]
    return WeightedGraph(
        triggers={user: {item: draw(WEIGHT) for item in draw(some)} for user in users},
        similar={j: {i: draw(WEIGHT) for i in draw(some)} for j in items},
        available={item: draw(st.sampled_from([True, True, None, False])) for item in items},
        user_direct={user: draw(vectors) for user in users},
        item_direct={item: draw(vectors) for item in items},
        repeat_power=draw(st.sampled_from([1.0, 2.0, 2.5])),
    )


def write(database: Database, graph: WeightedGraph, draw: random.Random) -> None:
    """The graph with prices and categories, live, and a second generation of other weights beside it."""
    graph.write(database)
    database.write(TREE, {"nodes": [list(pair) for pair in NODES.items()]})
    rows = [
        {"item": item, "price": draw.choice([None, 1.0, 2.0, 3.0]), "nodes": draw.sample(list(NODES), 1)}
        for item in graph.available
    ]
    database.write(PLACES, {"rows": rows})
    for turn in range(2):
        if turn:
            graph.triggers = {u: {i: w * (1 + len(i + u)) for i, w in had.items()} for u, had in graph.triggers.items()}
        generation = write_generation(
            database, graph.weights(), model="pdn", data="random", artefact=str(turn), metrics={}
        )
        switch(database, generation)


def same(left: Recommendations, right: Recommendations) -> None:
    assert (left.generation, left.variant, left.fallback) == (right.generation, right.variant, right.fallback)
    assert len(left.items) == len(right.items)
    by_id = {item.id: item for item in left.items}
    for place, item in enumerate(right.items):
        other = left.items[place]
        assert math.isclose(item.score, other.score, rel_tol=NEAR, abs_tol=NEAR)
        if item.id in by_id:  # else the last of several of one score
            mine = by_id[item.id]
            assert (mine.title, mine.source) == (item.title, item.source)
            assert math.isclose(mine.direct, item.direct, rel_tol=NEAR, abs_tol=NEAR)
            assert {path.trigger for path in mine.paths} == {path.trigger for path in item.paths}
            assert [path.path for path in mine.paths] == pytest.approx([path.path for path in item.paths], rel=NEAR)
        if item.id != other.id:
            scores = [one.score for one in (*left.items, *right.items)]
            assert sum(math.isclose(item.score, score, rel_tol=NEAR, abs_tol=NEAR) for score in scores) > 2


def compare(database: Database, projections: Projections, users: Sequence[str], **asked: Any) -> int:
    """Ask both engines for all users; gives how many answers came from memory with items."""
    cypher, projection = CypherEngine(database), ProjectionEngine(database, projections)
    from_memory = 0
    for user in users:
        for bucket in (None, 0, 9_999):
            try:
                reference = cypher.recommend(user, bucket=bucket, **asked)
            except NotFound:
                with pytest.raises(NotFound):
                    projection.recommend(user, bucket=bucket, **asked)
                continue
            same(reference, projection.recommend(user, bucket=bucket, **asked))
            chosen = projections.chosen(bucket)
            assert chosen is not None
            assert chosen[0].served.generation == reference.generation
            from_memory += any(item.source == "paths" for item in reference.items)
    return from_memory


@pytest.fixture(scope="module")
def graph(database: Database) -> Database:
    create_constraints(database)
    return database


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling and a busy machine take longer than an answer may be old."""
    monkeypatch.setattr("graph.projection.follower.STALE", 3_600.0)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("projection")


FRESH = HealthCheck.function_scoped_fixture


@hypothesis_settings(max_examples=15, suppress_health_check=[FRESH])
@given(
    small=graphs(),
    m=st.integers(1, 5),
    k=st.integers(1, 6),
    n=st.integers(1, 12),
    shortlist=st.integers(1, 12),
    repeats=st.booleans(),
    category=st.sampled_from([None, *NODES, "nowhere"]),
    low=st.sampled_from([None, 1.0, 2.0]),
    high=st.sampled_from([None, 2.0, 3.0]),
    exclude=st.lists(st.sampled_from(["i0", "i1", "i5", "unknown"]), max_size=2),
    seed=st.integers(0, 99),
)
def test_every_answer_is_the_same(
    graph: Database,
    folder: Path,
    small: WeightedGraph,
    m: int,
    k: int,
    n: int,
    shortlist: int,
    repeats: bool,
    category: str | None,
    low: float | None,
    high: float | None,
    exclude: list[str],
    seed: int,
) -> None:
    write(graph, small, random.Random(seed))
    projections = Projections(lambda: graph, folder)
    projections.look()
    filters = Filters(category, low, high, tuple(exclude))
    compare(
        graph, projections, ["u0", "u1", "nobody"], n=n, m=m, k=k, shortlist=shortlist, repeats=repeats, explain=True,
        filters=filters,
    )  # fmt: skip
    compare(graph, projections, ["u0", "u2"], n=n, m=m, k=k, fill=False)
    cypher, projection = CypherEngine(graph), ProjectionEngine(graph, projections)
    items = list(small.available)
    mine, other = (engine.rank("u1", items, m, k) for engine in (projection, cypher))
    assert {one.id: one.score for one in mine} == pytest.approx({one.id: one.score for one in other}, rel=NEAR)
    assert [(-one.score, one.id) for one in mine] == sorted((-one.score, one.id) for one in mine)
    with pytest.raises(NotFound, match="unknown"):
        projection.rank("u1", ["unknown"], m, k)


class Shop:
    """What may happen to a store that is served, drawn by chance; each step by the functions that the API calls."""

    def __init__(self, database: Database, small: WeightedGraph, draw: random.Random) -> None:
        self.database, self.small, self.draw = database, small, draw
        self.items, self.users, self.step = list(small.available), list(small.triggers), 0

    def happen(self) -> str:
        self.step += 1
        name = self.draw.choice(
            ["event", "event", "refresh", "refresh", "new item", "change", "move", "switch", "experiment", "delete"]
        )
        {
            "event": self.event,
            "refresh": self.refresh,
            "new item": self.new_item,
            "change": self.change,
            "move": self.move,
            "switch": self.switch,
            "experiment": self.experiment,
            "delete": self.delete,
        }[name]()
        return name

    def event(self) -> None:
        user = self.draw.choice([*self.users, f"u{len(self.users)}"])
        if user not in self.users:
            self.users.append(user)
        item = self.draw.choice(self.items)
        write_events(
            self.database, [Event(f"e{self.step}{self.draw.random()}", "d", user, item, "purchase", time=self.step)], 0
        )

    def generations(self) -> list[int]:
        return [row["g"] for row in self.database.read("MATCH (g:Generation) RETURN g.id AS g ORDER BY g")]

    def refresh(self) -> None:
        """What `api.web.live` writes, with weights by chance in the place of the network's."""
        user, size = self.draw.choice(self.users), len(next(iter(self.small.item_direct.values())))
        for generation in self.generations():
            given = {
                "user": user,
                "generation": generation,
                "direct": [self.draw.choice([-1.0, 0.5, 2.0]) for _ in range(size)],
                "weights": {item: self.draw.choice([0.1, 1.0, 5.0]) for item in self.items},
            }
            self.database.write(statement("write_user_weights"), given)
        self.database.write(statement("end_refresh"), {"user": user})

    def new_item(self) -> None:
        """What `api.web.placing` writes."""
        item = self.draw.choice([f"a{self.step}", f"i0{self.step}", f"z{self.step}"])  # before, among and after others
        put_item(self.database, item, {"title": f"new {item}", "price": 2.0, "categories": ["low"]})
        size = len(next(iter(self.small.item_direct.values())))
        for generation in self.generations():
            where = {"item": item, "generation": generation}
            self.database.write(statement("write_placed_direct"), where | {"direct": [0.25] * size})
            others = sorted(self.items)[:3]
            rows = [{"id": other, "weight": 1.5, "rank": rank} for rank, other in enumerate(others, start=1)]
            self.database.write(statement("place_from"), where | {"rows": rows})
            rows = [{"id": other, "weight": self.draw.choice([0.5, 20.0])} for other in others]
            self.database.write(statement("place_among"), where | {"rows": rows, "k": 4})
        self.items.append(item)

    def change(self) -> None:
        change = {
            "available": self.draw.random() < 0.7,
            "price": self.draw.choice([None, 1.0, 3.0]),
            "title": f"changed {self.step}",
            "categories": self.draw.sample(list(NODES), 1),
        }
        patch_item(self.database, self.draw.choice(self.items), change)

    def move(self) -> None:
        put_node(self.database, "low", "low", self.draw.choice(["left", "right", None]))

    def switch(self) -> None:
        self.draw.choice([lambda: switch(self.database, self.draw.choice(self.generations())), self.back])()

    def back(self) -> None:
        rollback(self.database)

    def experiment(self) -> None:
        others = self.database.read(
            "MATCH (s:Serving {id: 'weights'}), (g:Generation) WHERE g.id <> s.generation RETURN g.id AS g"
        )
        try:
            stop_experiment(self.database)
        except NotFound:
            start_experiment(self.database, others[0]["g"], 0.5)

    def delete(self) -> None:
        if self.draw.random() < 0.5 and len(self.users) > 2:
            user = self.users.pop(self.draw.randrange(len(self.users)))
            delete_user(self.database, user)
        elif len(self.items) > 3:
            delete_item(self.database, self.items.pop(self.draw.randrange(len(self.items))))


@hypothesis_settings(max_examples=6, suppress_health_check=[FRESH])
@given(small=graphs(), seed=st.integers(0, 10_000))
def test_answers_stay_the_same_whatever_happens(graph: Database, folder: Path, small: WeightedGraph, seed: int) -> None:
    draw = random.Random(seed)
    write(graph, small, draw)
    projections = Projections(lambda: graph, folder)
    projections.look()
    late = Projections(lambda: graph, folder)  # of another process: it opens the files that the first one wrote
    shop, happened = Shop(graph, small, draw), []
    for _ in range(12):
        happened.append(shop.happen())
        projections.look(wide=False)
        users = [*small.triggers, *shop.users]
        compare(graph, projections, users, n=6, m=3, k=4, explain=True)
        compare(graph, projections, users, n=6, m=3, k=4, filters=Filters("left"))
    late.look()
    compare(graph, late, shop.users, n=6, m=3, k=4)


def test_a_deleted_node_takes_its_items_out(graph: Database, folder: Path) -> None:
    small = star_graph()
    write(graph, small, random.Random(0))
    for item in small.available:
        patch_item(graph, item, {"categories": ["low"]})
    projections = Projections(lambda: graph, folder)
    projections.look()
    assert compare(graph, projections, ["u0"], filters=Filters("left")) == 3
    delete_node(graph, "low", cascade=True)
    projections.look()
    assert compare(graph, projections, ["u0"], filters=Filters("left")) == 0
    assert compare(graph, projections, ["u0"], filters=Filters()) == 3


def star_graph() -> WeightedGraph:
    items = [f"i{place}" for place in range(6)]
    return WeightedGraph(
        triggers={"u0": {"i0": 2.0, "i1": 1.0}, "u1": {"i2": 1.0}},
        similar={j: {i: 1.0 + len(i) for i in items if i != j} for j in items},
        available=dict.fromkeys(items, True),
        user_direct={"u0": [1.0], "u1": [0.5]},
        item_direct={item: [0.5] for item in items},
    )


@pytest.fixture
def followed(graph: Database, folder: Path) -> Projections:
    write(graph, star_graph(), random.Random(0))
    projections = Projections(lambda: graph, folder)
    projections.look()
    return projections


def test_nothing_is_left_of_a_deleted_user(graph: Database, folder: Path, followed: Projections) -> None:
    chosen = followed.chosen()
    assert chosen is not None
    assert chosen[0].recommend("u0", 3, m=3, k=3, shortlist=9)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if b"u0" in path.read_bytes()]  # not even before
    before = {path: path.read_bytes() for path in files}
    delete_user(graph, "u0")
    followed.look()
    with pytest.raises(KeyError):
        chosen[0].recommend("u0", 3, m=3, k=3, shortlist=9)
    changed = {path.name for path in files if path.read_bytes() != before[path]}
    assert {"had_weight", "user_check", "user_count", "user_direct"} <= changed
    again = Projections(lambda: graph, folder)
    again.look()
    assert compare(graph, again, ["u1"]) == 3
    with pytest.raises(KeyError):
        again.chosen()[0].recommend("u0", 3, m=3, k=3, shortlist=9)  # type: ignore[index]


def test_room_that_is_spent_builds_anew(
    graph: Database, folder: Path, followed: Projections, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = followed.chosen()
    assert first is not None
    put, spent = edits.Edges.put, list[int]()

    def put_next_time(self: edits.Edges, row: int, *values: Any) -> None:
        if not spent:
            spent.append(row)
            raise edits.RoomSpent("none")
        put(self, row, *values)

    monkeypatch.setattr(edits.Edges, "put", put_next_time)
    write_events(graph, [Event("room", "d", "u0", "i5", "purchase", time=9)], 0)
    followed.look()
    assert len(spent) == 1
    second = followed.chosen()
    assert second is not None
    assert second[0] is not first[0]
    compare(graph, followed, ["u0", "u1"])


def test_damaged_files_are_built_anew(graph: Database, folder: Path, followed: Projections) -> None:
    graph.write(
        "UNWIND [1, 2 * 24 * 3600 * 1000] AS age CREATE (:Removed {kind: 'item', key: 'x', at: timestamp() - age})"
    )
    [described] = folder.rglob("projection.json")
    described.write_text("{}")
    (described.parent / "had_item").unlink()
    again = Projections(lambda: graph, folder)
    again.look()
    assert compare(graph, again, ["u0", "u1"]) == 6
    assert graph.read("MATCH (r:Removed) RETURN timestamp() - r.at < 3600 * 1000 AS new") == [{"new": True}]  # of a day


def test_a_load_ends_what_was_read_before(graph: Database, followed: Projections) -> None:
    first = followed.chosen()
    graph.write("MATCH (s:Source) SET s.loading = true")
    graph.write("MATCH (:User {id: 'u0'})-[r:INTERACTED]->(:Item {id: 'i0'}) DELETE r")  # as a load may
    graph.write(statement("end_load"), {"id": "random", "properties": {}})
    followed.look()
    assert followed.chosen() != first
    assert compare(graph, followed, ["u0", "u1"]) == 6


def test_what_is_not_fresh_does_not_answer(
    graph: Database, followed: Projections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.projection.follower.STALE", 0.0)
    assert followed.chosen() is None
    compare_only = ProjectionEngine(graph, followed).recommend("u0")
    same(CypherEngine(graph).recommend("u0"), compare_only)
