"""Events while things break: none that was acknowledged is lost, and none takes effect twice."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from graph.driver import Database, connect
from graph.events import Event, write_events
from graph.keys import create_key
from graph.schema import Source
from graph.server import ManagedServer
from graph.settings import Settings
from graph.source import end_load
from tests.graph.test_events import graph_of, stored_keys

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2400)]

REPOSITORY = Path(__file__).parents[2]
ITEMS = [f"i{number}" for number in range(20)]
KILLS = int(os.environ.get("TWOHOP_KILLS", "2"))  # make faults sets 5
CLIENTS = 16
PATIENCE = 300.0  # seconds until a killed part works again: a start of Neo4j takes long where much else runs
START = 1_700_000_000
TIMES = "MATCH (u:User)-[r:INTERACTED]->(i:Item) RETURN u.id AS user, i.id AS item, r.times AS times, r.count AS count"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def victim(new_settings: Callable[..., Settings]) -> Iterator[ManagedServer]:
    """A store of some items at ports of its own."""
    managed = ManagedServer(new_settings(store="ingesting", bolt_port=free_port(), http_port=free_port()))
    with connect(managed.settings) as database:
        end_load(Source("ingesting"), database)
    yield managed
    managed.stop()


class Api:
    """`twohop serve` of a store as a process of its own, at one port however often it is started."""

    def __init__(self, settings: Settings, key: str, log: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TWOHOP_", "NEO4J_"))}
        ports = {"TWOHOP_BOLT_PORT": str(settings.bolt_port), "TWOHOP_HTTP_PORT": str(settings.http_port)}
        small = {"TWOHOP_HEAP": settings.heap, "TWOHOP_PAGE_CACHE": settings.page_cache}
        store = {"TWOHOP_HOME": str(settings.home), "TWOHOP_STORE": settings.store, "PYTHONPATH": str(REPOSITORY)}
        self.environment, self.log, self.port = kept | ports | small | store, log, free_port()
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"X-API-Key": key}, timeout=60, trust_env=False
        )
        self.start()

    def start(self) -> None:
        words = [sys.executable, "-m", "api", "serve", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(words, cwd=self.log.parent, env=self.environment, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with suppress(httpx.TransportError):
                self.client.get("/health/live")
                return
            time.sleep(0.5)
        raise AssertionError(f"the API did not start; see {self.log}")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def send(self, batch: list[dict[str, Any]], stream: bool = False) -> None:
        """Until it is acknowledged, as a client does: again after every failure that may pass."""
        body = "\n".join(map(json.dumps, batch)) if stream else json.dumps(batch)
        kind = "application/x-ndjson" if stream else "application/json"
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with suppress(httpx.TransportError):
                reply = self.client.post("/events", content=body, headers={"content-type": kind})
                if reply.status_code == 200:
                    told = reply.json()
                    assert told["accepted"] + told["repeated"] == len(batch), told
                    return
                assert reply.status_code in (503, 504), reply.text
            time.sleep(1)
        raise AssertionError(f"no answer within {PATIENCE} s; see {self.log}")


@pytest.fixture
def store(victim: ManagedServer) -> Iterator[Database]:
    """The victim's database, with items that nobody has had and no events."""
    victim.start()
    with connect(victim.settings) as database:
        database.write("MATCH (n) WHERE n:User OR n:Event OR n:Item DETACH DELETE n")
        database.write("UNWIND $ids AS id CREATE (:Item {id: id, popularity: 0})", {"ids": ITEMS})
        yield database


@pytest.fixture
def api(victim: ManagedServer, store: Database, tmp_path: Path) -> Iterator[Api]:
    _, key = create_key(store, "tests", "write")
    served = Api(victim.settings, key, tmp_path / "serve.log")
    yield served
    served.kill()
    served.client.close()


def make_batch(first: int, size: int, draw: random.Random) -> list[dict[str, Any]]:
    """Events of different times, so that each can be told from all others in the lists of an edge."""
    return [
        {
            "key": f"k{number}",
            "user": f"u{draw.randrange(50)}",
            "item": draw.choice(ITEMS),
            "kind": "view",
            "time": START + number,
        }
        for number in range(first, first + size)
    ]


