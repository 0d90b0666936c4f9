"""How fast the engines are without HTTP, beside peers: `python -m benchmarks.in_process [STORE …]`.

In each round, in turns: the Cypher query and its floor (the same two hops, only counted), the projection, what the same
paths take in bare numpy, and peers: ALS of `implicit`, and FAISS (all items, and its graph HNSW) over the vectors of
Direct Net. Peers answer another question (docs/quality.md says how well), so this compares speed alone. After that
every user is asked of both engines: the same items in the same order?

Wants stores that are loaded and indexed, and runs. Writes rows of `benchmarks/results/serving.json`, and
`same_answers.json`.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from math import isclose
from typing import Any

import faiss
import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy import sparse

from api.engines import CypherEngine, ProjectionEngine, open_projections
from benchmarks.queries import floor as floor_of
from benchmarks.runs import STORE, command, keep, kept, running, sized
from benchmarks.serving import RESULTS, machine, percentile
from cypher.recommend import Recommendations
from graph.driver import Database
from graph.progress import track
from graph.projection.columns import Columns
from graph.settings import load_settings

SAME = RESULTS.with_name("same_answers.json")
STORES = sized(("movielens-1m", "complete-journey"), (STORE,))
SIZES = sized(((20, 50), (50, 200), (300, 100)), ((20, 20),))  # m and k
ROUNDS, FEW, MANY = sized((5, 30, 600), (2, 10, 100))  # users of a round: of Neo4j, and of what is faster
N, FACTORS = 10, 64
NEAR = 1e-5
Ask = Callable[[int], object]


def main(arguments: Sequence[str] | None = None) -> None:
    for store in command(__doc__, STORES).parse_args(arguments).stores:
        with running(store) as database:
            measure(store, database)


def measure(store: str, database: Database) -> None:
    settings = load_settings(store)
    projections = open_projections(lambda: database, settings)
    begun = time.perf_counter()
    projections.look()
    if (chosen := projections.chosen()) is None:
        sys.exit(f"store {store} has no live weights: twohop train pdn, then twohop index")
    built = time.perf_counter() - begun
    folder = settings.projection_folder / str(chosen[0].served.generation)
    columns, _ = Columns.open(folder)
    users = sorted(row["id"] for row in database.stream("MATCH (u:User)-[:INTERACTED]->() RETURN DISTINCT u.id AS id"))
    random.Random(0).shuffle(users)  # noqa: S311  an order
    rows = []
    projections.start()
    for m, k in SIZES:
        asks = engines(database, projections, chosen[0], columns, users, m, k)
        took = in_turns(asks, len(users))
        floor = 1e3 * statistics.median(took.pop("floor"))
        rows += [row(store, name, m, k, times, floor) for name, times in took.items()]
    rows += [row(store, name, None, None, times, None) for name, times in in_turns(peers(columns), len(users)).items()]
    others = [one for one in kept(RESULTS, []) if (one["data"], one["what"]) != (store, "in process")]
    keep(RESULTS, others + rows)
    for one in rows:
        print(one, flush=True)
    found = {"data": store, "open_or_build_seconds": round(built, 1), "bytes": columns.bytes(), "machine": machine()}
    found |= same_answers(database, ProjectionEngine(database, projections), users)
    projections.stop()
    keep(SAME, [one for one in kept(SAME, []) if one["data"] != store] + [found])
    print(found, flush=True)


def engines(
    database: Database, projections: Any, projection: Any, columns: Columns, users: Sequence[str], m: int, k: int
) -> dict[str, Ask]:
    """What is asked of each engine for the n-th user."""
    cypher, in_memory = CypherEngine(database), ProjectionEngine(database, projections)
    rows = [projection.edits.user(user) for user in users]
    return {
        "floor": lambda at: database.read(floor_of("recommend"), {"user": users[at], "m": m, "k": k}),
        "cypher": lambda at: cypher.recommend(users[at], N, m=m, k=k, fill=False),
        "projection": lambda at: from_memory(in_memory, users[at], m, k),
        "numpy": lambda at: bare(columns, rows[at], m, k),
    }


def from_memory(engine: ProjectionEngine, user: str, m: int, k: int) -> Recommendations:
    """Its answer; where Neo4j would answer in its place there is nothing to measure."""
    if engine.projections.chosen() is None:
        raise RuntimeError("the projection is not fresh")
    return engine.recommend(user, N, m=m, k=k, fill=False)


def bare(columns: Columns, row: int, m: int, k: int) -> Any:
    """The sums over the paths and the ten best of them: no filter, no direct part, no titles."""
    had = slice(columns.user_first[row], columns.user_first[row] + min(m, columns.user_count[row]))
    trigger, weight = columns.had_item[had], columns.had_weight[had]
    size = np.minimum(columns.item_count[trigger], k)
    first = np.repeat(columns.item_first[trigger] - np.cumsum(size) + size, size)
    edge = first + np.arange(len(first))
    path = np.log(1 + np.repeat(weight, size) * columns.similar_weight[edge])
    total = np.bincount(columns.similar_item[edge], path)
    reached = np.flatnonzero(total)  # thousands of equal zeros would make the partition slow
    best = reached[np.argpartition(total[reached], -N)[-N:]] if len(reached) > N else reached
    return best[np.argsort(-total[best])]


def peers(columns: Columns) -> dict[str, Ask]:
    users = len(columns.user_key)
    items = len(columns.id_first) - 1
    count = columns.user_count[:users]
    place = np.repeat(columns.user_first[:users] - np.cumsum(count) + count, count) + np.arange(count.sum())
    had = sparse.csr_matrix(
        (np.ones(len(place), np.float32), columns.had_item[place], np.concatenate([[0], np.cumsum(count)])),
        shape=(users, items),
    )
    als = AlternatingLeastSquares(FACTORS, iterations=3, num_threads=1, random_state=0)
    als.fit(had, show_progress=False)
    found: dict[str, Ask] = {"implicit ALS": lambda at: als.recommend(at, had[at], N)}
    if columns.user_direct.shape[1]:
        p, q = columns.user_direct[:users].astype(np.float32), columns.item_direct[:items].astype(np.float32)
        faiss.omp_set_num_threads(1)
        flat = faiss.IndexFlatIP(q.shape[1])
        graph = faiss.IndexHNSWFlat(q.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
        for index in (flat, graph):
            index.add(np.ascontiguousarray(q))
        found["FAISS flat"] = lambda at: flat.search(p[at : at + 1], N)
        found["FAISS HNSW"] = lambda at: graph.search(p[at : at + 1], N)
    return found


def in_turns(asks: dict[str, Ask], users: int) -> dict[str, list[float]]:
    """Seconds of each request. Each round takes other users, the same for all of one speed."""
    took: dict[str, list[float]] = {name: [] for name in asks}
    for round_ in range(-1, ROUNDS):  # the first one warms up
        for name, ask in asks.items():
            many = FEW if name in ("floor", "cypher") else MANY
            for place in range(many):
                at = ((round_ + 1) * many + place) % users
                begun = time.perf_counter()
                ask(at)
                if round_ >= 0:
                    took[name].append(time.perf_counter() - begun)
    return took


def row(store: str, engine: str, m: int | None, k: int | None, took: Sequence[float], floor: float | None) -> Any:
    cut = len(took) // ROUNDS
    rates = [cut / sum(took[begin : begin + cut]) for begin in range(0, cut * ROUNDS, cut)]
    return {
        "what": "in process",
        "data": store,
        "engine": engine,
        "m": m,
        "k": k,
        "clients": 1,
        "requests_per_second": round(statistics.median(rates), 1),
        "slowest_and_fastest_round": [round(min(rates), 1), round(max(rates), 1)],
        "p50_ms": round(1e3 * statistics.median(took), 4),
        "p99_ms": round(1e3 * percentile(took, 0.99), 4),
        "floor_p50_ms": None if floor is None else round(floor, 3),
        "machine": machine(),
    }


def same_answers(database: Database, in_memory: ProjectionEngine, users: Sequence[str]) -> dict[str, Any]:
    """All users, the default m and k: lists that differ other than by ties, and the largest difference of a score."""
    cypher, different, largest, ties = CypherEngine(database), 0, 0.0, 0
    for user in track(users, "The same answers", len(users)):
        one = cypher.recommend(user, N, fill=False).items
        other = from_memory(in_memory, user, 300, 100).items
        scores = list(zip((item.score for item in one), (item.score for item in other), strict=False))
        largest = max([largest, *(abs(a - b) for a, b in scores)])
        if [item.id for item in one] != [item.id for item in other]:
            tied = len(one) == len(other) and all(isclose(a, b, rel_tol=1e-12) for a, b in scores)
            ties, different = ties + tied, different + (not tied)
    return {"users": len(users), "different": different, "ties": ties, "largest_difference": largest}


if __name__ == "__main__":
    main()
