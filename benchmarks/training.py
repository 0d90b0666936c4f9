"""A step of PDN's training, and the same equations as they are written: `python -m benchmarks.training [STORE]`.

`Straightforward` embeds the fields of every trigger and every path, joins them (eq. 8 and 9) and gives them to the MLP.
Both train on the same batches from the same start, in turns, and must lose the same. Without a store the events are
drawn (`benchmarks.index`) and the recipe is the default one. Writes `benchmarks/results/training.json`.
"""

import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch_geometric.data import HeteroData

from benchmarks.index import make_shop
from benchmarks.runs import command, results, sized
from graph.driver import connect
from graph.errors import TwohopError
from graph.settings import load_settings
from graph.snapshot import read_snapshot
from models.candidates import candidate_pairs
from models.features import Encoder
from models.interactions import Interactions
from models.machine import device, shared_threads
from models.pdn import PDN, FieldEmbedding
from models.recipe import Recipe, read_recipe
from models.sampling import Sampler
from models.stages import TogetherStage

RESULTS = results("training")
SHOP = sized((3_000, 2_000, 200_000), (500, 400, 10_000))  # users, items, events
BATCHES, ROUNDS = sized((12, 7), (4, 3))
KINDS = {  # of the work of a step, by what PyTorch calls its parts
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm"),
    "sums of rows": ("aten::_embedding_bag", "_RowSums", "_RowSumsBackward"),
    "look-ups and sums of paths": ("aten::index", "aten::index_select", "aten::embedding_dense_backward",
                                   "aten::index_add_", "aten::_index_put_impl_", "aten::scatter_add_"),
    "activations": ("aten::leaky_relu", "aten::leaky_relu_", "aten::leaky_relu_backward", "aten::softplus",
                    "aten::softplus_backward"),
    "copies and joins": ("aten::copy_", "aten::cat", "aten::fill_"),
}  # fmt: skip


class Straightforward(PDN):
    """The same network with the same parameters; each edge has its own concatenation."""

    def triggers(self, z: Tensor, x: Tensor, edge_index: Tensor, a: Tensor, _: Tensor | None = None) -> Tensor:
        user, item = edge_index
        return self.trig_net(embed(self.user, z[user]), embed(self.behaviour, a), embed(self.item, x[item]))

    def similarities(self, x: Tensor, source: Tensor, target: Tensor, c: Tensor) -> Tensor:
        return self.sim_net(embed(self.item, x[source]), embed(self.pair, c), embed(self.item, x[target]))


def embed(field: FieldEmbedding, codes: Tensor) -> Tensor:
    """E(·) by PyTorch's own look-up: [R, F] codes → [R, F · d]."""
    return nn.functional.embedding(codes + field.offsets, field.table).flatten(1)


class Run:
    """One of the two in training: its stage and optimizer, seconds and losses of its steps."""

    def __init__(self, kind: type[PDN], sampler: Sampler, recipe: Recipe) -> None:
        torch.manual_seed(0)
        model = kind(sampler.encoder.features.sizes, recipe.network).to(device()).train()
        self.stage = TogetherStage(model, sampler, recipe)
        self.optimizer = torch.optim.AdamW(self.stage.groups, fused=True)
        self.losses: list[float] = []
        self.rates: list[float] = []
        self.seconds = dict.fromkeys(("forward", "backward", "optimizer"), 0.0)

    def round(self, batches: list[HeteroData]) -> None:
        begun = time.perf_counter()
        for batch in batches:
            self.step(batch)
        self.rates.append(sum(len(batch.path_trigger) for batch in batches) / (time.perf_counter() - begun))

    def step(self, batch: HeteroData) -> None:
        torch.manual_seed(len(self.losses))  # the same dropout in both
        found: list[Tensor] = []
        self._timed("forward", lambda: found.append(self.stage.loss(batch.to(device()))))
        self.optimizer.zero_grad()
        self._timed("backward", found[0].backward)
        self._timed("optimizer", self.optimizer.step)
        self.losses.append(found[0].item())

    def _timed(self, part: str, work: Callable[[], object]) -> None:
        begun = time.perf_counter()
        work()
        if device().type == "cuda":
            torch.cuda.synchronize()
        self.seconds[part] += time.perf_counter() - begun

    def kinds(self, batches: list[HeteroData]) -> dict[str, float]:
        """Share of each kind of work in one more round."""
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            self.round(batches)
        times = {one.key: one.self_cpu_time_total for one in seen.key_averages()}
        whole = sum(times.values())
        shares = {name: sum(times.get(part, 0) for part in parts) / whole for name, parts in KINDS.items()}
        return {name: round(share, 3) for name, share in (shares | {"the rest": 1 - sum(shares.values())}).items()}


