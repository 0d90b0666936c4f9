"""Live events: each exactly once in effect, whatever is sent again, lost or sent at the same time."""

import random
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

import neo4j
import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as configure
from hypothesis import strategies as st

from graph.catalogue import delete_user
from graph.driver import Database
from graph.errors import Conflict, Invalid, NotFound
from graph.events import IMPRESSION, Event, Outcome, write_events
from graph.incremental import write_incremental
from graph.schema import INTERACTION, ITEM
from graph.server import DATABASE, USERNAME, ManagedServer
from graph.settings import Settings
from tests.graph.conftest import make_tables

NOW = 1_700_000_000
ITEMS = ("i0", "i1", "i2")
EDGES = """
MATCH (u:User)-[r:INTERACTED]->(i:Item)
RETURN u.id AS user, i.id AS item, properties(r) AS properties ORDER BY user, item
"""
POPULARITY = "MATCH (i:Item) RETURN i.id AS id, coalesce(i.popularity, 0) AS popularity ORDER BY id"
USERS = "MATCH (u:User) RETURN u.id AS id, coalesce(u.stale, false) AS stale ORDER BY id"


def event(key: str, user: str = "u", item: str = "i0", **content: Any) -> Event:
    content = {"kind": "purchase", **content}
    return Event(key, sha256(repr((user, item, sorted(content.items()))).encode()).hexdigest(), user, item, **content)


def graph_of(database: Database) -> str:
    """All that events change, as text: NaN is not itself."""
    edges = [{**row, "properties": sorted(row["properties"].items())} for row in database.read(EDGES)]
    return "\n".join(map(repr, [*edges, *database.read(POPULARITY)]))


def stored_keys(database: Database) -> set[str]:
    return {row["key"] for row in database.read("MATCH (e:Event) RETURN e.key AS key")}


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def clear(database: Database) -> None:
    database.write("MATCH (n) DETACH DELETE n")


@pytest.fixture
def shop(constrained_database: Database) -> Database:
    """Three items that nobody has had."""
    constrained_database.write("UNWIND $ids AS id CREATE (:Item {id: id})", {"ids": ITEMS})
    return constrained_database


def tables(events: Sequence[Event]) -> Any:
    rows = [{**dict.fromkeys(INTERACTION), **asdict(one)} for one in events if one.kind != IMPRESSION]
    frame = pl.DataFrame([{name: row[name] for name in INTERACTION} for row in rows], schema=INTERACTION)
    made = make_tables(frame)
    items = pl.DataFrame({"id": ITEMS}).with_columns(
        pl.lit(None, kind).alias(name) for name, kind in ITEM.items() if name != "id"
    )
    return replace(made, items=items.select(list(ITEM)))


texts = st.sampled_from(["a", "b", "é😀", "Ⅷ", "\uffff"])
contents = st.fixed_dictionaries(
    {
        "user": st.sampled_from(["u", "v"]),
        "item": st.sampled_from(ITEMS),
        "kind": st.sampled_from(["purchase", "view", "click", IMPRESSION]),
        "time": st.integers(0, 3),
    },
    optional={
        "session": texts,
        "quantity": st.sampled_from([1.0, -2.5, 1e15]),
        "value": st.sampled_from([0.0, 0.5]),
        "place": texts,
    },
)


@configure(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pool=st.lists(contents, min_size=1, max_size=12),
    loaded=st.integers(0, 4),
    batches=st.lists(st.lists(st.integers(0, 11), max_size=8), max_size=6),
)
def test_batches_with_repeated_keys_equal_one_load(
    pool: list[dict[str, Any]], loaded: int, batches: list[list[int]], shop: Database, settings: Settings
) -> None:
    """Some events come by a load, those of the batches live; then all of them by one load into an empty graph."""
    known = [event(f"k{number}", **content) for number, content in enumerate(pool)]
    before, live = known[:loaded], known[loaded:]
    chosen = [[live[number % len(live)] for number in batch] for batch in batches] if live else []
    clear(shop)
    write_incremental(tables(before), settings, shop)
    seen: set[str] = set()
    for batch in chosen:
        expected = []
        for one in batch:
            expected.append("repeated" if one.key in seen else "accepted")
            seen.add(one.key)
        assert statuses(write_events(shop, batch, NOW)) == expected
    one_by_one, users = graph_of(shop), {row["id"] for row in shop.read(USERS)}
    assert stored_keys(shop) == seen
    distinct = [*before, *(one for one in live if one.key in seen)]
    clear(shop)
    write_incremental(tables(distinct), settings, shop)
    assert one_by_one == graph_of(shop)
    assert users == {one.user for one in distinct if one.kind != IMPRESSION or one.key in seen}


