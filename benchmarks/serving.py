"""GET /users/{user}/recommendations over HTTP, from a process of its own: `python -m benchmarks.serving [STORE …]`.

Both engines serve, each with one process. The clients are connections of one more process, each of which sends its next
request when the reply to its last one is there (no load tool is needed). `database_p50_ms` is what the reply's
Server-Timing says its statements took, the driver included, and `own_p50_ms` what each request took above that.
Measured with the users of the store in a fixed random order, after a warm-up; rounds of all levels and both engines are
interleaved. At the end the same requests by 4 clients beside 500 more that send theirs a byte at a time.
Wants stores that are loaded and indexed. Writes rows of `benchmarks/results/serving.json`.
"""

import asyncio
import http.client
import json
import os
import platform
import random
import re
import resource
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from benchmarks.runs import STORE, command, results, sized
from graph.driver import connect
from graph.jars import NEO4J
from graph.settings import load_settings

RESULTS = results("serving")
STORES = sized(("movielens-1m", "complete-journey"), (STORE,))
ENGINES = ("cypher", "projection")
SIZES = sized(((20, 50), (50, 200), (300, 100)), ((20, 20),))  # m and k
CLIENTS = (1, 4, 16)
REQUESTS = sized({"cypher": 150, "projection": 2_000}, {"cypher": 30, "projection": 200})  # of a round
ROUNDS, WARM_UP = sized((3, 100), (1, 20))
SETTLE = sized(30.0, 10.0)  # seconds
USERS = "MATCH (u:User)-[:INTERACTED]->() RETURN DISTINCT u.id AS id ORDER BY id"
SLOW, PAUSE = 500, 2.0  # clients; seconds between their bytes
TIMES = re.compile(r"database;dur=([\d.]+), total;dur=([\d.]+)")
Took = tuple[float, float, float]  # milliseconds: as the client saw it, in the database, in the process


class Client:
    """One connection that stays open."""

    def __init__(self, address: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        self._headers = {"X-API-Key": key}

    def get(self, path: str) -> Took | None:
        begun = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        response.read()
        took = (time.perf_counter() - begun) * 1e3
        if response.status in (503, 504):  # too much at once for this machine: counted
            return None
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status}")
        times = TIMES.fullmatch(response.headers["server-timing"])
        if times is None:
            raise RuntimeError(f"{path}: no Server-Timing")
        return took, float(times[1]), float(times[2])


@contextmanager
def served(store: str, engine: str = "cypher") -> Iterator[tuple[str, str]]:
    """(address, key) of `twohop serve` on a free port, once it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "api", "serve", "--port", "0", "--store", store, "--engine", engine],
        env=os.environ | {"TWOHOP_RATE_LIMIT": "1000000/second", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        address, _, key = line.removeprefix("Window: ").strip().partition("/#key=")
        while not ready(address):
            time.sleep(0.1)
        yield address, key
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def ready(address: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", "/health/ready")
    return connection.getresponse().status == 200


def drive(address: str, key: str, paths: Sequence[str], clients: int) -> tuple[list[Took], float]:
    """What each request took that was answered, and the seconds of all of them."""
    begun = time.perf_counter()

    def some(part: Sequence[str]) -> list[Took]:
        client = Client(address, key)
        return [took for took in (client.get(path) for path in part) if took is not None]

    with ThreadPoolExecutor(clients) as pool:
        took = [one for part in pool.map(some, [paths[number::clients] for number in range(clients)]) for one in part]
    return took, time.perf_counter() - begun


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[round(share * (len(values) - 1))]


def compared(rounds: list[list[float]], others: list[list[float]]) -> dict[str, Any]:
    """Seconds of requests [rounds, requests], beside those of the smallest store in the same rounds."""
    every = [one for times in rounds for one in times]
    ratios = [statistics.median(mine) / statistics.median(other) for mine, other in zip(rounds, others, strict=True)]
    return {
        "p50_ms": round(1e3 * statistics.median(every), 4),
        "p99_ms": round(1e3 * percentile(every, 0.99), 4),
        "by_smallest": round(statistics.median(ratios), 3),
        "least_and_most": [round(min(ratios), 3), round(max(ratios), 3)],
    }


async def send_slowly(address: str, key: str, clients: int = SLOW) -> None:
    """Clients that send their heads or bodies a few bytes at a time, and come again when they are sent away."""
    at = urlsplit(address)
    head = f"POST /events HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n".encode()

    async def one(in_body: bool) -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection(at.hostname, at.port)
                writer.write(head + b"Content-Length: 1000\r\n\r\n" if in_body else head)
                while not writer.is_closing():
                    await asyncio.sleep(PAUSE)
                    writer.write(b" " if in_body else b"X: 1\r\n")
                    await writer.drain()
            except OSError:
                await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(one(number % 2 == 1))


@contextmanager
def slow_clients(address: str, key: str) -> Iterator[None]:
    """Run `send_slowly` in a thread meanwhile."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    loop = asyncio.new_event_loop()
    task = loop.create_task(send_slowly(address, key))

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(3)  # until all of them are there
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


