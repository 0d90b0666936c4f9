"""Training PDN on a snapshot of the graph: temporal split, seeded, resumable, with progress.

Where the network reads histories, its transformer is trained first, alone and on every event of them; then all parts
are trained together.
"""

import hashlib
import json
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from graph.errors import StoreEmpty
from graph.progress import step
from models import artefacts
from models.artefacts import Artefact, Checkpoint, of_this_version
from models.candidates import candidate_pairs
from models.exposures import Exposures
from models.features import Encoder, Features
from models.interactions import Flags, Interactions
from models.machine import device, shared_threads
from models.metrics import Lists, accuracy, means, score_ranks
from models.pairs import Pairs
from models.pdn import PDN, PDNOptions
from models.recipe import Recipe
from models.sampling import Sampler
from models.scoring import score
from models.stages import AnyBatch, Batch, HistoryStage, Stage, TogetherStage

SAVE_EVERY = 60.0  # seconds between checkpoints
READ_EVERY = 20  # steps after which losses are read: a GPU's queue of work has to run dry for it
DRAWING = 4  # threads that make batches for a GPU, which trains on one in a fraction of the time; more gain nothing


def fingerprint(recipe: Recipe, features: Features, events: Interactions) -> str:
    """Names one training job: its recipe, what the network reads, and its training events."""
    digest = hashlib.sha256(recipe.model_dump_json().encode())
    digest.update(json.dumps(features.to_json()).encode())
    for column in (events.user, events.item, events.moment, events.time):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def train(data: HeteroData, exposures_file: Path, folder: Path, recipe: Recipe) -> Artefact:
    """Train PDN on the `INTERACTED` edges of a snapshot and write the best epoch's artefact into `folder`.

    Validation rows are left out as the test rows were (`Interactions.validation`): no statistic and no example sees
    them. `HELD_OUT` edges are not read at all. An interrupted training with the same recipe and data goes on at its
    last checkpoint.

    Raises `StoreEmpty` without interactions, `SourceError` where the recipe leaves out features that are not there, and
    `ArtefactError` when the model cannot be written.
    """
    started = time.monotonic()
    every = Interactions.of(data)
    if not len(every):
        raise StoreEmpty("the graph has no interactions to train on: run `twohop load` first")
    held = every.validation(data.source.protocol) if recipe.validation_users else np.zeros(len(every), dtype=bool)
    events = every.where(~held)
    pairs = candidate_pairs(events, data, recipe.pairs)
    exposures = Exposures.read(exposures_file, list(data["item"].id), list(data.places), data.source.first_week)
    encoder = Encoder.fit(
        data, events, pairs, exposures, recipe.pairs.min_buyers, recipe.without, recipe.sampling.triggers
    )
    history = recipe.network.history if recipe.network.reads_history else 0
    sampler = Sampler(events, pairs, encoder, np.ones(len(events), dtype=bool), recipe.sampling, history)
    checkpoint = Checkpoint(folder, fingerprint(recipe, encoder.features, every))
    torch.manual_seed(recipe.sampling.seed)
    model = PDN(encoder.features.sizes, recipe.network).to(device())
    if recipe.sampling.weighted and len(sampler):
        model.expect(next(sampler.batches(epoch=0)).to(device()))
    stages: list[Stage[Any]] = [TogetherStage(model, sampler, recipe)]
    if recipe.network.reads_history:
        stages.insert(0, HistoryStage(model, sampler, recipe))
    job = Job(model, stages, recipe.sampling.seed, checkpoint)
    prepared = time.monotonic()
    with shared_threads():
        metrics = job.run(lambda: validate(job.model, encoder, every, held, pairs, recipe.validation_users))
    manifest = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": "pdn",
        "source": data.source.properties(),
        "data": {"users": events.users, "items": events.items, "events": len(every), "job": checkpoint.fingerprint},
        "recipe": recipe.model_dump(),
        "features": encoder.features.to_json(),
        "metrics": metrics | {"seconds": round(time.monotonic() - prepared, 1)},
        "seconds": {"pairs and features": round(prepared - started, 1), **job.state["seconds"]},
    }
    saved = artefacts.save(folder, job.best, manifest)
    checkpoint.clear()
    return saved


