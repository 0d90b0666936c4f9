"""Tuning the encoder (section IV.C.1): siamese, Multiple Negatives Ranking loss on [category, intent] pairs."""

import hashlib
import json
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from datasets.utils.logging import disable_progress_bar
from pydantic import BaseModel, ConfigDict, Field
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from torch.utils.data import Sampler
from transformers import PrinterCallback, ProgressCallback, TrainerCallback

from graph.errors import StoreError
from graph.intents import Intent
from graph.progress import Step, step
from models.intents.encoder import Encoder, untuned

HELD_OUT = {"validation": 1, "test": 2}  # tenths of the intents


class TrainingOptions(BaseModel):
    """How the encoder is tuned.

    Attributes:
        base: a sentence-transformers model by name or folder.
        epochs: passes over the pairs.
        batch: pairs in a batch; each sees the others' categories as its negatives.
        learning_rate: peak; it rises over the first tenth of the steps, then falls to 0.
        frozen: lowest layers of the transformer that stay as they are, the word embeddings included; -1 tunes all.
        temperature: cosines are divided by it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = "all-MiniLM-L6-v2"
    epochs: int = Field(default=1, ge=1)
    batch: int = Field(default=64, ge=2)
    learning_rate: float = Field(default=3e-4, gt=0)
    frozen: int = Field(default=2, ge=-1)
    temperature: float = Field(default=0.05, gt=0)
    seed: int = 0


@dataclass(frozen=True)
class Pair:
    """`intent` needs `category`; `texts`: the ways to say the intent, one of which is drawn; `source`: who says so."""

    intent: str
    category: str
    texts: tuple[str, ...]
    text: str  # of the category, as the encoder reads it
    source: str


def part(intent: str) -> str:
    """train, validation or test, by the intent's id alone: no pair of a held-out intent is ever trained on."""
    tenth = hashlib.sha256(intent.encode()).digest()[0] % 10
    if tenth < HELD_OUT["test"]:
        return "test"
    return "validation" if tenth < HELD_OUT["test"] + HELD_OUT["validation"] else "train"


def fingerprint(pairs: Sequence[Pair], options: TrainingOptions) -> str:
    told = [options.model_dump(), [[one.intent, one.category, one.text, one.texts] for one in pairs]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


class ConflictFreeBatches(Sampler[list[int]]):
    """Batches in which no pair's category is needed by another pair's intent, so that every negative is one.

    A pair that finds no place in an epoch's whole batches waits for the next epoch.
    """

    def __init__(self, pairs: Sequence[Pair], size: int, seed: int) -> None:
        self.pairs, self.size, self.seed, self.epoch = pairs, size, seed, 0
        self.needs: dict[str, set[str]] = defaultdict(set)
        for pair in pairs:
            self.needs[pair.intent].add(pair.category)
        self.batches = self._batches()

    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self.epoch = epoch
            self.batches = self._batches()

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)

    def _batches(self) -> list[list[int]]:
        waiting = list(range(len(self.pairs)))
        random.Random(self.seed + self.epoch).shuffle(waiting)  # noqa: S311  draws, no secrets
        made = []
        while waiting:
            batch, waiting = self._fill(waiting)
            if made and len(batch) < self.size // 4:
                break
            made.append(batch)
        return made

    def _fill(self, waiting: list[int]) -> tuple[list[int], list[int]]:
        batch: list[int] = []
        left: list[int] = []
        intents: set[str] = set()
        categories: set[str] = set()
        taken: set[str] = set()  # all that the batch's intents need
        for at, number in enumerate(waiting):
            pair = self.pairs[number]
            free = (
                pair.intent not in intents and pair.category not in taken and not self.needs[pair.intent] & categories
            )
            if not free:
                left.append(number)
                continue
            batch.append(number)
            intents.add(pair.intent)
            categories.add(pair.category)
            taken |= self.needs[pair.intent]
            if len(batch) == self.size:
                return batch, left + waiting[at + 1 :]
        return batch, left


