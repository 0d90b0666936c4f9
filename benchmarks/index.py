"""Index generation at growing size on one machine: `python -m benchmarks.index`.

Interactions are drawn: users' activity is log-normal, items' popularity and words follow a power law. The network has
the sizes of the default recipe and weights as they start, since its work does not depend on them. Each size has a
process of its own, whose resident memory is sampled. Writes `benchmarks/results/index.json`.
"""

import json
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import psutil
import torch
from torch_geometric.data import HeteroData

from benchmarks.runs import command, results, sized
from graph.progress import step
from graph.schema import Source
from models.candidates import Candidates, candidate_pairs
from models.features import Encoder
from models.interactions import Interactions
from models.pairs import PairOptions, Pairs
from models.pdn import PDN, PDNOptions
from models.scoring import PART, pair_logits, score

RESULTS = results("index")
SIZES = sized(((20_000, 10_000, 1_000_000), (50_000, 100_000, 1_000_000)), ((2_000, 1_000, 20_000),))
MIB = 2**20
OPTIONS, K = PairOptions(candidates=200, window=5), 20
DEPARTMENTS, CLASSES, WORDS, BRANDS = 20, 400, 20_000, 5_000


def make_shop(users: int, items: int, events: int) -> HeteroData:
    """A snapshot as `graph.snapshot` gives it."""
    rng, data = np.random.default_rng(0), HeteroData()

    def power(count: int, exponent: float, size: Any) -> Any:
        weight = np.cumsum((np.arange(1, count + 1) + 10.0) ** -exponent)
        return np.searchsorted(weight / weight[-1], rng.random(size))

    activity = rng.lognormal(0, 1, users)
    user = np.sort(rng.choice(users, events, p=activity / activity.sum()))
    item = rng.permutation(items)[power(items, 0.8, events)]
    data["user"].num_nodes, data["user"].id, data["user"].profile = users, [f"u{n}" for n in range(users)], {}
    nodes = data["item"]
    nodes.num_nodes, nodes.id, nodes.profile = items, [f"i{n}" for n in range(items)], {}
    nodes.title = [" ".join(f"w{word}" for word in row) for row in power(WORDS, 1.0, (items, 6))]
    nodes.brand = [f"b{n}" for n in power(BRANDS, 1.0, items)]
    nodes.price, nodes.available = torch.rand(items), torch.ones(items, dtype=torch.bool)
    levels = [0] + [1] * DEPARTMENTS + [2] * CLASSES
    tree = data["browse_node"]
    tree.num_nodes, tree.level, tree.id = len(levels), levels, [f"n{n}" for n in range(len(levels))]
    leaves = 1 + DEPARTMENTS + rng.integers(0, CLASSES, items)
    data["item", "in_category", "browse_node"].edge_index = torch.from_numpy(np.stack([np.arange(items), leaves]))
    above = [(1 + n, 0) for n in range(DEPARTMENTS)]
    above += [(1 + DEPARTMENTS + n, 1 + n % DEPARTMENTS) for n in range(CLASSES)]
    data["browse_node", "child_of", "browse_node"].edge_index = torch.tensor(above).T
    keys, edge = np.unique(user * items + item, return_inverse=True)
    relation = data["user", "interacted", "item"]
    relation.edge_index = torch.from_numpy(np.stack(np.divmod(keys, items)))
    relation.event_edge, relation.event_time = torch.from_numpy(edge), torch.arange(events) * 60
    relation.event_session = torch.from_numpy((np.arange(events) - np.searchsorted(user, user)) // 3)
    relation.event_value, relation.event_quantity = torch.full((events,), torch.nan), torch.ones(events)
    relation.event_place = torch.full((events,), -1)
    data.places, data.source = [], Source("drawn")
    return data


class Memory(threading.Thread):
    """Largest resident memory of this process, in bytes, and that at the beginning."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.me, self.ended = psutil.Process(), threading.Event()
        self.begin = self.peak = self.me.memory_info().rss

    def run(self) -> None:
        while not self.ended.wait(0.05):
            self.peak = max(self.peak, self.me.memory_info().rss)


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def simnet(model: PDN, encoder: Encoder, events: Interactions, pairs: Pairs) -> dict[str, int]:
    """Pairs a second of SimNet: with its codes; alone; and what matrix products of as many FLOPs would allow."""
    hidden, part = model.options.hidden, np.arange(min(PART, len(pairs)))
    first, second = torch.rand(hidden, hidden), torch.rand(hidden, 1)
    with torch.no_grad():
        ends = model.projections(torch.from_numpy(encoder.item_codes(events.buyers)))
        whole = seconds(lambda: pair_logits(model, encoder, *ends, pairs))
        codes = torch.from_numpy(encoder.pair_codes(pairs, part))
        source, target = (torch.from_numpy(column[part]) for column in (pairs.source, pairs.target))
        states = torch.rand(len(part), hidden)
        alone = min(seconds(lambda: model.projected_similarities(*ends, source, target, codes)) for _ in range(5))
        limit = min(seconds(lambda: (states @ first) @ second) for _ in range(5))
    rates = {"codes_and_network": len(pairs) / whole, "network": len(part) / alone, "products": len(part) / limit}
    return {f"{name}_pairs_per_s": round(rate) for name, rate in rates.items()}


def measure(kept: bool, *size: int) -> dict[str, Any]:
    """One size; `kept`: only the best pairs stay in memory, as for an index, else all candidates are."""
    torch.set_num_threads(1)
    data = make_shop(*size)
    events = Interactions.of(data)
    found = Candidates(events, data, OPTIONS)
    with step("warm") as shown:
        some = Pairs.joined(islice(found.blocks(shown), 2))
    encoder = Encoder.fit(data, events, some, None, 1)
    model = PDN(encoder.features.sizes, PDNOptions())
    figures: dict[str, Any] = {"simnet": simnet(model, encoder, events, some)}
    memory = Memory()
    memory.start()
    begun = time.perf_counter()
    if kept:
        with step("pairs") as shown:
            scores = score(model, encoder, events, found.blocks(shown), K)
    else:
        scores = score(model, encoder, events, [candidate_pairs(events, data, OPTIONS)])
    wall = time.perf_counter() - begun
    memory.ended.set()
    memory.join()
    return figures | {
        "wall_s": round(wall, 1),
        "edges" if kept else "pairs": len(scores.pairs),
        "mib_at_start": memory.begin // MIB,
        "more_mib_at_most": (memory.peak - memory.begin) // MIB,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command(__doc__)
    parser.add_argument(
        "one", nargs="*", metavar="WHICH USERS ITEMS EVENTS", help="measure one size alone, kept or all, and print it"
    )
    asked = parser.parse_args(arguments).one
    if asked:
        if len(asked) != 4 or asked[0] not in ("kept", "all") or not all(number.isdigit() for number in asked[1:]):
            parser.error("one size is kept or all, and three numbers")
        print(json.dumps(measure(asked[0] == "kept", *map(int, asked[1:]))))
        return
    rows = []
    for size in SIZES:
        row: dict[str, Any] = dict(zip(("users", "items", "events"), size, strict=True))
        for name in ("kept", "all"):
            words = [sys.executable, "-m", "benchmarks.index", name, *map(str, size)]
            row[name] = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)
        print(json.dumps(row))
        rows.append(row)
    about = {"python": platform.python_version(), "cores": psutil.cpu_count(), "threads": 1}
    about |= {"processes_running": psutil.getloadavg()[0], "candidates": OPTIONS.candidates, "k": K}
    RESULTS.write_text(json.dumps({**about, "sizes": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
