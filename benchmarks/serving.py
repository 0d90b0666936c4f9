"""GET /users/{user}/recommendations over HTTP, from a process of its own: `python -m benchmarks.serving`.

The clients are threads with `http.client` and one connection each (no load tool is needed, and it costs the two cores
less than httpx would). `database` is what the reply's Server-Timing says its statements took, the driver included;
`api` is all else of a request as its client saw it, `api_in_process` without the way through the kernel and the client.
Measured with the users of the store in a fixed random order, after a warm-up; rounds of all levels are interleaved.
At the end the same requests beside 500 clients that send their requests a byte at a time.
Wants the store complete-journey, loaded and indexed. Writes `benchmarks/results/serving.json`.
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
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from graph.driver import connect
from graph.jars import NEO4J
from graph.settings import load_settings

RESULTS = Path(__file__).parent / "results" / "serving.json"
STORE = "complete-journey"
CLIENTS = (1, 4, 16)
QUERIES = {"default (m=300, neighbours=100)": "k=10", "small (m=20, neighbours=50)": "k=10&m=20&neighbours=50"}
REQUESTS, ROUNDS, WARM_UP = 300, 3, 100
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
def served(store: str) -> Iterator[tuple[str, str]]:
    """(address, key) of `twohop serve` on a free port, once it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "api.command", "serve", "--port", "0", "--store", store],
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


def summary(took: Sequence[Took], seconds: float) -> dict[str, float]:
    whole = [one[0] for one in took]
    return {
        "answered": len(took),
        "requests_per_s": round(len(took) / seconds, 1),
        **{f"p{share}_ms": round(percentile(whole, share / 100), 2) for share in (50, 90, 95, 99)},
        "database_p50_ms": round(statistics.median(one[1] for one in took), 2),
        "api_p50_ms": round(statistics.median(one[0] - one[1] for one in took), 2),
        "api_in_process_p50_ms": round(statistics.median(one[2] - one[1] for one in took), 2),
        "api_p95_ms": round(percentile([one[0] - one[1] for one in took], 0.95), 2),
    }


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[round(share * (len(values) - 1))]


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


def measure(address: str, key: str, users: Sequence[str]) -> dict[str, Any]:
    results: dict[str, Any] = {}
    order = cycle(users)
    for name, query in QUERIES.items():
        found: dict[int, tuple[list[Took], float]] = {clients: ([], 0.0) for clients in CLIENTS}
        drive(address, key, [f"/users/{user}/recommendations?{query}" for user in islice(order, WARM_UP)], 4)
        for _ in range(ROUNDS):
            for clients, (took, seconds) in found.items():
                paths = [f"/users/{user}/recommendations?{query}" for user in islice(order, REQUESTS)]
                more, longer = drive(address, key, paths, clients)
                found[clients] = took + more, seconds + longer
        results[name] = {f"{clients} clients": summary(*some) for clients, some in found.items()}
    return results


def measure_slow(address: str, key: str, users: Sequence[str]) -> dict[str, Any]:
    """99th percentiles of 4 clients with and without the slow ones, in turns."""
    order = cycle(users)
    rounds = []
    for _ in range(ROUNDS):
        p99 = []
        for crowded in (False, True):
            paths = [f"/users/{user}/recommendations?k=10&m=20&neighbours=50" for user in islice(order, 2 * REQUESTS)]
            with slow_clients(address, key) if crowded else nullcontext():
                took, _ = drive(address, key, paths, 4)
            p99.append(percentile([one[0] for one in took], 0.99))
        rounds.append({"alone_p99_ms": round(p99[0], 2), "beside_p99_ms": round(p99[1], 2)})
    ratios = [one["beside_p99_ms"] / one["alone_p99_ms"] for one in rounds]
    return {"slow_clients": SLOW, "rounds": rounds, "median_ratio": round(statistics.median(ratios), 2)}


def main() -> None:
    with connect(load_settings(STORE)) as database:
        users = [row["id"] for row in database.read("MATCH (u:User)-[:INTERACTED]->() RETURN DISTINCT u.id AS id")]
    random.Random(0).shuffle(users)  # noqa: S311  an order
    busy = psutil.getloadavg()[0]
    with served(STORE) as (address, key):
        results = {
            "store": STORE,
            "users": len(users),
            "neo4j": NEO4J,
            "python": platform.python_version(),
            "cores": psutil.cpu_count(),
            "processes_running_before": round(busy, 2),
            "requests_a_level": ROUNDS * REQUESTS,
            "recommendations": measure(address, key, users),
            "beside_slow_clients": measure_slow(address, key, users),
            "processes_running_after": round(psutil.getloadavg()[0], 2),
        }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
