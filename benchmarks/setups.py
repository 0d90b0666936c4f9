"""Ways to run the web process: `python -m benchmarks.setups [STORE]`.

`twohop serve` (uvicorn, its HTTP protocol with time-outs for slow clients) and granian, with one process and with two,
answer the same requests for recommendations of the engine `projection`, in turns. Two processes of uvicorn are two
servers, each with its share of the clients. granian serves the same app, without the limits of `api.web.server`: heads
that come byte by byte, and replies that nobody takes. The clients run in one more process on the same machine. Then
ways to write the reply's JSON.

Wants a store that is indexed and runs, and the extra `setups`. Writes `benchmarks/results/setups.json`.
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from typing import Any

import msgspec
import orjson
import psutil
from pydantic_core import to_json

from api.web.server import listen
from benchmarks.runs import STORE, command, keep, results, sized
from benchmarks.serving import SETTLE, USERS, Took, connections, machine, percentile, ready, served
from graph.driver import connect
from graph.keys import create_key, revoke_key
from graph.progress import track
from graph.settings import load_settings

RESULTS = results("setups")
M, K, CLIENTS = 50, 200, 4
ROUNDS, REQUESTS = sized((5, 1_000), (2, 100))
PROCESSES = (1, 2)
Servers = list[tuple[str, str]]  # address and key of each
Row = dict[str, Any]


@contextmanager
def granian(store: str, key: str, processes: int) -> Iterator[Servers]:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    words = ["--interface", "asgi", "--factory", "--port", str(port), "--workers", str(processes), "--no-ws"]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "granian",
            *words,
            "--loop",
            "uvloop",
            "--log-level",
            "error",
            "benchmarks.application:application",
        ],
        env=os.environ | {"TWOHOP_RATE_LIMIT": "1000000/second", "OMP_NUM_THREADS": "1", "TWOHOP_STORE": store},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while not listens(address):
            if process.poll() is not None:
                sys.exit(f"granian ended by itself (exit {process.returncode}): run it by hand to see why")
            time.sleep(0.2)
        yield [(address, key)]
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def listens(address: str) -> bool:
    try:
        return ready(address)
    except OSError:
        return False


async def drive(servers: Servers, paths: Sequence[str]) -> tuple[list[Took], float]:
    """What each request took, and the seconds of all of them; the clients are shared out among the servers."""
    begun, count = time.perf_counter(), len(servers)
    parts = await asyncio.gather(
        *(
            connections(address, key, paths[place::count], CLIENTS // count)
            for place, (address, key) in enumerate(servers)
        )
    )
    return [one for took, _ in parts for one in took], time.perf_counter() - begun


def measure(store: str, setups: dict[str, Servers], users: Sequence[str]) -> list[Row]:
    found: dict[str, list[tuple[list[Took], float]]] = {name: [] for name in setups}
    order = cycle(users)
    for round_ in track(range(-1, ROUNDS), "Rounds", ROUNDS + 1):  # the first one warms up
        for name, servers in setups.items():
            paths = [f"/users/{user}/recommendations?k=10&m={M}&neighbours={K}" for user in islice(order, REQUESTS)]
            took = asyncio.run(drive(servers, paths))
            if round_ >= 0:
                found[name].append(took)
    first = [len(took) / seconds for took, seconds in next(iter(found.values()))]
    return [row(store, name, rounds, first) for name, rounds in found.items()]


def row(store: str, name: str, rounds: Sequence[tuple[list[Took], float]], first: Sequence[float]) -> Row:
    """`ratio`: requests/s by those of the first setup in the same round, the median of the rounds."""
    times = [one[0] for took, _ in rounds for one in took]
    rates = [len(took) / seconds for took, seconds in rounds]
    return {
        "data": store, "setup": name, "m": M, "k": K, "clients": CLIENTS,
        "requests_per_second": round(statistics.median(rates), 1),
        "slowest_and_fastest_round": [round(min(rates), 1), round(max(rates), 1)],
        "ratio": round(statistics.median(one / other for one, other in zip(rates, first, strict=True)), 2),
        "p50_ms": round(statistics.median(times), 3), "p99_ms": round(percentile(times, 0.99), 3),
        "load": round(psutil.getloadavg()[0], 1), "machine": machine(),
    }  # fmt: skip


def encoders() -> list[Row]:
    """Microseconds that each way takes for the reply of ten items, in turns: the median of many."""
    chosen = random.Random(0)  # noqa: S311  numbers
    items = [
        {
            "id": str(n),
            "title": "A title (1995)",
            "score": chosen.random(),
            "direct": chosen.random(),
            "source": "paths",
        }
        for n in range(10)
    ]
    document = {"user": "1", "generation": 2, "variant": "control", "items": items}
    ways: dict[str, Callable[[Any], object]] = {
        "pydantic_core (ours)": to_json,
        "json": lambda one: json.dumps(one).encode(),
        "orjson": orjson.dumps,
        "msgspec": msgspec.json.Encoder().encode,
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(2_000):
        for name, way in ways.items():
            begun = time.perf_counter()
            way(document)
            took[name].append(1e6 * (time.perf_counter() - begun))
    return [{"encoder": name, "p50_us": round(statistics.median(some), 1)} for name, some in took.items()]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command(__doc__)
    usual = sized("movielens-1m", STORE)
    parser.add_argument("store", nargs="?", metavar="STORE", default=usual, help="else %(default)s")
    store: str = parser.parse_args(arguments).store
    with connect(load_settings(store)) as database, ExitStack() as stack:
        users = [one["id"] for one in database.read(USERS)]
        random.Random(0).shuffle(users)  # noqa: S311  an order
        key_id, key = create_key(database, "benchmarks.setups", "read")
        stack.callback(revoke_key, database, key_id)
        setups: dict[str, Servers] = {}
        for processes in PROCESSES:
            alone = [stack.enter_context(served(store, "projection")) for _ in range(processes)]
            setups[f"uvicorn (twohop serve), {processes}"] = alone
            setups[f"granian, {processes}"] = stack.enter_context(granian(store, key, processes))
        time.sleep(SETTLE)  # the projection is opened meanwhile; until then queries answer
        rows = measure(store, setups, users)
    for one in rows:
        print(one, flush=True)
    keep(RESULTS, {"setups": rows, "encoders": encoders()})


if __name__ == "__main__":
    main()
