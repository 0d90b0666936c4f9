"""The time of a projection alone as a store grows, on columns that are drawn: `python -m benchmarks.columns`.

Each of N items leads to k others, any of them, and each user had m. So no row that
a request reads is near another one, which is the worst case for the processor's caches; a real store's requests share
popular items. Projections of all sizes are asked in turns. `benchmarks.scale` measures whole stores.

Writes `benchmarks/results/columns.json`.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.runs import command, keep, results, sized
from benchmarks.serving import compared, machine
from cypher.walk import shortlist_for
from graph.projection.columns import AVAILABLE, DESCRIPTION, DTYPES, FORMAT, key_of, texts
from graph.projection.projection import Projection
from graph.projection.served import Served

RESULTS = results("columns")
ITEMS = sized((10_000, 100_000, 400_000, 1_000_000), (2_000, 20_000))
USERS, DIRECT = 10_000, 32  # DIRECT: length of p_u and q_i
SIZES = ((20, 20), (50, 200))  # m and k
MOST_EDGES = 100_000_000  # 1.4 GB of files
N, ROUNDS, REQUESTS = 10, sized(15, 3), sized(300, 50)
Row = dict[str, Any]


def draw(folder: Path, items: int, m: int, k: int) -> None:
    """The files of a projection, as `Columns` describes them, without room for changes."""
    rng = np.random.default_rng(items)
    names = [f"i{number}" for number in range(items)]
    users = sorted(key_of(user(number)) for number in range(USERS))
    first, text = texts(names)
    columns: dict[str, Any] = {
        "user_key": [key for key, _ in users],
        "user_check": [check for _, check in users],
        "user_direct": rng.normal(0, 0.3, (USERS, DIRECT)),
        "had_item": rng.integers(0, items, USERS * m),
        "had_weight": -np.sort(-rng.random((USERS, m))),
        "item_order": np.arange(items),
        "item_state": np.full(items, AVAILABLE),
        "item_price": np.full(items, np.nan),
        "item_direct": rng.normal(0, 0.3, (items, DIRECT)),
        "similar_item": rng.integers(0, items, items * k),
        "similar_weight": rng.random(items * k),
        "similar_rank": np.tile(np.arange(1, k + 1), items),
        "id_first": first,
        "id_text": text,
        "title_first": first,
        "title_text": text,
        "category_first": np.zeros(items + 1),
        "category_node": [],
    }
    for kind, rows, each in (("user", USERS, m), ("item", items, k)):
        columns |= {f"{kind}_first": np.arange(rows) * each, f"{kind}_known": np.ones(rows)}
        columns |= {f"{kind}_{name}": np.full(rows, each) for name in ("count", "room")}
    for name, values in columns.items():
        np.asarray(values).astype(DTYPES[name]).tofile(folder / name)
    served = Served(1, "", "", "", "", repeat_power=1.0, loads=0, tree_version=0)
    described = {"format": FORMAT, "served": vars(served), "now": 0, "users": USERS, "items": items, "direct": DIRECT}
    described |= {"dtypes": DTYPES, "nodes": [], "child_of": []}
    (folder / DESCRIPTION).write_text(json.dumps(described), encoding="utf-8")


def user(number: int) -> str:
    return f"u{number}"


def measure(folder: Path, m: int, k: int) -> list[Row]:
    projections = {}
    for items in (size for size in ITEMS if size * k <= MOST_EDGES):
        (made := folder / f"{items}-{k}").mkdir()
        draw(made, items, m, k)
        projections[items] = Projection.open(made)
        projections[items].warm_up()
    took: dict[int, list[list[float]]] = {items: [] for items in projections}
    for turn in range(ROUNDS):
        for items, projection in projections.items():
            times = []
            for number in range(turn * REQUESTS, (turn + 1) * REQUESTS):
                begun = time.perf_counter()
                projection.recommend(user(number % USERS), N, m=m, k=k, shortlist=shortlist_for(N))
                times.append(time.perf_counter() - begun)
            took[items].append(times)
    about = {"m": m, "k": k, "machine": machine()}
    return [{"items": items} | about | compared(rounds, took[ITEMS[0]]) for items, rounds in took.items()]


def main(arguments: Sequence[str] | None = None) -> None:
    command(__doc__).parse_args(arguments)
    rows: list[Row] = []
    for m, k in SIZES:
        with TemporaryDirectory(prefix="twohop-") as folder:
            rows += measure(Path(folder), m, k)
    keep(RESULTS, rows)
    for one in rows:
        print(one, flush=True)


if __name__ == "__main__":
    main()
