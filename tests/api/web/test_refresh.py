"""The thread that gives users new weights: at once, each once, after a death, and after the database was away."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from fastapi.testclient import TestClient

from api.web import refresh
from api.web.connection import Connection
from api.web.live import LiveNetworks
from api.web.refresh import Refresher
from api.web.traces import Traces
from graph.driver import Database
from graph.errors import DatabaseUnavailable, StoreError
from graph.generations import live_generation
from graph.settings import load_settings
from tests.api.conftest import Line
from tests.api.web.conftest import open_client

PATIENCE = 30.0


def wait(until: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.02)


class Recorded(LiveNetworks):
    """Notes who is refreshed instead of asking networks, and fails as it is told."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failures: list[Exception] = []
        self.gate = threading.Event()
        self.gate.set()

    def refresh_users(self, users: Sequence[str]) -> None:
        self.gate.wait(PATIENCE)
        if self.failures:
            raise self.failures.pop(0)
        self.done += users


@pytest.fixture(autouse=True)
def _unchanged(unchanged: None) -> None:
    """Before all other fixtures: what they write is gone afterwards too."""


@pytest.fixture
def connection(shop: Line, database: Database) -> Connection:
    made = Connection(load_settings(), Traces())
    made._database, made._seen = database, float("inf")
    return made


@pytest.fixture
def recorded(connection: Connection) -> Iterator[tuple[Recorded, Refresher, list[float]]]:
    live, seen = Recorded(), list[float]()
    refresher = Refresher(live, connection, seen.append)
    yield live, refresher, seen
    live.gate.set()
    refresher.stop()
    assert not [thread for thread in threading.enumerate() if thread is refresher._thread]


Parts = tuple[Recorded, Refresher, list[float]]


def test_a_user_named_often_is_refreshed_once(recorded: Parts) -> None:
    live, refresher, seen = recorded
    live.gate.clear()
    refresher.start()
    refresher.wake(["a"])
    wait(lambda: not refresher._woken, "a is in work")
    for _ in range(50):
        refresher.wake(["b", "a"])
    live.gate.set()
    wait(lambda: len(live.done) >= 3, "all of them")
    time.sleep(0.1)
    assert live.done == ["a", "b", "a"]  # a once more: its newer events came while it was in work
    assert len(seen) == 3
    assert max(seen) < PATIENCE


def test_while_the_database_is_away_nobody_is_forgotten(recorded: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    live, refresher, seen = recorded
    monkeypatch.setattr(refresh, "RETRY", 0.05)
    live.failures = [DatabaseUnavailable("away")] * 3
    refresher.wake(["a", "b"])
    refresher.start()
    wait(lambda: sorted(live.done) == ["a", "b"], "both")
    assert len(seen) == 2
    assert max(seen) >= 0.15  # since they were woken, not since the last try


def test_one_bad_user_holds_up_no_other(recorded: Parts, caplog: pytest.LogCaptureFixture) -> None:
    live, refresher, seen = recorded
    live.failures = [StoreError("an edge is broken"), RuntimeError("a bug")]
    refresher.wake(["a", "b", "c"])
    refresher.start()
    wait(lambda: live.done == ["c"], "c")
    assert "an edge is broken" in caplog.text
    assert "a bug" in caplog.text
    wait(lambda: len(seen) == 1, "c is observed")


def test_users_that_a_killed_process_left_are_found(
    recorded: Parts, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, refresher, seen = recorded
    monkeypatch.setattr(refresh, "PAUSE", 0.1)
    database.write("UNWIND ['zz1', 'zz2'] AS id CREATE (:User {id: id, stale: true})")
    refresher.start()
    wait(lambda: {"zz1", "zz2"} <= set(live.done), "those of the start")
    database.write("CREATE (:User {id: 'zz3', stale: true})")
    wait(lambda: "zz3" in live.done, "one that came later, without a word")
    assert seen == []  # when their events came nobody knows


def test_a_stop_is_not_held_up_by_what_is_left(recorded: Parts) -> None:
    live, refresher, _ = recorded
    live.gate.clear()
    refresher.start()
    refresher.wake(["a"])
    wait(lambda: not refresher._woken, "a is in work")
    refresher.wake(map(str, range(1000)))
    stopping = threading.Thread(target=refresher.stop)
    stopping.start()
    time.sleep(0.05)
    live.gate.set()
    stopping.join(PATIENCE)
    assert live.done == ["a"]


def test_stopped_before_it_started(recorded: Parts) -> None:
    recorded[1].stop()


def weight(database: Database, user: str, item: str) -> float | None:
    live = live_generation(database)
    assert live
    rows = database.read(
        "MATCH (:User {id: $user})-[r:INTERACTED]->(:Item {id: $item}) RETURN r[$name] AS weight",
        {"user": user, "item": item, "name": live.weight_property},
    )
    return rows[0]["weight"] if rows else None


def test_a_posted_event_changes_what_a_user_gets(shop: Line, client: TestClient, database: Database) -> None:
    before = client.get("/users/u02/recommendations").json()
    assert client.get("/users/zzu/recommendations").status_code == 404
    items = ["g03", "g07", "g11"]
    events = [{"key": f"zz{item}", "user": "zzu", "item": item, "kind": "purchase"} for item in items]
    assert client.post("/events", json=events).status_code == 200
    wait(lambda: None not in [weight(database, "zzu", item) for item in items], "weights")
    answer = client.get("/users/zzu/recommendations").json()
    assert answer["items"][0]["source"] == "paths"
    assert client.get("/users/u02/recommendations").json() == before
    stale = "MATCH (u:User {id: 'zzu'}) RETURN u.stale AS stale"
    wait(lambda: database.read(stale) == [{"stale": None}], "no longer stale")


def test_users_left_by_another_process_get_weights_when_a_server_starts(shop: Line, database: Database) -> None:
    database.write(
        """
        CREATE (u:User {id: 'zzu', stale: true}) WITH u MATCH (i:Item {id: 'g03'})
        CREATE (u)-[:INTERACTED {count: 1, times: [1704067200], kind: 'purchase'}]->(i)
        """
    )
    with open_client():
        wait(lambda: weight(database, "zzu", "g03") is not None, "a weight")