def machine() -> str:
    """What measured."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(": ")[2].strip() for line in lines if "model name" in line), platform.processor())
    return f"{psutil.cpu_count()} cores of {model}, Neo4j {NEO4J}, Python {platform.python_version()}"


class Connection(asyncio.Protocol):
    """One client: the next request goes out when a reply is whole."""

    def __init__(self, requests: Iterator[bytes], ended: Callable[[], None]) -> None:
        self._requests, self._ended = requests, ended
        self._data, self._length, self._begun = bytearray(), -1, 0.0
        self.took: list[Took] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self._length < 0 and (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._data[:end]).decode("latin-1").lower()
            if head.split(" ", 2)[1] not in ("200", "503", "504"):  # the last two: too much for this machine
                raise RuntimeError(head)
            self._head, self._good = head, head.split(" ", 2)[1] == "200"
            self._length = end + 4 + int(re.search(r"content-length: (\d+)", head)[1])  # type: ignore[index]
        if 0 <= self._length <= len(self._data):
            times = TIMES.search(self._head)
            if self._good and times:
                took = (time.perf_counter() - self._begun) * 1e3
                self.took.append((took, float(times[1]), float(times[2])))
            self._data.clear()
            self._length = -1
            self._send()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self._ended()
            return
        self._begun = time.perf_counter()
        self._transport.write(request)


async def connections(address: str, key: str, paths: Sequence[str], clients: int) -> tuple[list[Took], float]:
    at, loop, left = urlsplit(address), asyncio.get_running_loop(), asyncio.Semaphore(0)
    requests = iter([f"GET {path} HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\n\r\n".encode() for path in paths])
    begun = time.perf_counter()
    opened = [
        (await loop.create_connection(lambda: Connection(requests, left.release), at.hostname, at.port))[1]
        for _ in range(clients)
    ]
    for _ in range(clients):
        await left.acquire()
    return [took for one in opened for took in one.took], time.perf_counter() - begun


def measure(store: str, users: Sequence[str], at: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """Rows of all engines, sizes and numbers of clients. `at`: address and key of each engine."""
    rows = []
    order = cycle(users)
    for m, k in SIZES:
        found: dict[tuple[str, int], list[tuple[list[Took], float]]] = {}
        for round_ in range(-1, ROUNDS):  # the first one warms up
            for engine, (address, key) in at.items():
                for clients in CLIENTS:
                    count = WARM_UP if round_ < 0 else REQUESTS[engine]
                    paths = [f"/users/{u}/recommendations?k=10&m={m}&neighbours={k}" for u in islice(order, count)]
                    round_took = asyncio.run(connections(address, key, paths, clients))
                    if round_ >= 0:
                        found.setdefault((engine, clients), []).append(round_took)
        rows += [row(store, engine, m, k, clients, rounds) for (engine, clients), rounds in found.items()]
    return rows


def row(
    store: str, engine: str, m: int, k: int, clients: int, rounds: Sequence[tuple[list[Took], float]]
) -> dict[str, Any]:
    took = [one for part, _ in rounds for one in part]
    rates = [len(part) / seconds for part, seconds in rounds]
    return {
        "what": "HTTP",
        "data": store,
        "engine": engine,
        "m": m,
        "k": k,
        "clients": clients,
        "requests_per_second": round(statistics.median(rates), 1),
        "slowest_and_fastest_round": [round(min(rates), 1), round(max(rates), 1)],
        "p50_ms": round(statistics.median(one[0] for one in took), 3),
        "p99_ms": round(percentile([one[0] for one in took], 0.99), 3),
        "database_p50_ms": round(statistics.median(one[1] for one in took), 3),
        "own_p50_ms": round(statistics.median(one[0] - one[1] for one in took), 3),
        "floor_p50_ms": None,
        "machine": machine(),
    }


def measure_slow(store: str, address: str, key: str, users: Sequence[str]) -> dict[str, Any]:
    """4 clients with and without the slow ones, in turns."""
    order, ratios = cycle(users), []
    for _ in range(ROUNDS):
        p99 = []
        for crowded in (False, True):
            paths = [f"/users/{user}/recommendations?k=10&m=20&neighbours=50" for user in islice(order, 600)]
            with slow_clients(address, key) if crowded else nullcontext():
                took, _ = drive(address, key, paths, 4)
            p99.append(percentile([one[0] for one in took], 0.99))
        ratios.append(p99[1] / p99[0])
    return {
        "what": f"HTTP beside {SLOW} clients that send a byte at a time",
        "data": store,
        "engine": "cypher",
        "m": 20,
        "k": 50,
        "clients": 4,
        "p99_ms": round(p99[1], 3),
        "p99_beside_by_p99_alone": round(statistics.median(ratios), 2),
        "machine": machine(),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    for store in command(__doc__, STORES).parse_args(arguments).stores:
        with ExitStack() as stack:
            at = {engine: stack.enter_context(served(store, engine)) for engine in ENGINES}
            with connect(load_settings(store)) as database:
                users = [row["id"] for row in database.read(USERS)]
            random.Random(0).shuffle(users)  # noqa: S311  an order
            time.sleep(SETTLE)  # the projection is built or opened meanwhile; until then queries answer
            rows = [*measure(store, users, at), measure_slow(store, *at["cypher"], users)]
        others = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
        others = [one for one in others if one["data"] != store or not one["what"].startswith("HTTP")]
        RESULTS.write_text(json.dumps(others + rows, indent=1) + "\n", encoding="utf-8")
        for one in rows:
            print(one)


if __name__ == "__main__":
    main()
