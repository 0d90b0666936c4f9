"""Batches without conflicts, parts by id, a real tuning: what it learns, its seed, an interruption, its artefact."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import ArtefactError, StoreError
from models import artefacts
from models.artefacts import WEIGHTS
from models.intents import training
from models.intents.encoder import DEFAULT, FORMAT, Encoder, Floats, best_encoder, load_encoder, save_encoder, untuned
from models.intents.training import ConflictFreeBatches, Pair, TrainingOptions, fingerprint, part, table_pairs, tune
from tests.models.intents.conftest import make_intent

INTENTS = {
    "camp": "tents, sleeping bags, camp stoves, lanterns, coolers",
    "bake": "flour, sugar, baking tins, whisks, ovens",
    "paint a room": "brushes, rollers, paint, masking tape, ladders",
    "welcome a baby": "cribs, diapers, strollers, bottles, bibs",
    "play tennis": "rackets, tennis balls, sports shoes, headbands, grips",
    "set up an aquarium": "fish tanks, water pumps, gravel, fish food, heaters",
    "write letters": "envelopes, fountain pens, stamps, ink, writing paper",
    "ride to work": "bicycles, helmets, bicycle locks, rain jackets, reflectors",
}
PAIRS = [
    Pair(intent, name, (intent, f"how to {intent}"), name, "table")
    for intent, names in INTENTS.items()
    for name in names.split(", ")
]
OPTIONS = TrainingOptions(batch=8, frozen=3, learning_rate=3e-4)
EPOCHS = 3
STEPS = EPOCHS * len(ConflictFreeBatches(PAIRS, OPTIONS.batch, OPTIONS.seed))


@st.composite
def pairs(draw: st.DrawFn) -> list[Pair]:
    found = draw(st.sets(st.tuples(st.integers(0, 12), st.integers(0, 20)), min_size=1, max_size=80))
    return [Pair(f"i{i}", f"c{c}", (f"i{i}",), f"c{c}", "table") for i, c in sorted(found)]


@given(pairs(), st.integers(2, 16), st.integers(0, 3), st.integers(0, 3))
def test_no_batch_has_a_conflict(pairs: list[Pair], size: int, seed: int, epoch: int) -> None:
    needs = {(pair.intent, pair.category) for pair in pairs}
    batches = ConflictFreeBatches(pairs, size, seed)
    batches.set_epoch(epoch)
    assert len(batches) == len(list(batches)) >= 1
    for batch in batches:
        assert 1 <= len(batch) <= size
        chosen = [pairs[number] for number in batch]
        assert len({pair.intent for pair in chosen}) == len(batch)
        for one in chosen:
            assert not any((one.intent, other.category) in needs for other in chosen if other is not one)
    taken = Counter(number for batch in batches for number in batch)
    assert set(taken.values()) <= {1}
    assert set(taken) <= set(range(len(pairs)))


@given(pairs(), st.integers(2, 16), st.integers(0, 3))
def test_the_seed_fixes_the_batches(pairs: list[Pair], size: int, seed: int) -> None:
    one, other = ConflictFreeBatches(pairs, size, seed), ConflictFreeBatches(pairs, size, seed)
    first = list(one)
    assert first == list(other) == list(one)
    for batches in (one, other):
        batches.set_epoch(3)
    assert list(one) == list(other)
    one.set_epoch(0)
    assert list(one) == first


def test_another_epoch_and_another_seed_have_another_order() -> None:
    batches = ConflictFreeBatches(PAIRS, 8, 0)
    first = list(batches)
    batches.set_epoch(1)
    assert list(batches) != first
    assert list(ConflictFreeBatches(PAIRS, 8, 1)) != first


def test_pairs_without_conflicts_are_all_in_full_batches() -> None:
    apart = [Pair(f"i{number}", f"c{number}", ("i",), "c", "table") for number in range(32)]
    batches = list(ConflictFreeBatches(apart, 8, 0))
    assert [len(batch) for batch in batches] == [8] * 4
    assert sorted(number for batch in batches for number in batch) == list(range(32))


def test_a_pair_without_a_place_waits() -> None:
    """All but one pair of an intent would be batches of one."""
    lonely = [Pair("i", f"c{number}", ("i",), "c", "table") for number in range(40)]
    assert [len(batch) for batch in ConflictFreeBatches(lonely, 8, 0)] == [1]


@given(st.text(max_size=20))
def test_the_part_depends_on_the_id_alone(intent: str) -> None:
    assert part(intent) == part(intent)
    assert part(intent) in ("train", "validation", "test")


def test_parts_are_about_70_10_20() -> None:
    counts = Counter(part(f"intent-{number}") for number in range(5_000))
    shares = {name: count / 5_000 for name, count in counts.items()}
    assert shares == pytest.approx({"train": 0.7, "validation": 0.1, "test": 0.2}, abs=0.03)
    assert [part(name) for name in ("camp", "bake", "hike")] == [part(name) for name in ("camp", "bake", "hike")]


def test_pairs_of_the_table() -> None:
    camp = make_intent("camp", "A > Tents", "A > Gone", forgotten=("B > Lamps",), sentence="go camping", says=("camp",))
    found = table_pairs([camp], {"A > Tents": "Tents (A)", "B > Lamps": "Lamps (B)", "C": "C"})
    said = ("go camping", "camp")
    assert found == [
        Pair("camp", "A > Tents", said, "Tents (A)", "table"),
        Pair("camp", "B > Lamps", said, "Lamps (B)", "table"),
    ]


def test_the_fingerprint_tells_jobs_apart() -> None:
    assert fingerprint(PAIRS, OPTIONS) == fingerprint(list(PAIRS), OPTIONS.model_copy())
    others = [(PAIRS[1:], OPTIONS), (PAIRS, OPTIONS.model_copy(update={"seed": 1}))]
    assert fingerprint(PAIRS, OPTIONS) not in [fingerprint(*other) for other in others]


def test_too_few_pairs_are_refused(tmp_path: Path) -> None:
    for few in ([], PAIRS[:1]):
        with pytest.raises(StoreError, match=r"no pairs .*: run twohop intents mine first"):
            tune(few, OPTIONS, tmp_path)


def state(encoder: Encoder) -> dict[str, torch.Tensor]:
    return encoder.model.state_dict()


def assert_same(one: Encoder, other: Encoder) -> None:
    for name, tensor in state(one).items():
        torch.testing.assert_close(tensor, state(other)[name], rtol=0, atol=1e-5, msg=name)


def positives(encoder: Encoder) -> float:
    """Mean cosine of an intent and what it needs."""
    anchors, found = encoder.encode([pair.intent for pair in PAIRS]), encoder.encode([pair.text for pair in PAIRS])
    return float((anchors * found).sum(axis=1).mean())


def loss(encoder: Encoder) -> float:
    """Of multiple negatives ranking, naive: each category of a batch for each of its intents, and back."""
    anchors, found = encoder.encode([pair.intent for pair in PAIRS]), encoder.encode([pair.text for pair in PAIRS])
    total = []
    for batch in ConflictFreeBatches(PAIRS, OPTIONS.batch, OPTIONS.seed):
        scores = torch.from_numpy(anchors[batch] @ found[batch].T) / OPTIONS.temperature
        right = torch.arange(len(batch))
        both = torch.nn.functional.cross_entropy(scores, right) + torch.nn.functional.cross_entropy(scores.T, right)
        total.append(float(both) / 2)
    return sum(total) / len(total)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Encoder, dict[str, Any]]:
    """One epoch over the pairs, in a work folder where another job was left."""
    work = tmp_path_factory.mktemp("work")
    (work / "another job").mkdir()
    found = tune(PAIRS, OPTIONS, work)
    assert not list(work.iterdir())
    return found


def test_tuning_learns_the_pairs(tuned: tuple[Encoder, dict[str, Any]], encoder: Encoder) -> None:
    found, told = tuned
    assert loss(found) < 0.8 * loss(encoder)
    assert positives(found) > positives(encoder) + 0.02
    assert (found.base, found.tuned, encoder.tuned) == (DEFAULT, True, False)
    assert (told["pairs"], told["steps"]) == (40, len(ConflictFreeBatches(PAIRS, 8, 0)))
    assert told["loss"] > 0


def test_frozen_layers_stay(tuned: tuple[Encoder, dict[str, Any]], encoder: Encoder) -> None:
    moved = {name for name, tensor in state(tuned[0]).items() if not torch.equal(tensor, state(encoder)[name])}
    assert moved
    assert not [name for name in moved if "embeddings" in name or any(f".layer.{n}." in name for n in (0, 1, 2))]
    assert {n for n in range(6) if any(f".layer.{n}." in name for name in moved)} == {3, 4, 5}


class Counted:
    """Steps of a tuning, the categories each saw, and an interruption after `stop` of them."""

    def __init__(self, patch: pytest.MonkeyPatch, stop: int | None = None) -> None:
        self.done, self.started_at = 0, 0
        plain_begin, plain_end = training._Shown.on_train_begin, training._Shown.on_step_end

        def begin(shown: Any, args: Any, state: Any, control: Any, **more: Any) -> None:
            self.started_at = state.global_step
            plain_begin(shown, args, state, control, **more)

        def end(shown: Any, args: Any, state: Any, control: Any, **more: Any) -> None:
            self.done += 1
            plain_end(shown, args, state, control, **more)
            if self.done == stop:
                raise KeyboardInterrupt

        patch.setattr(training._Shown, "on_train_begin", begin)
        patch.setattr(training._Shown, "on_step_end", end)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> TrainingOptions:
    """Options of a tuning that takes seconds: two layers of the packaged model, from a folder."""
    folder = tmp_path_factory.mktemp("small")
    model = untuned().model
    model[0].model.encoder.layer = model[0].model.encoder.layer[:2]
    model[0].model.config.num_hidden_layers = 2
    model.save_pretrained(str(folder))
    return OPTIONS.model_copy(update={"base": str(folder), "frozen": 0})


def test_an_interrupted_tuning_goes_on(tmp_path: Path, small: TrainingOptions) -> None:
    """As if nothing had been: the same steps in the same order, and the same model."""
    options = small.model_copy(update={"epochs": EPOCHS})
    whole, _ = tune(PAIRS, options, tmp_path / "whole")
    work = tmp_path / "parts"
    with pytest.MonkeyPatch.context() as patch:
        Counted(patch, stop=STEPS - 2)
        with pytest.raises(KeyboardInterrupt):
            tune(PAIRS, options, work)
    (job,) = work.iterdir()
    (checkpoint,) = job.glob("checkpoint-*")
    # A process that is killed while it saves leaves a checkpoint without its last file.
    torn = shutil.copytree(checkpoint, job / f"checkpoint-{STEPS - 2}")
    (torn / "trainer_state.json").unlink()
    with pytest.MonkeyPatch.context() as patch:
        counted = Counted(patch)
        resumed, _ = tune(PAIRS, options, work)
    assert f"checkpoint-{counted.started_at}" == checkpoint.name
    assert counted.started_at + counted.done == STEPS
    assert 0 < counted.done < STEPS
    assert_same(resumed, whole)
    assert not list(work.iterdir())


def test_the_seed_fixes_the_model(tmp_path: Path, small: TrainingOptions, capfd: pytest.CaptureFixture[str]) -> None:
    (one, told), (other, again) = (tune(PAIRS, small, tmp_path) for _ in range(2))
    assert_same(one, other)
    assert told["loss"] == pytest.approx(again["loss"], abs=1e-5)
    np.testing.assert_allclose(one.encode(TEXTS), other.encode(TEXTS), atol=1e-5)
    another, _ = tune(PAIRS, small.model_copy(update={"seed": 1}), tmp_path)
    assert np.abs(one.encode(TEXTS) - another.encode(TEXTS)).max() > 1e-3
    assert {line.split()[0] for line in capfd.readouterr().err.splitlines()} == {"Tuning"}  # no bars but our own


TEXTS = ["go camping", "tents (camping)", "", "größe 44", "go camping"]


@pytest.fixture
def kept(tmp_path: Path, tuned: tuple[Encoder, dict[str, Any]]) -> Iterator[tuple[Path, Encoder]]:
    """A folder with the tuned model, of 90 MB: it goes at once."""
    yield tmp_path, save_encoder(tmp_path, tuned[0], {"metrics": {"mrr": 0.5}})
    shutil.rmtree(tmp_path)


def test_a_kept_model_comes_back_exactly(kept: tuple[Path, Encoder], tuned: tuple[Encoder, dict[str, Any]]) -> None:
    folder, saved = kept
    loaded = load_encoder(folder)
    assert (loaded.identity, loaded.base, loaded.tuned) == (saved.identity, DEFAULT, True)
    before: Floats = tuned[0].encode(TEXTS)
    assert np.array_equal(loaded.encode(TEXTS), before)
    assert np.array_equal(load_encoder(folder, saved.identity).encode(TEXTS), before)
    np.testing.assert_allclose(np.linalg.norm(before, axis=1), 1, rtol=1e-5)
    assert np.array_equal(before[0], before[4])
    assert artefacts.load(folder, format=FORMAT).manifest["metrics"] == {"mrr": 0.5}


def test_damaged_weights_are_refused(kept: tuple[Path, Encoder]) -> None:
    folder, saved = kept
    file = folder / saved.identity / WEIGHTS
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        byte = opened.read(1)
        opened.seek(-1, 1)
        opened.write(bytes([byte[0] ^ 1]))
    with pytest.raises(ArtefactError, match=r"damaged: .*weights.safetensors has another checksum"):
        load_encoder(folder)
    file.write_bytes(b"")
    with pytest.raises(ArtefactError, match="damaged"):
        load_encoder(folder)


def test_before_the_first_training_the_untuned_one_serves(tmp_path: Path, kept: tuple[Path, Encoder]) -> None:
    assert best_encoder(tmp_path / "nothing").identity == DEFAULT
    folder, encoder = kept
    assert best_encoder(folder).identity == encoder.identity
    (tmp_path / "latest").write_text("gone")
    with pytest.raises(ArtefactError, match="no model gone"):
        best_encoder(tmp_path)


def test_a_model_of_another_shape_is_refused_by_one_line(tmp_path: Path) -> None:
    artefacts.save(tmp_path, {"layer": torch.zeros(2)}, {"base": DEFAULT}, FORMAT)
    with pytest.raises(ArtefactError, match=f"does not fit {DEFAULT}") as refused:
        load_encoder(tmp_path)
    assert "\n" not in str(refused.value)
    artefacts.save(tmp_path, {"layer": torch.zeros(2)}, {"base": DEFAULT})
    with pytest.raises(ArtefactError, match="foreign"):
        load_encoder(tmp_path)


def test_models_that_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"no trained model in .*: run `twohop intents train` first"):
        load_encoder(tmp_path)
    (tmp_path / "config.json").write_text("{")
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(ArtefactError, match=rf"model {place} cannot be loaded .*{DEFAULT}") as refused:
            untuned(str(place))
        assert "\n" not in str(refused.value)


def test_no_texts_have_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, 384)
    assert encoder.encode([], "Encoding nothing").shape == (0, 384)
