"""Neo4j's Graph Data Science library as a peer: `python -m benchmarks.gds [STORE]`.

Its node similarity (cosine of the buyers) and its kNN (over FastRP vectors) make the second hop in place of SimNet.
Their edges, of an own type each, are walked by the very queries that walk `SIMILAR`, on a copy of the store, in
a server of its own: the library is in no other one's plugin folder. The library knows no triggers' weights, so these
halve every `HALF` steps back; and it has no direct part. What counts is speed beside quality, of the same users in one
run.

GDS 2.13 is the line for Neo4j 5.26; its free edition uses 4 threads at most. Wants a store that is indexed and does not
run, and MovieLens-1M's data in TWOHOP_DATA for the published negatives. Writes `benchmarks/results/gds.json`.
"""

import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from api.engines import CypherEngine
from api.evaluation import as_served, drawn, store_protocols
from benchmarks.runs import command, keep, results
from benchmarks.serving import machine, percentile
from cypher.catalogue import catalogue
from graph.driver import Database, connect
from graph.errors import StoreBusy
from graph.generations import live_generation
from graph.jars import fetch, read_lock
from graph.progress import step, track
from graph.server import ManagedServer
from graph.server_folder import ServerFolder, State
from graph.settings import Settings, load_settings
from graph.source import read_source
from graph.statements import statement
from models.evaluation import Catalogue, evaluate

HERE = Path(__file__).parent
LOCK, STATEMENTS, RESULTS = HERE / "gds.lock.toml", HERE / "peers", results("gds")
VERSION = "2.13.9"
PEERS = {"node similarity": ("NODE_SIMILAR", 1001), "kNN of FastRP": ("KNN_SIMILAR", 1002)}
M, K, N = 300, 100, 10
SIZE, HALF, THREADS = 128, 3.0, 2  # of vectors; steps; threads
USERS, ROUNDS, ASKED = 500, 5, 40
Row = dict[str, Any]


class PeerFolder(ServerFolder):
    """A server's folder whose configuration lets the library reach into the database."""

    def write_conf(self, state: State) -> None:
        super().write_conf(state)
        with (self.conf / "neo4j.conf").open("a", encoding="utf-8") as conf:
            conf.write("dbms.security.procedures.unrestricted=gds.*\n")


@dataclass(frozen=True)
class Renamed:
    """A database whose queries walk edges of another type than `SIMILAR`."""

    database: Database
    type: str

    def read(self, query: str, parameters: Row | None = None) -> list[Row]:
        return self.database.read(query.replace(":SIMILAR", f":{self.type}"), parameters)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command(__doc__)
    parser.add_argument("store", nargs="?", metavar="STORE", default="movielens-1m", help="else %(default)s")
    store: str = parser.parse_args(arguments).store
    with copied(load_settings(store)) as settings, peer_server(settings), connect(settings) as database:
        before = live_generation(database)
        if before is None:
            sys.exit(f"store {store} has no live weights: twohop train pdn, then twohop index")
        engines = {"PDN": ("SIMILAR", before.id), **PEERS}
        made = make_edges(database)
        rows = quality(database, settings, engines)
        speeds = speed(database, engines, rows[0]["users_asked"])
    for one in rows:
        one |= {"data": store, "m": M, "k": K, **speeds[one["engine"]], **made.get(one["engine"], {})}
        one |= {"gds": VERSION, "machine": machine(), "load": round(psutil.getloadavg()[0], 1)}
        del one["users_asked"]
        print(one, flush=True)
    keep(RESULTS, rows)


@contextmanager
def copied(settings: Settings) -> Iterator[Settings]:
    """Settings of a copy of the store, with ports of its own. Raises `StoreBusy` where the store's server runs."""
    if ManagedServer(settings).status().running:
        raise StoreBusy(f"the server of store {settings.store} runs: stop it first (twohop neo4j stop)")
    with TemporaryDirectory(dir=settings.home, prefix="gds-") as home:
        with step("Copying the store"):
            shutil.copytree(settings.store_folder / "neo4j", Path(home) / settings.store / "neo4j")
        (Path(home) / settings.store / "neo4j" / "state.json").unlink(missing_ok=True)
        changed = {"home": Path(home).resolve(), "bolt_port": None, "http_port": None}
        yield Settings(**settings.model_dump() | changed)