class _Shown(TrainerCallback):
    """Steps of the trainer as a step of ours."""

    def __init__(self, shown: Step) -> None:
        self.shown = shown

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        self.shown.advance(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        self.shown.advance()


class _Trainer(SentenceTransformerTrainer):
    """Takes batches that are made already; the rows of the dataset are the pairs, in their order."""

    def __init__(self, batches: ConflictFreeBatches, **given: Any) -> None:
        self.batches = batches
        super().__init__(**given)

    def get_batch_sampler(self, *_: Any, **__: Any) -> Any:
        return self.batches

    def add_model_card_callback(self, *_: Any) -> None:
        """None: nobody reads the card, and it draws a bar of its own."""


def tune(pairs: Sequence[Pair], options: TrainingOptions, work: Path) -> tuple[Encoder, dict[str, Any]]:
    """Tune a fresh copy of `options.base` on these pairs; gives it and what is worth keeping of the run.

    Checkpoints lie in `work`, which belongs to one job: the same one goes on where it was interrupted, any other begins
    anew. Raises `StoreError` without pairs and `ArtefactError` where the model cannot be had.
    """
    if len(pairs) < 2:
        raise StoreError("there are no pairs of intents and categories to train on: run twohop intents mine first")
    torch.manual_seed(options.seed)
    encoder = untuned(options.base)
    _freeze(encoder, options.frozen)
    _without_dropout(encoder)
    job = work / fingerprint(pairs, options)[:12]
    for other in work.glob("*"):
        if other != job:
            shutil.rmtree(other, ignore_errors=True)
    for torn in job.glob("checkpoint-*"):
        if not (torn / "trainer_state.json").exists():  # the last file of a checkpoint: killed while it was saved
            shutil.rmtree(torn, ignore_errors=True)
    draw = random.Random(options.seed)  # noqa: S311  draws, no secrets
    rows = [{"anchor": draw.choice(pair.texts), "positive": pair.text} for pair in pairs]
    batches = ConflictFreeBatches(pairs, options.batch, options.seed)
    total = len(batches) * options.epochs
    disable_progress_bar()
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(job),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch,
        learning_rate=options.learning_rate,
        warmup_steps=max(1, total // 10),
        weight_decay=0.01,
        lr_scheduler_type="linear",
        save_strategy="steps",
        save_steps=max(10, total // 8),
        save_total_limit=1,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=options.seed,
        dataloader_pin_memory=torch.cuda.is_available(),
    )
    loss = MultipleNegativesRankingLoss(
        encoder.model,
        scale=1 / options.temperature,
        directions=("query_to_doc", "doc_to_query"),
        partition_mode="per_direction",
    )
    with step(f"Tuning {options.base} on {len(pairs):,} pairs", total) as shown:
        trainer = _Trainer(
            batches,
            model=encoder.model,
            args=arguments,
            train_dataset=Dataset.from_list(rows),
            loss=loss,
            callbacks=[_Shown(shown)],
        )
        for own in (ProgressCallback, PrinterCallback):
            trainer.remove_callback(own)
        done = trainer.train(resume_from_checkpoint=any(job.glob("checkpoint-*")))
    encoder.model.eval()
    shutil.rmtree(job, ignore_errors=True)
    told = {"loss": done.training_loss, "seconds": done.metrics["train_runtime"], "steps": total, "pairs": len(pairs)}
    return Encoder(encoder.model, encoder.base, "being tuned"), told


def _without_dropout(encoder: Encoder) -> None:
    """One pass over few pairs has nothing to overfit, and drawing the masks took a tenth of the time."""
    for module in encoder.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0


def _freeze(encoder: Encoder, layers: int) -> None:
    """Keep word embeddings and the lowest layers: less to learn from few pairs, and half the time."""
    if layers < 0:
        return
    for name, parameter in encoder.model.named_parameters():
        low = any(f".layer.{number}." in name for number in range(layers))
        if ".embeddings." in name or low:
            parameter.requires_grad = False


def table_pairs(intents: Sequence[Intent], texts: dict[str, str]) -> list[Pair]:
    """Pairs of the open table; `texts`: each category's path → what the encoder reads of it."""
    return [
        Pair(intent.id, path, intent.texts, texts[path], "table")
        for intent in intents
        for path in (*intent.needs, *intent.forgotten)
        if path in texts
    ]