def test_what_an_event_changes(shop: Database) -> None:
    shop.write("MERGE (s:Serving {id: 'intents'}) SET s.now = $now", {"now": NOW - 100.0})
    first = event("k1", time=NOW - 50, quantity=2.0, session="s", variant="challenger")
    assert write_events(shop, [first], NOW) == [Outcome("k1", "accepted")]
    assert shop.read("MATCH (s:Serving {id: 'intents'}) RETURN s {.*}") == [{"s": {"id": "intents", "now": NOW - 50.0}}]
    write_events(shop, [event("k2", kind="view")], NOW)  # without a time: now
    write_events(shop, [event("k3", time=NOW - 70)], NOW)  # late
    [edge] = [row["properties"] for row in shop.read(EDGES)]
    assert edge["times"] == [NOW - 70, NOW - 50, NOW]
    assert (edge["count"], edge["kind"], edge["sessions"]) == (3, "view", ["", "s", ""])
    assert edge["last_time"].to_native().timestamp() == NOW
    assert repr(edge["quantities"]) == "[nan, 2.0, nan]"
    assert shop.read(USERS) == [{"id": "u", "stale": True}]
    assert shop.read(POPULARITY)[0] == {"id": "i0", "popularity": 1}
    assert shop.read("MATCH (s:Serving {id: 'intents'}) RETURN s.now AS now") == [{"now": float(NOW)}]
    [stored] = shop.read("MATCH (e:Event {key: 'k1'}) RETURN e.user, e.kind, e.variant, e.time.epochSeconds, e.digest")
    assert list(stored.values()) == ["u", "purchase", "challenger", NOW - 50, first.digest]


def test_an_impression_is_no_interaction(shop: Database) -> None:
    assert statuses(write_events(shop, [event("k", kind=IMPRESSION, variant="control")], NOW)) == ["accepted"]
    assert shop.read(EDGES) == []
    assert shop.read(USERS) == [{"id": "u", "stale": False}]
    assert stored_keys(shop) == {"k"}
    with pytest.raises(Invalid, match="'nothing'"):
        write_events(shop, [event("l", item="nothing", kind=IMPRESSION)], NOW)


def test_the_same_key_with_other_content_stores_nothing_of_the_request(shop: Database) -> None:
    write_events(shop, [event("k")], NOW)
    before = graph_of(shop)
    for batch in ([event("new"), event("k", item="i1")], [event("new"), event("new", quantity=2.0)]):
        with pytest.raises(Conflict, match=f"'{batch[1].key}' was sent before with other content"):
            write_events(shop, batch, NOW)
    assert (graph_of(shop), stored_keys(shop)) == (before, {"k"})


def test_unknown_items_store_nothing_of_the_request(shop: Database) -> None:
    with pytest.raises(Invalid, match=r"not in the graph: item 'x0', 'x1', 'x2', 'x3', 'x4' and 2 more; nothing"):
        write_events(shop, [event("k"), *(event(f"x{n}", item=f"x{n}") for n in range(7))], NOW)
    assert (shop.read(EDGES), shop.read(USERS), stored_keys(shop)) == ([], [], set())


def test_rejecting_leaves_out_what_is_no_good(shop: Database) -> None:
    write_events(shop, [event("old")], NOW)
    batch = [
        event("old", quantity=1.0),
        event("lost", user="nobody", item="x"),
        event("good", item="i1"),
        event("good", item="i2"),
        event("lost", user="nobody", item="x"),
        event("old"),
        event("good", item="i1"),
    ]
    outcomes = write_events(shop, batch, NOW, reject=True)
    assert statuses(outcomes) == ["rejected", "rejected", "accepted", "rejected", "rejected", "repeated", "repeated"]
    assert [one.detail for one in outcomes[:2]] == [
        "event 'old' was sent before with other content",
        "not in the graph: item 'x'",
    ]
    assert stored_keys(shop) == {"old", "good"}
    assert shop.read(USERS) == [{"id": "u", "stale": True}]
    shop.write("CREATE (:Item {id: 'x'})")
    assert statuses(write_events(shop, batch[1:2], NOW)) == ["accepted"]  # what was rejected may come again


def test_a_repeated_event_of_an_item_that_left_is_repeated(shop: Database) -> None:
    write_events(shop, [event("k")], NOW)
    shop.write("MATCH (i:Item {id: 'i0'}) DETACH DELETE i")
    assert statuses(write_events(shop, [event("k")], NOW)) == ["repeated"]


