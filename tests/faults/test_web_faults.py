"""The REST API when something breaks or somebody is slow, over real sockets to a process of its own."""

import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from benchmarks.serving import drive, percentile, slow_clients
from graph.driver import connect
from graph.generations import switch, write_generation
from graph.keys import create_key
from graph.server import ManagedServer
from graph.settings import Settings
from tests.weighted_graph import star

pytestmark = pytest.mark.faults
REPOSITORY = Path(__file__).parents[2]
NewSettings = Callable[..., Settings]
HELD, REQUESTS, ROUNDS = 30, 400, 3  # seconds of the slow connections in all rounds
MIB = 2**20


@contextmanager
def serving(settings: Settings, *words: str, **changed: str) -> Iterator[tuple[str, int]]:
    """(address, pid) of `twohop serve` for the store of these settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TWOHOP_", "NEO4J_"))}
    asked = {
        "TWOHOP_HOME": str(settings.home),
        "TWOHOP_STORE": settings.store,
        "TWOHOP_HEAP": "512m",
        "TWOHOP_PAGE_CACHE": "128m",
        "PYTHONPATH": str(REPOSITORY),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "api", "serve", "--port", "0", *words],
        env=environment | asked | changed,
        cwd=settings.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        yield process.stdout.readline().removeprefix("Window: ").split("/#")[0], process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        finally:
            process.kill()


def wait_for(status: int, address: str, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while httpx.get(f"{address}/health/ready", timeout=10).status_code != status:
        assert time.monotonic() < end, f"/health/ready never said {status}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def victim(new_settings: NewSettings) -> Iterator[ManagedServer]:
    """A managed server whose small graph has live weights."""
    managed = ManagedServer(new_settings(store="web-victim"))
    with connect(managed.settings) as database:
        small = star(2.0, ("b", "c"))
        small.write(database)
        generation = write_generation(database, small.weights(), model="pdn", data="tests", artefact="sha", metrics={})
        switch(database, generation)
    yield managed
    managed.stop()


@pytest.fixture(scope="module")
def key(victim: ManagedServer) -> str:
    with connect(victim.settings) as database:
        return create_key(database, "tests", "write")[1]


# The database


@pytest.mark.long
def test_a_killed_managed_server_is_started_again(victim: ManagedServer, key: str) -> None:
    headers = {"X-API-Key": key}
    with (
        serving(victim.settings) as (address, _),
        httpx.Client(base_url=address, headers=headers, timeout=10) as client,
    ):
        wait_for(200, address)
        assert client.get("/users").status_code == 200
        killed = victim.status().pid
        assert killed
        os.kill(killed, signal.SIGKILL)
        times = []
        seen = set()
        end = time.monotonic() + 300
        while True:
            begun = time.monotonic()
            response = client.get("/users")
            seen.add(response.status_code)
            if response.status_code == 503:
                times.append(time.monotonic() - begun)
            assert client.get("/health/live").status_code == 200
            if response.status_code == 200 and victim.status().pid not in (None, killed):
                break
            assert response.status_code in (200, 503, 504)  # the last one where it is up again, and cold
            if response.status_code == 503:
                assert response.headers["retry-after"]
                assert response.headers["content-type"] == "application/problem+json"
            assert time.monotonic() < end, "it did not come back"
            time.sleep(0.05)
        assert 503 in seen
        assert max(times) < 5  # no request waits for the restart, which takes longer
        assert statistics.median(times) < 0.5
        wait_for(200, address)


@pytest.mark.long
def test_a_server_that_moved_is_found(victim: ManagedServer, key: str) -> None:
    with serving(victim.settings) as (address, _):
        wait_for(200, address)
        victim.stop()
        wait_for(503, address)
        time.sleep(3)
        assert not victim.status().running  # stopped on purpose: it is left alone
        moved = ManagedServer(victim.settings.model_copy(update={"bolt_port": free_port()}))
        before = victim.status().bolt_uri
        moved.start()
        assert moved.status().bolt_uri != before
        wait_for(200, address)
        assert httpx.get(f"{address}/users", headers={"X-API-Key": key}).status_code == 200


def test_a_server_that_hangs_holds_up_nobody_for_long(victim: ManagedServer, key: str) -> None:
    headers = {"X-API-Key": key}
    with serving(victim.settings, TWOHOP_REQUEST_TIMEOUT="3") as (address, _):
        wait_for(200, address)
        pid = victim.status().pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        try:
            first = httpx.get(f"{address}/users", headers=headers, timeout=20)
            assert first.status_code in (503, 504)
            wait_for(503, address, 60)
            begun = time.monotonic()
            assert httpx.get(f"{address}/users", headers=headers, timeout=20).status_code == 503
            assert time.monotonic() - begun < 1
            assert httpx.get(f"{address}/health/live").status_code == 200
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for(200, address)
        assert httpx.get(f"{address}/users", headers=headers).status_code == 200


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Slow and large requests. They want no database but for the key, which is a stored one.


@pytest.fixture(scope="module")
def served(victim: ManagedServer) -> Iterator[tuple[str, int]]:
    victim.start()
    with serving(victim.settings, TWOHOP_RATE_LIMIT="100000/second") as (address, pid):
        wait_for(200, address)
        yield address, pid


def opened(address: str) -> socket.socket:
    host, port = address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), 30)


def answer_to(connection: socket.socket) -> bytes:
    """All that comes until the other end closes."""
    told = b""
    with connection:
        connection.settimeout(30)
        while part := connection.recv(65_536):
            told += part
    return told


def test_the_end_of_a_body_that_was_refused_is_no_head(served: tuple[str, int]) -> None:
    """The reply is there before the body is; what comes of it then is thrown away, and the connection stays."""
    address, _ = served
    size, late = 200_000, 150_000
    with closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)) as connection:
        connection.putrequest("POST", "/events")
        for name, value in {"content-type": "application/json", "content-length": str(size)}.items():
            connection.putheader(name, value)
        connection.endheaders(b" " * (size - late))
        with connection.getresponse() as reply:
            assert (reply.status, bool(reply.read())) == (401, True)
        kept = connection.sock
        kept.sendall(b" " * late)
        time.sleep(0.2)
        connection.request("GET", "/health/live")
        assert connection.getresponse().status == 200
        assert connection.sock is kept


def test_slow_heads_and_idle_connections_are_closed(served: tuple[str, int]) -> None:
    address, _ = served
    begun = time.monotonic()
    half, idle, dripping = opened(address), opened(address), opened(address)
    half.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\n")
    dripping.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\n")
    while time.monotonic() - begun < 11:
        time.sleep(0.5)
        try:
            dripping.sendall(b"X: 1\r\n")
        except OSError:
            break
    assert answer_to(half).startswith(b"HTTP/1.1 408 ")
    assert answer_to(idle) == b""
    assert 9 < time.monotonic() - begun < 20


def test_a_head_without_an_end_is_refused(served: tuple[str, int]) -> None:
    connection = opened(served[0])
    connection.sendall(b"GET / HTTP/1.1\r\n")
    for _ in range(200):
        try:
            connection.sendall(b"X-Long: " + b"a" * 1000 + b"\r\n")
        except OSError:
            break
    told = connection.recv(65_536)
    assert told.startswith(b"HTTP/1.1 431 ")
    assert json.loads(told.partition(b"\r\n\r\n")[2])["status"] == 431


def test_no_http_is_a_problem(served: tuple[str, int]) -> None:
    connection = opened(served[0])
    connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n")
    told = answer_to(connection)
    assert told.startswith(b"HTTP/1.1 400 ")
    assert json.loads(told.partition(b"\r\n\r\n")[2])["status"] == 400


def test_a_body_that_stalls_is_refused(served: tuple[str, int], key: str) -> None:
    connection = opened(served[0])
    head = f"POST /events HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    begun = time.monotonic()
    assert answer_to(connection).startswith(b"HTTP/1.1 408 ")
    assert 9 < time.monotonic() - begun < 20


@pytest.mark.parametrize("says_its_length", [True, False])
def test_a_body_of_100_mb_costs_no_memory(served: tuple[str, int], key: str, says_its_length: bool) -> None:
    address, pid = served
    process = psutil.Process(pid)
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    httpx.post(f"{address}/events", content=b"[]", headers=headers)
    before, most = process.memory_info().rss, 0

    def body() -> Iterator[bytes]:
        nonlocal most
        for _ in range(100):
            yield b" " * 1_000_000
            most = max(most, process.memory_info().rss)

    if says_its_length:
        headers["Content-Length"] = "100000000"
    response = httpx.post(f"{address}/events", content=body(), headers=headers, timeout=60)
    assert response.status_code == 413
    assert response.json()["detail"].startswith("the body is larger than 8 MiB")
    assert most - before < 20 * MIB, f"{(most - before) / MIB:.1f} MiB"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_slow_connections_hold_up_nobody(served: tuple[str, int], key: str) -> None:
    """Ratios of the 99th percentile within rounds, beside 500 slow connections and without; their median."""
    address, _ = served
    paths = ["/users"] * REQUESTS
    drive(address, key, paths, 4)
    ratios = []
    for _ in range(ROUNDS):
        alone, _ = drive(address, key, paths, 4)
        beside = []
        with slow_clients(address, key):
            end = time.monotonic() + HELD / ROUNDS
            while time.monotonic() < end:
                beside += drive(address, key, paths, 4)[0]
        ratios.append(percentile([one[0] for one in beside], 0.99) / percentile([one[0] for one in alone], 0.99))
    print("p99 beside 500 slow connections, times that without:", [round(ratio, 2) for ratio in ratios])  # noqa: T201
    assert statistics.median(ratios) < 2