def test_many_clients_that_send_the_same(api: Api, store: Database) -> None:
    batches = [make_batch(first, 1000, random.Random(first)) for first in (0, 1000, 2000)]

    def send_all(_: int) -> None:
        for batch in batches:
            api.send(batch)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(send_all, range(CLIENTS)))
    sent = graph_of(store)
    store.write("MATCH (n) WHERE n:User OR n:Event DETACH DELETE n")
    store.write("MATCH (i:Item) SET i.popularity = 0")
    for batch in batches:
        write_events(store, [Event(digest="", **one) for one in batch], START)
    assert sent == graph_of(store)


class Senders:
    """Two clients, one of arrays and one of streams, that send new events until they are told to stop."""

    def __init__(self, api: Api) -> None:
        self.api, self.acknowledged = api, list[dict[str, Any]]()
        self._stop, self._pool = threading.Event(), ThreadPoolExecutor(2)
        self._running = [self._pool.submit(self._send, *which) for which in ((False, 40, 0), (True, 1300, 10_000_000))]

    def _send(self, stream: bool, size: int, first: int) -> None:
        draw = random.Random(first)
        while not self._stop.is_set():
            batch = make_batch(first, size, draw)
            self.api.send(batch, stream)
            self.acknowledged += batch
            first += size

    def wait_for_more(self, batches: int = 3) -> None:
        """Until some more of both is acknowledged."""
        for large in (False, True):
            before, end = self._count(large), time.monotonic() + PATIENCE
            while self._count(large) < before + (1300 if large else 40 * batches):
                assert time.monotonic() < end, f"nothing more is acknowledged; see {self.api.log}"
                for one in self._running:
                    if one.done():
                        one.result()
                time.sleep(0.05)

    def _count(self, large: bool) -> int:
        return sum((int(one["key"][1:]) >= 10_000_000) is large for one in list(self.acknowledged))

    def finish(self) -> None:
        self._stop.set()
        for one in self._running:
            one.result(PATIENCE)
        self._pool.shutdown()


def assert_each_once(database: Database, events: list[dict[str, Any]]) -> None:
    expected: dict[tuple[str, str], list[int]] = {}
    for one in events:
        expected.setdefault((one["user"], one["item"]), []).append(one["time"])
    edges = database.read(TIMES)
    assert {(row["user"], row["item"]): row["times"] for row in edges} == {
        pair: sorted(times) for pair, times in expected.items()
    }
    assert all(row["count"] == len(row["times"]) for row in edges)
    assert stored_keys(database) == {one["key"] for one in events}
    wrong = "MATCH (i:Item) WHERE i.popularity <> COUNT { (i)<-[:INTERACTED]-() } RETURN i.id AS id"
    assert database.read(wrong) == []


@pytest.mark.long
def test_neo4j_is_killed_again_and_again(api: Api, store: Database, victim: ManagedServer) -> None:
    """The API starts it again and goes on, and is not started anew itself."""
    senders, draw, down = Senders(api), random.Random(1), []
    for _ in range(KILLS):
        senders.wait_for_more()
        time.sleep(draw.random() / 2)  # somewhere in a transaction
        killed = psutil.Process(victim.status().pid)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        begin = time.monotonic()
        senders.wait_for_more(1)
        down.append(time.monotonic() - begin)
    senders.finish()
    assert api.process.poll() is None
    assert_each_once(store, senders.acknowledged)
    print("seconds until acknowledged again:", [round(one, 1) for one in down])  # noqa: T201  shown by -s


@pytest.mark.long
def test_the_api_is_killed_again_and_again(api: Api, store: Database) -> None:
    senders, draw = Senders(api), random.Random(2)
    for _ in range(KILLS):
        senders.wait_for_more()
        time.sleep(draw.random() / 2)
        api.kill()
        api.start()
    senders.wait_for_more(1)
    senders.finish()
    assert_each_once(store, senders.acknowledged)