def test_a_retry_of_the_transaction_takes_effect_once_and_still_says_accepted(shop: Database) -> None:
    """The work is run by hand as the driver does after a passing failure: rolled back, then committed twice over."""

    class Twice(Database):
        def transact(self, work: Any, timeout: float | None = None) -> Any:
            with suppress(ZeroDivisionError):
                super().transact(lambda run: (work(run), 1 / 0))
            super().transact(work)
            return super().transact(work)

    twice = Twice(shop.driver, shop.name, shop.address)
    batch = [event("k"), event("l", item="i1"), event("k"), event("x", item="x")]
    assert statuses(write_events(twice, batch, NOW, reject=True)) == ["accepted", "accepted", "repeated", "rejected"]
    assert [row["properties"]["count"] for row in shop.read(EDGES)] == [1, 1]
    assert [row["popularity"] for row in shop.read(POPULARITY)] == [1, 1, 0]


class LosingProxy:
    """Passes bytes on to a server; once it is armed, it cuts one connection instead of passing on a commit's answer."""

    COMMIT = b"\x00\x02\xb0\x12\x00\x00"

    def __init__(self, host: str, port: int) -> None:
        self.target, self.armed, self.lost = (host, port), False, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                losing = threading.Event()
                for pump in (self._up, self._down):
                    threading.Thread(target=pump, args=(client, server, losing), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if self.armed and self.COMMIT in data:
                    self.armed = False
                    losing.set()
                server.sendall(data)
        server.close()

    def _down(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if losing.is_set():  # the server has committed, or it would not answer
                    self.lost += 1
                    break
                client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)
        client.close()


@contextmanager
def proxied(server: ManagedServer) -> Iterator[tuple[LosingProxy, Database]]:
    host, port = str(server.status().bolt_uri).removeprefix("bolt://").split(":")
    proxy = LosingProxy(host, int(port))
    address = f"bolt://127.0.0.1:{proxy.port}"
    with neo4j.GraphDatabase.driver(address, auth=(USERNAME, server.password())) as driver:
        yield proxy, Database(driver, DATABASE, address)
    proxy.listener.close()


def test_a_commit_whose_answer_was_lost(shop: Database, server: ManagedServer) -> None:
    with proxied(server) as (proxy, database):
        write_events(database, [event("before")], NOW)
        proxy.armed = True
        assert statuses(write_events(database, [event("k"), event("l", item="i1")], NOW)) == ["accepted", "accepted"]
        assert proxy.lost == 1
        assert statuses(write_events(database, [event("k")], NOW)) == ["repeated"]
    assert [row["properties"]["count"] for row in shop.read(EDGES)] == [2, 1]


def test_concurrent_batches_of_the_same_events_take_effect_once(shop: Database, settings: Settings) -> None:
    draw = random.Random(3)
    known = [event(f"k{n}", f"u{draw.randrange(9)}", draw.choice(ITEMS), time=draw.randrange(99)) for n in range(300)]
    orders = [draw.sample(known, len(known)) for _ in range(6)]

    def send(order: list[Event]) -> int:
        accepted = 0
        for start in range(0, len(order), 50):
            accepted += statuses(write_events(shop, order[start : start + 50], NOW)).count("accepted")
        return accepted

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(send, orders)) == len(known)
    live = graph_of(shop)
    clear(shop)
    write_incremental(tables(known), settings, shop)
    assert live == graph_of(shop)


def test_events_of_the_same_users_and_items_never_wait_in_a_circle(
    shop: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Of two that do Neo4j ends one, which the driver tries again a second later."""

    def send(sender: int) -> None:
        draw = random.Random(sender)
        for call in range(15):
            users = [f"u{draw.randrange(12)}" for _ in range(10)]
            write_events(
                shop, [event(f"{sender} {call} {n}", user, draw.choice(ITEMS)) for n, user in enumerate(users)], NOW
            )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(send, range(6)))
    assert sum(row["properties"]["count"] for row in shop.read(EDGES)) == 6 * 15 * 10
    assert [record.message for record in caplog.records if "will be retried" in record.message] == []


def test_events_while_their_user_is_deleted(shop: Database) -> None:
    """None fails, and what is left is whole: each edge that is there is counted in its item's popularity."""

    def send(sender: int) -> None:
        for number in range(40):
            write_events(shop, [event(f"k{sender}-{number}", item=ITEMS[number % 3])], NOW)

    def delete(_: int) -> None:
        for _ in range(20):
            with suppress(NotFound):
                delete_user(shop, "u")

    with ThreadPoolExecutor(4) as pool:
        sending, deleting = pool.map(send, range(3)), pool.map(delete, range(1))
        assert len(list(sending)) == 3
        list(deleting)
    edges = {row["item"] for row in shop.read(EDGES)}
    assert {row["id"]: row["popularity"] for row in shop.read(POPULARITY)} == {item: item in edges for item in ITEMS}