class PeerServer(ManagedServer):
    """A server with the library in its plugin folder and, as Neo4j's own start script has it, on its class path."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.folder = PeerFolder(settings)
        fetched = fetch(settings.maven_url, jars=read_lock(LOCK), what=f"Graph Data Science {VERSION}")
        plugins = self.folder.home / "plugins"
        plugins.mkdir()
        self.plugins = [Path(shutil.copy(jar, plugins)) for jar in fetched]

    def _launch(self, state: State, jars: list[Path]) -> None:
        super()._launch(state, [*jars, *self.plugins])


@contextmanager
def peer_server(settings: Settings) -> Iterator[None]:
    server = PeerServer(settings)
    server.start()
    try:
        yield
    finally:
        server.stop()


def peer_statement(name: str) -> str:
    return (STATEMENTS / f"{name}.cypher").read_text("utf-8")


def make_edges(database: Database) -> dict[str, Row]:
    """The edges of both methods, and how long each took."""
    made = {}
    options = {"k": K, "threads": THREADS, "size": SIZE}
    parts = (("project", "node_similarity"), ("project_both", "embed", "knn"))
    for (name, (kind, generation)), names in zip(PEERS.items(), parts, strict=True):
        begun = time.perf_counter()
        with step(name):
            for one in names:
                [found] = database.write(peer_statement(one), options | {"type": kind})
        seconds = time.perf_counter() - begun
        edges = peer_statement("order_edges").replace(":SIMILAR", f":{kind}")
        database.write_in_batches(edges, {"generation": generation})
        index = statement("index_similar").replace(":SIMILAR", f":{kind}").replace("similar_paths", kind.lower())
        database.write(index)
        made[name] = {"seconds": round(seconds, 1), "edges": found["edges"]}
    database.write_in_batches(peer_statement("weigh_triggers"), {"half": HALF})
    database.read(statement("await_indexes"), {"timeout": 600})
    return made


def serve(database: Database, kind: str, generation: int) -> CypherEngine:
    database.write(peer_statement("serve"), {"generation": generation})
    return CypherEngine(Renamed(database, kind))  # type: ignore[arg-type]


def quality(database: Database, settings: Settings, engines: dict[str, tuple[str, int]]) -> list[Row]:
    """HR@10 and NDCG@10 of each, with their intervals, by every protocol of the store; the same random users."""
    source = read_source(database)
    shop = Catalogue.of(catalogue(database, source.min_buyers))
    protocols = drawn(store_protocols(database, source, settings, shop.items), USERS)
    rows = []
    for name, (kind, generation) in engines.items():
        ranker = as_served(serve(database, kind, generation), M, K)
        for protocol in track(protocols, name, len(protocols)):
            estimates = evaluate(protocol, ranker, shop).estimates()
            row: Row = {"engine": name, "protocol": protocol.name, "users_asked": sorted(protocol.truth)}
            row |= {
                metric: [round(found.mean, 4), round(found.low or 0.0, 4), round(found.high or 1.0, 4)]
                for metric in (f"hr@{N}", f"ndcg@{N}")
                if (found := estimates.get(metric))
            }
            rows.append(row | {"users": len(protocol.truth)})
    return rows


def speed(database: Database, engines: dict[str, tuple[str, int]], users: Sequence[str]) -> dict[str, Row]:
    """Times of `recommend` in turns, the same users for all in a round."""
    took: dict[str, list[float]] = {name: [] for name in engines}
    for round_ in track(range(-1, ROUNDS), "Speed", ROUNDS + 1):  # the first one warms up
        for name, (kind, generation) in engines.items():
            engine = serve(database, kind, generation)
            for place in range(ASKED):
                begun = time.perf_counter()
                engine.recommend(users[((round_ + 1) * ASKED + place) % len(users)], N, m=M, k=K, fill=False)
                if round_ >= 0:
                    took[name].append(1e3 * (time.perf_counter() - begun))
    return {
        name: {"p50_ms": round(statistics.median(some), 2), "p99_ms": round(percentile(some, 0.99), 2)}
        for name, some in took.items()
    }


if __name__ == "__main__":
    main()