def restore(artefact: Artefact) -> tuple[PDN, Features]:
    """The network of an artefact, on the device, and the features that it reads.

    Raises `ArtefactError` for a model of another version of Twohop.
    """
    features = Features.of_json(artefact.manifest["features"])
    with of_this_version(artefact):
        model = PDN(features.sizes, PDNOptions(**artefact.manifest["recipe"]["network"]))
        model.load_state_dict(artefact.tensors)
    return model.to(device()), features


def drawing() -> int:
    """Threads that make batches: several for a GPU; one beside a training on the cores."""
    return min(DRAWING, psutil.cpu_count() or 1) if device().type == "cuda" else 1


def ahead(draws: Iterator[Callable[[], AnyBatch]], threads: int) -> Iterator[AnyBatch]:
    """The batches in their order; the next ones, one more than threads, are made while this one is trained on.

    For a GPU they wait in pinned memory, from which they are copied while it computes.
    """

    def make(draw: Callable[[], AnyBatch]) -> AnyBatch:
        batch = draw()
        return batch.pin_memory() if device().type == "cuda" else batch

    with ThreadPoolExecutor(threads) as pool:
        following = deque(pool.submit(make, draw) for draw in islice(draws, threads + 1))
        while following:
            batch = following.popleft().result()
            following.extend(pool.submit(make, draw) for draw in islice(draws, 1))
            yield batch


