"""Both writers and the snapshot on The Complete Journey: `python -m benchmarks.writers`.

Each writer gets a store of its own in a temporary folder. Peak memory is the sum over this process, the server and
the import tool, sampled every 0.2 s. Writes `benchmarks/results/writers.json`.
"""

import json
import platform
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.runs import command, results, sized
from graph.driver import Database, connect
from graph.jars import NEO4J
from graph.schema import Tables
from graph.server import ManagedServer
from graph.settings import Settings
from graph.snapshot import read_snapshot
from graph.statements import statement
from graph.writers import WRITERS
from loaders import load

RESULTS = results("writers")
SOURCE = sized("complete-journey", "generated")
MIB = 2**20


class Memory(threading.Thread):
    """Largest resident memory of this process with all its children and one server, in bytes."""

    def __init__(self, server: ManagedServer) -> None:
        super().__init__(daemon=True)
        self.server, self.peak, self.ended = server, 0, threading.Event()

    def run(self) -> None:
        me = psutil.Process()
        while not self.ended.wait(0.2):
            pid = self.server.status().pid
            pids = {me.pid, *(child.pid for child in me.children(recursive=True)), *([pid] if pid else [])}
            self.peak = max(self.peak, sum(map(resident, pids)))


def resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


@contextmanager
def measured(server: ManagedServer) -> Iterator[dict[str, float]]:
    """Wall time and peak memory of the block, filled in when it ends."""
    figures: dict[str, float] = {}
    memory = Memory(server)
    memory.start()
    start = time.perf_counter()
    yield figures
    figures["wall_s"] = round(time.perf_counter() - start, 2)
    memory.ended.set()
    memory.join()
    figures["peak_mib"] = round(memory.peak / MIB)


def run(name: str, tables: Tables, settings: Settings) -> dict[str, Any]:
    server = ManagedServer(settings)
    try:
        with connect(settings) as database:
            write = timed(server, database, lambda: WRITERS[name](tables, settings, database))
            again = (
                timed(server, database, lambda: WRITERS["incremental"](tables, settings, database))
                if (name == "incremental")
                else None
            )
            snapshot = timed(server, database, lambda: read_snapshot(database))
    finally:
        server.stop()
    return {"write": write, "write_again": again, "snapshot": snapshot}


def timed(server: ManagedServer, database: Database, work: Callable[[], object]) -> dict[str, float]:
    with measured(server) as figures:
        work()
    edges = sum(database.read(statement("count_edges"))[0].values())
    return {**figures, "edges": edges, "edges_per_s": round(edges / figures["wall_s"])}


def main(arguments: Sequence[str] | None = None) -> None:
    command(__doc__).parse_args(arguments)
    busy = psutil.getloadavg()[0]
    with TemporaryDirectory(prefix="twohop-") as home:
        tables = load(SOURCE, Settings(home=Path(home), neo4j_uri=None)).tables
        tables = replace(tables, exposures=None)  # no writer reads them: their memory back
        found = {
            name: run(name, tables, Settings(home=Path(home), store=name, neo4j_uri=None))
            for name in ("bulk", "incremental")
        }
    results = {
        "data": tables.source.id,
        "users": len(tables.users),
        "items": len(tables.items),
        "events": len(tables.interactions) + len(tables.held_out),
        "neo4j": NEO4J,
        "python": platform.python_version(),
        "cores": psutil.cpu_count(),
        "processes_running_before": busy,
        **found,
        "bulk_times_faster": round(found["incremental"]["write"]["wall_s"] / found["bulk"]["write"]["wall_s"], 1),
        "loader_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