def open_sampler(data: HeteroData, recipe: Recipe) -> Sampler:
    events = Interactions.of(data)
    pairs = candidate_pairs(events, data, recipe.pairs)
    encoder = Encoder.fit(data, events, pairs, None, recipe.pairs.min_buyers, recipe.without, recipe.sampling.triggers)
    history = recipe.network.history if recipe.network.reads_history else 0
    return Sampler(events, pairs, encoder, np.ones(len(events), dtype=bool), recipe.sampling, history)


def measure(sampler: Sampler, recipe: Recipe, batches: int, rounds: int) -> dict[str, Any]:
    """Figures of both, in turns over the same batches; one round before that is not counted."""
    begun = time.perf_counter()
    made = list(islice(sampler.batches(epoch=0), batches))
    drawing = (time.perf_counter() - begun) / len(made)
    runs = {"as it is": Run(PDN, sampler, recipe), "straightforward": Run(Straightforward, sampler, recipe)}
    for number in range(rounds + 1):
        for run in runs.values():
            run.round(made)
            if number == 0:
                run.rates.clear()
                run.seconds = dict.fromkeys(run.seconds, 0.0)
    ours, plain = runs.values()
    steps = rounds * len(made)
    times = [one / other for one, other in zip(ours.rates, plain.rates, strict=True)]
    difference = np.abs(np.array(ours.losses) / np.array(plain.losses) - 1).max()
    return {
        "paths_per_step": round(sum(len(batch.path_trigger) for batch in made) / len(made)),
        "steps": len(ours.losses),
        "loss": {"first": round(ours.losses[0], 5), "last": round(ours.losses[-1], 5)},
        "largest_relative_difference_of_losses": float(difference),
        "times": {"median": round(float(np.median(times)), 2), "of": [round(min(times), 2), round(max(times), 2)]},
        "draw_a_batch_ms": round(drawing * 1e3, 1),
        "runs": {
            name: {
                "paths_per_s": round(float(np.median(run.rates))),
                "slowest_and_fastest_round": [round(min(run.rates)), round(max(run.rates))],
                "ms": {part: round(seconds / steps * 1e3, 1) for part, seconds in run.seconds.items()},
                "kinds": run.kinds(made),
            }
            for name, run in runs.items()
        },
    }


def read_data(store: str | None) -> HeteroData:
    if store is None:
        return make_shop(*SHOP)
    settings = load_settings(store)
    with connect(settings) as database:
        return read_snapshot(database)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command(__doc__)
    parser.add_argument("store", nargs="?", metavar="STORE", help="else drawn data")
    store: str | None = parser.parse_args(arguments).store
    try:
        data = read_data(store)
        recipe = read_recipe(data.source.id)
    except TwohopError as error:
        sys.exit(f"benchmarks.training: {error}")
    sampler = open_sampler(data, recipe)
    with shared_threads():
        about = {
            "data": store or "drawn",
            "python": platform.python_version(),
            "torch": torch.__version__,
            "device": device().type,
            "cores": psutil.cpu_count(),
            "threads": torch.get_num_threads(),
            "processes_running": psutil.getloadavg()[0],
            "rounds": ROUNDS,
        }
        found = about | measure(sampler, recipe, BATCHES, ROUNDS)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
