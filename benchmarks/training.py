"""A step of PDN's training, and the same equations as they are written: `python -m benchmarks.training [STORE]`.

`Straightforward` embeds the fields of every trigger and every path, joins them (eq. 8 and 9) and gives them to the MLP.
Both train on the same batches from the same start, in turns, and must lose the same. Without a store the events are
drawn (`benchmarks.index`) and the recipe is the default one. It runs on a GPU where there is one, whose figures stand
in `benchmarks/results/training.json` beside those of a CPU.
"""

import json
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch_geometric.data import HeteroData

from benchmarks.index import make_shop
from benchmarks.runs import command, keep, kept, results, sized
from graph.driver import connect
from graph.errors import TwohopError
from graph.settings import load_settings
from graph.snapshot import read_snapshot
from models.candidates import candidate_pairs
from models.features import Encoder
from models.interactions import Interactions
from models.layers import FieldEmbedding
from models.machine import device, shared_threads
from models.pdn import PDN
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
    """One of the two in training: its stage and optimizer, and the losses of its steps."""

    def __init__(self, kind: type[PDN], sampler: Sampler, recipe: Recipe) -> None:
        torch.manual_seed(0)
        model = kind(sampler.encoder.features.sizes, recipe.network).to(device()).train()
        self.stage = TogetherStage(model, sampler, recipe)
        self.optimizer = torch.optim.AdamW(self.stage.groups, fused=True)
        self.losses: list[Tensor] = []

    def round(self, batches: list[HeteroData]) -> float:
        """A step on each of these; paths/s."""
        begun = time.perf_counter()
        for batch in batches:
            self.step(batch)
        wait()
        return sum(len(batch.path_trigger) for batch in batches) / (time.perf_counter() - begun)

    def step(self, batch: HeteroData, seconds: dict[str, float] | None = None) -> None:
        """One step; with `seconds` each of its parts is waited for, and what it takes is added there."""
        torch.manual_seed(len(self.losses))  # the same dropout in both
        self.optimizer.zero_grad()
        begun = time.perf_counter()
        loss = self.stage.loss(batch.to(device(), non_blocking=True))
        begun = self._took("forward", begun, seconds)
        loss.backward()
        begun = self._took("backward", begun, seconds)
        self.optimizer.step()
        self._took("optimizer", begun, seconds)
        self.losses.append(loss.detach())

    def _took(self, part: str, begun: float, seconds: dict[str, float] | None) -> float:
        """The time now; what has passed is added to the seconds of this part, where they are asked for."""
        if seconds is not None:
            wait()
            seconds[part] = seconds.get(part, 0.0) + time.perf_counter() - begun
        return time.perf_counter()

    @property
    def lost(self) -> list[float]:
        """The losses of all steps so far."""
        return torch.stack(self.losses).tolist()

    def parts(self, batches: list[HeteroData]) -> dict[str, float]:
        """Milliseconds of each part of a step, in one more round."""
        seconds: dict[str, float] = {}
        for batch in batches:
            self.step(batch, seconds)
        return {part: round(taken / len(batches) * 1e3, 1) for part, taken in seconds.items()}

    def kinds(self, batches: list[HeteroData]) -> dict[str, float]:
        """Share of each kind of work in one more round on a CPU."""
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            self.round(batches)
        times = {one.key: one.self_cpu_time_total for one in seen.key_averages()}
        whole = sum(times.values())
        shares = {name: sum(times.get(part, 0) for part in parts) / whole for name, parts in KINDS.items()}
        return {name: round(share, 3) for name, share in (shares | {"the rest": 1 - sum(shares.values())}).items()}

    def busy(self, batches: list[HeteroData], seconds: float) -> dict[str, float]:
        """Of one more round: the share of these seconds in which a GPU computes, and what it is given a step."""
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
            self.round(batches)
        kernels = [one for one in seen.key_averages() if one.device_type == torch.autograd.DeviceType.CUDA]
        taken = sum(one.self_device_time_total for one in kernels) / 1e6
        launches = sum(one.count for one in kernels) / len(batches)
        return {"share": round(taken / seconds, 2), "launches_per_step": round(launches)}


def wait() -> None:
    """Until a GPU has done all that it was given."""
    if device().type == "cuda":
        torch.cuda.synchronize()


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
    if device().type == "cuda":
        made = [batch.pin_memory() for batch in made]
    runs = {"as it is": Run(PDN, sampler, recipe), "straightforward": Run(Straightforward, sampler, recipe)}
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            rate = run.round(made)
            if number:
                rates[name].append(rate)
    paths = sum(len(batch.path_trigger) for batch in made)
    losses = [run.lost for run in runs.values()]
    times = [one / other for one, other in zip(*rates.values(), strict=True)]

    def seen(name: str, run: Run) -> dict[str, Any]:
        if device().type == "cuda":
            return {"busy": run.busy(made, paths / float(np.median(rates[name])))}
        return {"kinds": run.kinds(made)}

    return {
        "examples_per_step": recipe.sampling.batch,
        "paths_per_step": round(paths / len(made)),
        "steps": len(losses[0]),
        "loss": {"first": round(losses[0][0], 5), "last": round(losses[0][-1], 5)},
        "largest_relative_difference_of_losses": float(np.abs(np.array(losses[0]) / np.array(losses[1]) - 1).max()),
        "times": {"median": round(float(np.median(times)), 2), "of": [round(min(times), 2), round(max(times), 2)]},
        "draw_a_batch_ms": round(drawing * 1e3, 1),
        "runs": {
            name: {
                "paths_per_s": round(float(np.median(rates[name]))),
                "slowest_and_fastest_round": [round(min(rates[name])), round(max(rates[name]))],
                "ms": run.parts(made),
                **seen(name, run),
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
    parser.add_argument("--examples", type=int, nargs="+", metavar="N", help="examples a step, else the recipe's")
    asked = parser.parse_args(arguments)
    try:
        data = read_data(asked.store)
        recipe = read_recipe(data.source.id)
    except TwohopError as error:
        sys.exit(f"benchmarks.training: {error}")
    rows = [row for row in kept(RESULTS, []) if row["device"] != device().type]
    for examples in asked.examples or [recipe.sampling.batch]:
        changed = recipe.model_copy(update={"sampling": replace(recipe.sampling, batch=examples)})
        with shared_threads():
            rows.append(
                {
                    "data": asked.store or "drawn",
                    "python": platform.python_version(),
                    "torch": torch.__version__,
                    "device": device().type,
                    "card": torch.cuda.get_device_name() if device().type == "cuda" else None,
                    "cores": psutil.cpu_count(),
                    "threads": torch.get_num_threads(),
                    "processes_running": psutil.getloadavg()[0],
                    "rounds": ROUNDS,
                }
                | measure(open_sampler(data, changed), changed, BATCHES, ROUNDS)
            )
        print(json.dumps(rows[-1], indent=2), flush=True)
    keep(RESULTS, rows)


if __name__ == "__main__":
    main()
