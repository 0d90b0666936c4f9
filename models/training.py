"""Training PDN on a snapshot of the graph: temporal split, seeded, resumable, with progress."""

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch_geometric.data import HeteroData

from graph.errors import StoreEmpty
from graph.progress import step
from models import artefacts
from models.artefacts import Artefact, Checkpoint
from models.candidates import candidate_pairs
from models.exposures import Exposures
from models.features import Encoder, Features
from models.interactions import Flags, Interactions
from models.metrics import Lists, accuracy, means, score_ranks
from models.pairs import Pairs
from models.pdn import PDN, PDNOptions, path_loss
from models.recipe import Recipe
from models.sampling import Sampler
from models.scoring import score

SAVE_EVERY = 60.0  # seconds between checkpoints


def device() -> torch.device:
    """The GPU when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def shared_threads() -> Iterator[None]:
    """Use the cores that are free now.

    Torch's threads wait for each other in a busy loop: on a machine that is already loaded, as many threads as cores
    are many times slower than one.
    """
    before = torch.get_num_threads()
    busy = psutil.cpu_percent(interval=0.5) / 100 * before
    torch.set_num_threads(max(1, min(before, round(before - busy))))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fingerprint(recipe: Recipe, events: Interactions) -> str:
    """Names one training job: its recipe and its training events."""
    digest = hashlib.sha256(recipe.model_dump_json().encode())
    for column in (events.user, events.item, events.moment, events.time):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def train(data: HeteroData, exposures_file: Path, folder: Path, recipe: Recipe) -> Artefact:
    """Train PDN on the `INTERACTED` edges of a snapshot and write the best epoch's artefact into `folder`.

    Each shopper's last moment is the validation row: no statistic and no example sees it. `HELD_OUT` edges are not
    read at all. An interrupted training with the same recipe and data goes on at its last checkpoint.

    Raises `StoreEmpty` without interactions, `SourceError` where the recipe leaves out features that are not there, and
    `ArtefactError` when the model cannot be written.
    """
    every = Interactions.of(data)
    if not len(every):
        raise StoreEmpty("the graph has no interactions to train on: run `twohop load` first")
    held = every.last_moments() if recipe.validation_users else np.zeros(len(every), dtype=bool)
    events = every.where(~held)
    pairs = candidate_pairs(events, data, recipe.pairs)
    exposures = Exposures.read(exposures_file, list(data["item"].id), list(data.places), data.source.first_week)
    encoder = Encoder.fit(data, events, pairs, exposures, recipe.pairs.min_buyers, recipe.without)
    sampler = Sampler(events, pairs, encoder, np.ones(len(events), dtype=bool), recipe.sampling)
    checkpoint = Checkpoint(folder, fingerprint(recipe, every))
    torch.manual_seed(recipe.sampling.seed)
    job = Job(PDN(encoder.features.sizes, recipe.network).to(device()), sampler, recipe, checkpoint)
    started = time.monotonic()
    with shared_threads():
        metrics = job.run(lambda: validate(job.model, encoder, every, held, pairs, recipe.validation_users))
    manifest = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": "pdn",
        "source": data.source.properties(),
        "data": {"users": events.users, "items": events.items, "events": len(every), "job": checkpoint.fingerprint},
        "recipe": recipe.model_dump(),
        "features": encoder.features.to_json(),
        "metrics": metrics | {"seconds": round(time.monotonic() - started, 1)},
    }
    saved = artefacts.save(folder, job.best, manifest)
    checkpoint.clear()
    return saved


def restore(artefact: Artefact) -> tuple[PDN, Features]:
    """The network of an artefact, on the device, and the features that it reads."""
    features = Features.of_json(artefact.manifest["features"])
    model = PDN(features.sizes, PDNOptions(**artefact.manifest["recipe"]["network"]))
    model.load_state_dict(artefact.tensors)
    return model.to(device()), features


def ahead(batches: Iterator[HeteroData]) -> Iterator[HeteroData]:
    """The same batches; the next one is made in a thread while this one is trained on."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = pool.submit(next, batches, None)
            yield batch