class Job:
    """The optimisation itself: stages, their epochs over batches, checkpoints, and the best epoch's tensors.

    Epochs of the last stage are validated, the others are taken as they come. The best has the highest NDCG@10, of
    new items and with repeats on average; the last is taken where nothing is validated.
    """

    def __init__(self, model: PDN, stages: Sequence[Stage[Any]], seed: int, checkpoint: Checkpoint) -> None:
        self.model, self.stages, self.seed, self.checkpoint = model, stages, seed, checkpoint
        self.best = self._tensors()
        self.state: dict[str, Any] = {"stage": 0, "epoch": 0, "batch": 0, "best": -1.0, "loss": 0.0}
        self.state |= {"metrics": {}, "seconds": {}}

    def run(self, validate: Callable[[], dict[str, float]]) -> dict[str, Any]:
        """Train all stages, from the last checkpoint on; gives the best epoch's metrics."""
        kept = self.checkpoint.load()
        if kept is not None:
            self.state = kept[1]
        for number in range(self.state["stage"], len(self.stages)):
            stage = self.stages[number]
            self._open(stage)
            if kept is not None:
                self._resume(kept[0], stage)
                kept = None
            for epoch in range(self.state["epoch"], len(stage.sizes)):
                with self._timed(stage.name):
                    self._epoch(stage, epoch)
                if number == len(self.stages) - 1:
                    with self._timed("validation"):
                        found = validate()
                    self._choose(epoch, found)
                self.state |= {"epoch": epoch + 1, "batch": 0}
                self._save()
            self.state |= {"stage": number + 1, "epoch": 0, "batch": 0, "loss": 0.0}
        return dict(self.state["metrics"])

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        """Adds up the seconds of a part; an epoch that was interrupted counts from where it went on."""
        begun = time.monotonic()
        yield
        self.state["seconds"][part] = round(self.state["seconds"].get(part, 0.0) + time.monotonic() - begun, 1)

    def _open(self, stage: Stage[Any]) -> None:
        self.model.requires_grad_(False)
        for group in stage.groups:
            for parameter in group["params"]:
                parameter.requires_grad_()
        self.optimizer = torch.optim.AdamW(stage.groups, fused=True)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            [group["lr"] for group in stage.groups],
            total_steps=max(1, sum(stage.sizes)) + 1,
            pct_start=0.1,
        )

    def _choose(self, epoch: int, found: dict[str, float]) -> None:
        reached = [value for name, value in found.items() if name.startswith("ndcg@10")]
        if not reached or np.mean(reached) > self.state["best"]:
            self.best = self._tensors()
            self.state["best"] = float(np.mean(reached)) if reached else -1.0
            self.state["metrics"] = {"epoch": epoch + 1, "loss": round(self.state["loss"], 5), **found}

    def _epoch(self, stage: Stage[Any], epoch: int) -> None:
        self.model.train()
        saved, begun = time.monotonic(), self.state["batch"]
        losses: list[Tensor] = []
        with step(f"{stage.name}, epoch {epoch + 1}", total=stage.sizes[epoch]) as shown:
            shown.advance(begun)
            for number, batch in enumerate(ahead(stage.draws(epoch, begun), drawing()), start=begun + 1):
                # Anew for each batch: dropout and draws are the same after an interruption.
                torch.manual_seed(hash((self.seed, self.state["stage"], epoch, number)))
                losses.append(self._step(stage, batch))
                shown.advance()
                late = time.monotonic() - saved > SAVE_EVERY
                if late or number % READ_EVERY == 0 or number == stage.sizes[epoch]:
                    self._read(losses, number)
                    shown.describe(f"loss {self.state['loss']:.4f}")
                if late:
                    self._save()
                    saved = time.monotonic()

    def _step(self, stage: Stage[Any], batch: Batch) -> Tensor:
        loss = stage.loss(batch.to(device(), non_blocking=True))
        self.optimizer.zero_grad()
        loss.backward()
        for group in self.optimizer.param_groups:
            if "longest" in group:
                torch.nn.utils.clip_grad_norm_(group["params"], group["longest"])
        self.optimizer.step()
        self.schedule.step()
        return loss.detach()

    def _read(self, losses: list[Tensor], number: int) -> None:
        """Take up what the steps up to this number lost since the last reading."""
        first = number - len(losses) + 1
        for place, loss in enumerate(torch.stack(losses).tolist(), start=first):
            share = 1 / min(100, place)
            self.state["loss"] = (1 - share) * self.state["loss"] + share * loss
        self.state["batch"] = number
        losses.clear()

    def _tensors(self) -> dict[str, torch.Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}

    def _save(self) -> None:
        tensors = {f"model.{name}": tensor for name, tensor in self._tensors().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for place, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{place}.{name}": tensor for name, tensor in state.items()}
        self.checkpoint.save(tensors, self.state)

    def _resume(self, tensors: dict[str, torch.Tensor], stage: Stage[Any]) -> None:
        self.model.load_state_dict({name[6:]: tensors[name] for name in tensors if name.startswith("model.")})
        self.best = {name[5:]: tensors[name].to(device()) for name in tensors if name.startswith("best.")}
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("optimizer."):
                _, place, key = name.split(".", 2)
                moments.setdefault(int(place), {})[key] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Detected call of")  # the optimizer's steps were before the interruption
            for _ in range(sum(stage.sizes[: self.state["epoch"]]) + self.state["batch"]):
                self.schedule.step()


def validate(
    model: PDN, encoder: Encoder, every: Interactions, held: Flags, pairs: Pairs, users: int
) -> dict[str, float]:
    """Metrics over the rows that were left out, ranking all items with the network alone.

    Over what is new there; where the network has learnt repeats, also over all that is there, with the suffix
    ` with repeats`.
    """
    if not held.any():
        return {}
    before, after = every.where(~held), every.where(held)
    scores = score(model, encoder, before, [pairs])
    allowed = np.zeros(every.items, dtype=bool)
    allowed[pairs.target] = True
    seen = np.unique(before.user * every.items + before.item)
    taken = after.where(after.first & allowed[after.item])
    new = taken.where(~np.isin(taken.user * every.items + taken.item, seen))
    found: dict[str, float] = {}
    for suffix, wanted in {"": new, **({" with repeats": taken} if pairs.options.repeats else {})}.items():
        chosen = np.unique(wanted.user)
        if len(chosen) > users:
            chosen = np.sort(np.random.default_rng(0).choice(chosen, users, replace=False))
        if not len(chosen):
            continue
        truth = {int(user): wanted.item[wanted.user == user] for user in chosen}
        ranks = []
        for user, items in truth.items():
            score_row = np.where(allowed, scores.of_user(user), -np.inf)
            if not suffix:
                score_row[before.item[before.start[user] : before.start[user + 1]]] = -np.inf
            ranks.append(score_ranks(score_row[None], Lists.of([items])))
        metrics = means(accuracy(np.concatenate(ranks), Lists.of(truth.values()), k=10))
        found |= {f"{name}{suffix}": value for name, value in metrics.items()}
    return found
