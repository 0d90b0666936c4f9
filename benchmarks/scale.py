"""The whole life of generated stores of growing size: `python -m benchmarks.scale [--shapes small|all|NAME …]`.

Of each shape a store is generated and loaded in bulk but for some interactions, which then come by the incremental
writer; PDN is trained a fixed number of steps, indexed, switched to, and projected. At the end the same m and k are
served from this store and from the smallest one, in turns. Each phase has a process of its own, whose memory with the
server's and the import tool's is sampled every 0.2 s.

Writes `benchmarks/results/scale.json` after each phase: interrupted, the same command goes on after the last one.
Stores are in TWOHOP_HOME and leave when they are measured, but for the smallest, which the others are compared with.
`--again` measures these shapes anew.
"""

import random
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import psutil

from api.engines import CypherEngine, ProjectionEngine, open_projections
from api.training import train_pdn, write_index
from benchmarks.runs import alone, command, keep, kept, results, sized
from benchmarks.serving import compared, machine
from benchmarks.writers import measured
from graph import generations
from graph.driver import Database, connect
from graph.incremental import write_edges
from graph.rows import collect_edges
from graph.schema import Tables
from graph.server import ManagedServer
from graph.settings import Settings, load_settings
from graph.snapshot import read_snapshot
from graph.statements import statement
from graph.writers import write
from loaders import Shape, load
from models import artefacts
from models.recipe import Recipe

RESULTS = results("scale")
SHAPES = {
    "10k": Shape(10_000, 10_000, 100_000),
    "100k": Shape(100_000, 100_000, 1_000_000),
    "amazon-books": Shape(393_801, 351_356, 6_271_511),  # the sizes of the paper's Amazon Books
    "1m": Shape(1_000_000, 1_000_000, 10_000_000),
} | sized({}, {"10k": Shape(2_000, 2_000, 20_000)})
GROUPS = {"small": ("10k", "100k"), "all": tuple(SHAPES)}
BASE = "10k"
STEPS, BATCH = sized(200, 20), 128
M = K = 20
RECIPE = Recipe.model_validate(
    {
        "pairs": {"candidates": 50, "window": 5},
        "sampling": {"triggers": 20, "batch": BATCH, "examples": STEPS * BATCH},
        "epochs": 1,
        "validation_users": 0,
        "similar": K,
    }
)
ADDED, MOST_ADDED = 0.2, 400_000  # share of the interactions that comes later, in two equal parts, and the most of it
ROUNDS, REQUESTS = 5, {"cypher": 30, "projection": 300}  # of a round
TOOK = re.compile(r"IMPORT DONE in (.*?)\.\s*$", re.MULTILINE)
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
USERS = """
MATCH (u:User) WHERE COUNT { (u)-[:INTERACTED]->() } >= $m
RETURN u.id AS id ORDER BY id
"""
Figures = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A shape and the store that it has."""

    name: str

    @property
    def shape(self) -> Shape:
        return SHAPES[self.name]

    @property
    def settings(self) -> Settings:
        return load_settings(f"scale-{self.name}")


@contextmanager
def measuring(place: Place, figures: Figures, name: str) -> Iterator[Database]:
    """The store's database; wall time and peak memory of the block into `figures`."""
    server = ManagedServer(place.settings)
    with connect(place.settings) as database:
        with measured(server) as found:
            yield database
        figures[name] = found