class Job:
    """The optimisation itself: epochs over the sampler's batches, checkpoints, and the best epoch's tensors."""

    def __init__(self, model: PDN, sampler: Sampler, recipe: Recipe, checkpoint: Checkpoint) -> None:
        self.model, self.sampler, self.recipe, self.checkpoint = model, sampler, recipe, checkpoint
        self.batches = -(-len(sampler) // recipe.sampling.batch)
        self.optimizer = torch.optim.AdamW(model.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, recipe.learning_rate, total_steps=max(1, recipe.epochs * self.batches) + 1, pct_start=0.1
        )
        self.best = self._tensors()
        self.state: dict[str, Any] = {"epoch": 0, "batch": 0, "best": -1.0, "loss": 0.0, "metrics": {}}

    def run(self, validate: Callable[[], dict[str, float]]) -> dict[str, Any]:
        """Train all epochs, from the last checkpoint on; gives the best epoch's metrics."""
        self._resume()
        for epoch in range(self.state["epoch"], self.recipe.epochs):
            self._epoch(epoch)
            found = validate()
            if found.get("ndcg@10", 0.0) > self.state["best"]:
                self.best = self._tensors()
                self.state["best"] = found.get("ndcg@10", 0.0)
                self.state["metrics"] = {"epoch": epoch + 1, "loss": round(self.state["loss"], 5), **found}
            self.state |= {"epoch": epoch + 1, "batch": 0}
            self._save()
        return dict(self.state["metrics"])

    def _epoch(self, epoch: int) -> None:
        self.model.train()
        saved, begun = time.monotonic(), self.state["batch"]
        with step(f"train PDN, epoch {epoch + 1}", total=self.batches) as shown:
            shown.advance(begun)
            for number, batch in enumerate(ahead(self.sampler.batches(epoch, skip=begun)), start=begun + 1):
                loss = self._step(batch.to(device()))
                share = 1 / min(100, number)
                self.state |= {"batch": number, "loss": (1 - share) * self.state["loss"] + share * loss}
                shown.advance()
                shown.describe(f"loss {self.state['loss']:.4f}")
                if time.monotonic() - saved > SAVE_EVERY:
                    self._save()
                    saved = time.monotonic()

    def _step(self, batch: HeteroData) -> float:
        loss = path_loss(self.model(batch), batch["user", "candidate", "item"].y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        return float(loss.item())

    def _tensors(self) -> dict[str, torch.Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}

    def _save(self) -> None:
        tensors = {f"model.{name}": tensor for name, tensor in self._tensors().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for place, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{place}.{name}": tensor for name, tensor in state.items()}
        self.checkpoint.save(tensors, self.state)

    def _resume(self) -> None:
        kept = self.checkpoint.load()
        if kept is None:
            return
        tensors, self.state = kept
        self.model.load_state_dict({name[6:]: tensors[name] for name in tensors if name.startswith("model.")})
        self.best = {name[5:]: tensors[name].to(device()) for name in tensors if name.startswith("best.")}
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("optimizer."):
                _, place, key = name.split(".", 2)
                moments.setdefault(int(place), {})[key] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        for _ in range(self.state["epoch"] * self.batches + self.state["batch"]):
            self.schedule.step()


def validate(
    model: PDN, encoder: Encoder, every: Interactions, held: Flags, pairs: Pairs, users: int
) -> dict[str, float]:
    """Metrics over the new items of shoppers' last moments, ranking all items with the network alone."""
    if not held.any():
        return {}
    before, after = every.where(~held), every.where(held)
    scores = score(model, encoder, before, pairs, name="validation")
    allowed = np.zeros(every.items, dtype=bool)
    allowed[pairs.target] = True
    seen = np.unique(before.user * every.items + before.item)
    wanted = after.where(after.first & allowed[after.item] & ~np.isin(after.user * every.items + after.item, seen))
    chosen = np.unique(wanted.user)
    if len(chosen) > users:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, users, replace=False))
    truth = {int(user): wanted.item[wanted.user == user] for user in chosen}
    ranks = [np.zeros(0)]
    for user, items in truth.items():
        score_row = np.where(allowed, scores.of_user(user), -np.inf)
        score_row[before.item[before.start[user] : before.start[user + 1]]] = -np.inf
        ranks.append(score_ranks(score_row[None], Lists.of([items])))
    return means(accuracy(np.concatenate(ranks), Lists.of(truth.values()), k=10))