def load_store(place: Place) -> Figures:
    """Generate and bulk load; then the rest by the incremental writer: edges alone, a part as a load, and again."""
    figures: Figures = {}
    with measuring(place, figures, "generate"):
        tables = load("generated", place.settings, shape=place.shape).tables
    apart = pl.int_range(pl.len()) % max(round(1 / ADDED), len(tables.interactions) // MOST_ADDED)
    most = tables.interactions.filter(apart != 0)
    later = tables.interactions.filter(apart == 0).sample(fraction=1.0, shuffle=True, seed=0)
    edges = len(most) + len(tables.held_out)
    with measuring(place, figures, "bulk load") as database:
        write(replace(tables, interactions=most), place.settings, database, "bulk")
    figures["bulk load"] |= rates(edges, figures["bulk load"]["wall_s"])
    log = ManagedServer(place.settings).folder.admin_log.read_text(encoding="utf-8", errors="replace")
    if said := TOOK.search(log):
        seconds = sum(float(part[:-2]) * UNITS["ms"] if part.endswith("ms") else float(part[:-1]) * UNITS[part[-1]]
                      for part in said[1].split())  # fmt: skip
        figures["import tool alone"] = {"wall_s": round(seconds, 2), **rates(edges, seconds)}
    first, second = later[: len(later) // 2], later[len(later) // 2 :]
    new = collect_edges(first)
    with measuring(place, figures, "add edges") as database:
        write_edges("interacted", new, database)
    figures["add edges"] |= rates(len(new), figures["add edges"]["wall_s"])
    part = part_of(tables, second)
    for name in ("incremental load", "the same again"):
        with measuring(place, figures, name) as database:
            write(part, place.settings, database, "incremental")
        figures[name] |= rates(len(second), figures[name]["wall_s"])
    with connect(place.settings) as database:
        [stored] = database.read(statement("count_edges"))
    return figures | {
        "stored": {"edges": sum(stored.values()), "wanted": len(tables.interactions) + len(tables.held_out)}
    }


def part_of(tables: Tables, interactions: pl.DataFrame) -> Tables:
    """These interactions and the nodes that they name, as a shop sends them."""
    users, items = interactions["user"].unique().implode(), interactions["item"].unique().implode()
    return replace(
        tables,
        interactions=interactions,
        users=tables.users.filter(pl.col("id").is_in(users)),
        items=tables.items.filter(pl.col("id").is_in(items)),
        in_category=tables.in_category.filter(pl.col("item").is_in(items)),
        held_out=tables.held_out.clear(),
    )


def rates(edges: int, seconds: float) -> Figures:
    return {"edges": edges, "edges_per_s": round(edges / seconds)}


def train_store(place: Place) -> Figures:
    figures: Figures = {}
    with measuring(place, figures, "snapshot") as database:
        data = read_snapshot(database)
    with measuring(place, figures, "train"):
        train_pdn(place.settings, data, RECIPE)
    return figures


def index_store(place: Place) -> Figures:
    figures: Figures = {}
    with measuring(place, figures, "index") as database:
        generation = write_index(database, artefacts.load(place.settings.artefacts_folder), read_snapshot(database))
    with measuring(place, figures, "switch") as database:
        generations.switch(database, generation)
        live = generations.live_generation(database)
    if live:
        edges = live.interactions + live.similar
        figures["index"] |= {"similar": live.similar, **rates(edges, figures["index"]["wall_s"])}
    return figures


def project_store(place: Place) -> Figures:
    figures: Figures = {}
    with measuring(place, figures, "projection") as database:
        open_projections(lambda: database, place.settings).look()
    return figures


def serve_store(place: Place) -> Figures:
    """p50 and p99 of both engines, and the smallest store's p50 in the same rounds."""
    with ExitStack() as stack:
        asks = {one.name: asked(stack, one) for one in {place.name: place, BASE: Place(BASE)}.values()}
        took: dict[tuple[str, str], list[list[float]]] = {}
        for round_ in range(-1, ROUNDS):  # the first one warms up
            for store, engines in asks.items():
                for engine, ask in engines.items():
                    times = [ask() for _ in range(REQUESTS[engine])]
                    if round_ >= 0:
                        took.setdefault((store, engine), []).append(times)
    figures: Figures = {}
    for engine in REQUESTS:
        figures[f"serve by {engine}"] = {"m": M, "k": K} | compared(took[place.name, engine], took[BASE, engine])
    return figures


def asked(stack: ExitStack, place: Place) -> dict[str, Callable[[], float]]:
    """By engine: a request of the next user with M triggers or more, and the seconds that it took."""
    database = stack.enter_context(connect(place.settings))
    projections = open_projections(lambda: database, place.settings)
    projections.look()
    projections.start()
    stack.callback(projections.stop)
    users = [row["id"] for row in database.read(USERS, {"m": M})]
    random.Random(0).shuffle(users)  # noqa: S311  an order
    engines = {"cypher": CypherEngine(database), "projection": ProjectionEngine(database, projections)}

    def asking(name: str) -> Callable[[], float]:
        order = iter(users * (1 + (ROUNDS + 1) * REQUESTS[name] // len(users)))

        def ask() -> float:
            if name == "projection" and projections.chosen() is None:
                raise RuntimeError("the projection is not fresh: Neo4j would answer in its place")
            user, begun = next(order), time.perf_counter()
            engines[name].recommend(user, 10, m=M, k=K, fill=False)
            return time.perf_counter() - begun

        return ask

    return {name: asking(name) for name in engines}


PHASES: dict[str, Callable[[Place], Figures]] = {
    "load": load_store,
    "train": train_store,
    "index": index_store,
    "projection": project_store,
    "serve": serve_store,
}


def measure(place: Place, again: bool) -> None:
    """All phases that are still missing, one after the other; each is kept when it ends."""
    rows: list[Figures] = kept(RESULTS, [])
    row = next((one for one in rows if one["shape"] == place.name), None)
    folder = place.settings.store_folder
    if again or row is None or not row["done"] or not (folder.exists() or row["done"] == list(PHASES)):
        discard(place)
        row = {"shape": place.name, **asdict(place.shape), "machine": machine(), "done": []}
    try:
        for name, phase in PHASES.items():
            if name in row["done"]:
                continue
            row["processes_running_before"] = round(psutil.getloadavg()[0], 1)
            found = alone(phase, place)
            row |= found
            row["done"] = [*row["done"], name]
            row["disk_mib"] = row.get("disk_mib", {}) | {name: used(folder)}
            keep(RESULTS, in_order([one for one in kept(RESULTS, []) if one["shape"] != place.name] + [row]))
            print(place.name, found, flush=True)
    finally:
        ManagedServer(place.settings).stop()
    if place.name != BASE:
        discard(place)


def remake(place: Place) -> None:
    """The store of a shape that was measured before, for others to be compared with; its figures stay."""
    for name, phase in PHASES.items():
        if name != "serve":
            alone(phase, place)


def in_order(rows: list[Figures]) -> list[Figures]:
    return sorted(rows, key=lambda row: list(SHAPES).index(row["shape"]))


def used(folder: Path) -> int:
    """MiB of the store on disk."""
    return round(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20)


def discard(place: Place) -> None:
    ManagedServer(place.settings).stop()
    shutil.rmtree(place.settings.store_folder, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command(__doc__)
    parser.add_argument(
        "--shapes", nargs="+", default=[sized("small", BASE)], choices=[*GROUPS, *SHAPES], metavar="SHAPE",
        help=", ".join([*GROUPS, *SHAPES]),
    )  # fmt: skip
    parser.add_argument("--again", action="store_true", help="measure these shapes anew")
    asked_for = parser.parse_args(arguments)
    names = {name for given in asked_for.shapes for name in GROUPS.get(given, (given,))}
    base = Place(BASE)
    try:
        for name in SHAPES:  # the smallest comes first
            if name in names:
                measure(Place(name), asked_for.again)
            if name == BASE and not base.settings.store_folder.exists():
                remake(base)
    finally:
        ManagedServer(base.settings).stop()


if __name__ == "__main__":
    main()
