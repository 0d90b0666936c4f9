"""Training learns what is there, goes on after an interruption, and what it says is what the index stores."""

import json
import time
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from benchmarks.training import Run, Straightforward, open_sampler
from graph.errors import ArtefactError, SourceError, StoreEmpty
from graph.schema import Source
from models import artefacts, scoring, training
from models.candidates import candidate_pairs
from models.features import Encoder, Features
from models.index import build_index, index_weights, network_scores
from models.interactions import Interactions
from models.pdn import PDN
from models.recipe import Recipe, read_recipe
from models.training import Job, fingerprint, restore, train
from models.windows import count_windows

RECIPE = Recipe.model_validate(
    {
        "pairs": {"candidates": 40, "window": 3},
        "network": {"embedding": 4, "hidden": 8, "direct": 4},
        "sampling": {"triggers": 8, "negatives": 10, "batch": 16},
        "epochs": 4,
        "learning_rate": 0.01,
        "similar": 6,
    }
)
READING = Recipe.model_validate(
    RECIPE.model_dump()
    | {
        "network": {"embedding": 4, "hidden": 8, "direct": 8, "history": 5},
        "sampling": {"triggers": 8, "negatives": 10, "batch": 16, "weighted": True},
        "history": {"epochs": 3, "batch": 4, "learning_rate": 0.01},
    }
)


def run(data: HeteroData, folder: Path, recipe: Recipe = RECIPE) -> artefacts.Artefact:
    return train(data, folder / "exposures.parquet", folder / "artefacts", recipe)


def test_two_clusters_are_learnt(clustered: HeteroData, tmp_path: Path) -> None:
    """Chance is 10 of 24 - 7 items; shoppers stay in their half of 12, of which 7 are behind them: 5 are left."""
    saved = run(clustered, tmp_path)
    assert saved.manifest["metrics"]["hr@10"] > 0.95
    weights = build_index(saved, clustered)
    inside = (weights.similar_source < 12) == (weights.similar_target < 12)
    assert inside.mean() > 0.95


RETURNING = Recipe.model_validate(
    RECIPE.model_dump()
    | {
        "pairs": {"candidates": 40, "window": 3, "repeats": True},
        "sampling": {"triggers": 8, "negatives": 10, "batch": 16, "weighted": True, "popular": 0.0},
    }
)


def test_triggers_beyond_those_of_training_have_codes_that_are_learnt(snapshot, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    events = [(user, (user + place) % 40, place) for user in range(12) for place in range(30)]
    data = snapshot(events, users=12, items=40)
    _, features = restore(run(data, tmp_path))
    every = Interactions.of(data)
    end = np.full(every.start[1], every.start[1])
    codes = Encoder(data, features).behaviour_codes(every, np.arange(every.start[1]), end)[:, :2]
    seen, beyond = codes[-RECIPE.sampling.triggers :], codes[: -RECIPE.sampling.triggers]
    assert len(np.unique(seen, axis=0)) > 3
    assert (beyond == seen[0]).all()


@pytest.mark.parametrize(
    ("part", "tensors", "said"),
    [("network", [], "argument 'new'"), ("pairs", [], "argument 'new'"), (None, ["user.table"], "user.table")],
)
def test_a_model_of_another_version_is_refused_in_one_line(  # type: ignore[no-untyped-def]
    snapshot, tmp_path: Path, part: str | None, tensors: list[str], said: str
) -> None:
    data = snapshot([(user, (user + place) % 40, place) for user in range(12) for place in range(30)], 12, 40)
    made = run(data, tmp_path)
    recipe = made.manifest["recipe"]
    if part:
        recipe[part]["new"] = 1
    kept = {name: tensor for name, tensor in made.tensors.items() if name not in tensors}
    with pytest.raises(ArtefactError, match=f"another version of Twohop .*{said}.*train it again") as raised:
        build_index(replace(made, tensors=kept), data)
    assert "\n" not in str(raised.value)


def test_what_comes_again_is_learnt(snapshot, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """The first half of the items is bought every fourth time, the second half once. Chance is 10 of 40."""
    rng, events = np.random.default_rng(0), []
    for user in range(30):
        loved, once = rng.choice(20, 2, replace=False), 20 + rng.permutation(20)
        events += [(user, int(loved[n // 2 % 2] if n % 2 else once[n // 2]), n) for n in range(18)]
    data = snapshot(events, users=30, items=40)
    saved = run(data, tmp_path, RETURNING)
    assert saved.manifest["metrics"]["hr@10 with repeats"] > 0.95
    assert {"count", "count_28", "count_112"} < {one["name"] for one in saved.manifest["features"]["behaviour"]}
    scores = network_scores(saved, data)
    own = scores.pairs.source == scores.pairs.target
    assert scores.s[own & (scores.pairs.source < 20)].min() > scores.s[own & (scores.pairs.source >= 20)].max()
    weights = index_weights(scores, data, k=6)
    for source in np.unique(scores.events.item):
        mine = weights.similar_source == source
        assert sorted(weights.similar_rank[mine]) == list(range(7))
        assert weights.similar_target[mine & (weights.similar_rank == 0)].tolist() == [source]


def test_validation_rows_are_left_out_as_the_test_rows_were(snapshot, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Every shopper has 8 moments on 8 days. An item of the last two days alone is not known to the model."""
    events = [(user, item + 12 * (user % 2), item) for user in range(30) for item in range(8)]
    data = snapshot(events, users=30, items=24)
    data["user", "interacted", "item"].event_time = torch.arange(240) % 8 * 24 * 3600
    data.source = Source("small", user_profile=("age",), protocol="days:2")
    saved = run(data, tmp_path)
    known = next(one for one in saved.manifest["features"]["item"] if one["name"] == "id")["values"]
    assert known == [f"i{half + item:03}" for half in (0, 12) for item in range(6)]


def test_triggers_seen_together_are_learnt(
    clustered: HeteroData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And weigh the same however many shoppers are scored at a time."""
    contextual = RECIPE.model_copy(update={"network": replace(RECIPE.network, trig_net="transformer")})
    saved = run(clustered, tmp_path, contextual)
    assert saved.manifest["metrics"]["hr@10"] > 0.95
    together = network_scores(saved, clustered).t
    monkeypatch.setattr(scoring, "SETS", 1)
    np.testing.assert_allclose(network_scores(saved, clustered).t, together, rtol=1e-4, atol=1e-5)


def test_vectors_on_edges_are_learnt_and_not_indexed(clustered: HeteroData, tmp_path: Path) -> None:
    saved = run(clustered, tmp_path, RECIPE.model_copy(update={"network": replace(RECIPE.network, path=3)}))
    assert saved.manifest["metrics"]["hr@10"] > 0.95
    scores = network_scores(saved, clustered)
    pairs = scores.pairs
    expected = np.log1p(np.exp(scores.q @ scores.p[4]))
    for trigger in np.flatnonzero(scores.events.user[scores.trigger] == 4):
        j = scores.events.item[scores.trigger[trigger]]
        for pair in range(pairs.start[j], pairs.start[j + 1]):
            expected[pairs.target[pair]] += np.log1p(np.exp(scores.t[trigger]) @ np.exp(scores.s[pair]))
    np.testing.assert_allclose(scores.of_user(4), expected, rtol=1e-5)
    alike = scores.similarity(len(pairs)).toarray()[pairs.source, pairs.target]
    np.testing.assert_allclose(alike, np.exp(scores.s).sum(axis=1), rtol=1e-5)
    with pytest.raises(ArtefactError, match="is vector-based, with 3 numbers an edge, and the graph stores one"):
        build_index(saved, clustered)


def test_index_keeps_the_k_best_and_every_interaction(clustered: HeteroData, tmp_path: Path) -> None:
    saved = run(clustered, tmp_path)
    scores = network_scores(saved, clustered)
    weights = index_weights(scores, clustered, k=6)
    assert len(weights.trigger_user) == clustered["user", "interacted", "item"].edge_index.size(1)
    for source in range(24):
        mine = weights.similar_source == source
        stored = sorted(np.log(weights.similar_weight[mine]), reverse=True)
        everything = sorted(scores.s[scores.pairs.source == source], reverse=True)
        np.testing.assert_allclose(stored, everything[:6], rtol=1e-5)
        assert sorted(weights.similar_rank[mine]) == list(range(1, 7))
    weights.check()


@pytest.mark.parametrize(("history", "at"), [(False, 23), (True, 23), (True, 60)])
def test_an_interrupted_training_ends_with_the_same_model(
    clustered: HeteroData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, history: bool, at: int
) -> None:
    recipe = READING if history else RECIPE
    monkeypatch.setattr(training, "SAVE_EVERY", 0.0)
    plain, steps = Job._step, []

    def counted(self: Job, stage: Any, batch: Any) -> float:
        if len(steps) == at:
            steps.clear()
            raise KeyboardInterrupt
        steps.append(1)
        return plain(self, stage, batch)

    whole = run(clustered, tmp_path / "whole", recipe)
    monkeypatch.setattr(Job, "_step", counted)
    with pytest.raises(KeyboardInterrupt):
        run(clustered, tmp_path / "parts", recipe)
    monkeypatch.setattr(Job, "_step", lambda self, stage, batch: steps.append(1) or plain(self, stage, batch))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # nothing that a user would see
        resumed = run(clustered, tmp_path / "parts", recipe)
    together = 4 * -(-example_count(clustered) // 16)
    assert len(steps) + at == together + history * sum(history_batches(clustered))  # no batch twice, none left out
    for name, tensor in whole.tensors.items():
        if name.endswith("in_proj_bias"):  # keys' biases change no attention, so their gradient is rounding alone
            continue
        torch.testing.assert_close(tensor, resumed.tensors[name], rtol=1e-5, atol=1e-6, msg=name)
    assert not (tmp_path / "parts/artefacts/checkpoint.safetensors").exists()


def test_a_job_is_named_by_all_that_makes_another_model(clustered: HeteroData) -> None:
    events = Interactions.of(clustered)
    found = candidate_pairs(events, clustered, RECIPE.pairs)
    features = Encoder.fit(clustered, events, found, None, 1).features
    again = Features.of_json(json.loads(json.dumps(features.to_json())))
    assert fingerprint(RECIPE, features, events) == fingerprint(RECIPE, again, events)
    others = [(READING, features, events), (RECIPE, features.without(["item.id"]), events)]
    others.append((RECIPE, features, events.where(events.item > 0)))
    assert fingerprint(RECIPE, features, events) not in [fingerprint(*other) for other in others]


def test_histories_are_learnt(clustered: HeteroData, tmp_path: Path) -> None:
    """By the vectors alone, without a path: shoppers stay in their half of 12 items."""
    longer = READING.model_copy(update={"history": READING.history.model_copy(update={"epochs": 30})})
    scores = network_scores(run(clustered, tmp_path, longer), clustered)
    direct = scores.p @ scores.q.T
    inside = (np.arange(30)[:, None] % 2) == (np.arange(24) >= 12)
    assert direct[inside].mean() > direct[~inside].mean() + 1
    # The direct part of eq. 13 is a probability: about one item is expected, and the paths expect some of it.
    assert 0.2 < (1 / (1 + np.exp(-direct))).sum(axis=1).mean() < 3


def history_batches(data: HeteroData) -> list[int]:
    every = Interactions.of(data)
    events, options = every.where(~every.last_moments()), READING.history
    rngs = (np.random.default_rng([READING.sampling.seed, epoch]) for epoch in range(options.epochs))
    return [count_windows(events, READING.network.history, options.batch, rng) for rng in rngs]


def example_count(data: HeteroData) -> int:
    """30 shoppers with 8 moments; the last one is for validation, the first has no trigger before it."""
    return data["user"].num_nodes * (8 - 2)


def test_seed_fixes_the_model(clustered: HeteroData, tmp_path: Path) -> None:
    one, other = run(clustered, tmp_path / "a"), run(clustered, tmp_path / "b")
    # A GPU adds up in any order, and busy cores now and then.
    tolerance = 1e-3 if torch.cuda.is_available() else 1e-5
    torch.testing.assert_close(one.tensors, other.tensors, rtol=tolerance, atol=tolerance)


def test_without_validation_the_last_epoch_is_kept(clustered: HeteroData, tmp_path: Path) -> None:
    saved = run(clustered, tmp_path, RECIPE.model_copy(update={"validation_users": 0, "epochs": 2}))
    assert saved.manifest["metrics"].keys() == {"epoch", "loss", "seconds"}
    assert saved.manifest["metrics"]["epoch"] == 2
    assert list(saved.manifest["seconds"]) == ["pairs and features", "train PDN", "validation"]


@pytest.mark.parametrize(
    "recipe", [RECIPE, RETURNING, RETURNING.model_copy(update={"network": replace(RETURNING.network, repeat_power=2)})]
)
def test_network_scores_are_equation_14(clustered: HeteroData, tmp_path: Path, recipe: Recipe) -> None:
    scores = network_scores(run(clustered, tmp_path, recipe), clustered)
    t = {
        (int(scores.events.user[e]), int(scores.events.item[e])): t
        for e, t in zip(scores.trigger, scores.t, strict=True)
    }
    s = {(int(j), int(i)): s for j, i, s in zip(scores.pairs.source, scores.pairs.target, scores.s, strict=True)}
    for user in (0, 7):
        expected = np.zeros(24)
        for item in range(24):
            expected[item] = np.log1p(np.exp(float(scores.p[user] @ scores.q[item])))
            for (u, j), trigger in t.items():
                if u == user and (j, item) in s:
                    power = recipe.network.repeat_power if j == item else 1
                    expected[item] += np.log(1 + np.exp(float(trigger)) ** power * np.exp(float(s[j, item])))
        np.testing.assert_allclose(scores.of_user(user), expected, rtol=1e-5)


def test_features_can_be_left_out(clustered: HeteroData, tmp_path: Path) -> None:
    """The network doesn't have them, in the index neither, and what is left is as good as before on this shop."""
    left_out = ("item.id", "user.activity", "item.buyers", "behaviour.days", "pair.cosine", "pair.text")
    whole = run(clustered, tmp_path / "whole").manifest["features"]
    saved = run(clustered, tmp_path, RECIPE.model_copy(update={"without": left_out}))
    names = {f"{group}.{one['name']}" for group, fields in saved.manifest["features"].items() for one in fields}
    assert {f"{group}.{one['name']}" for group, fields in whole.items() for one in fields} - names == set(left_out)
    assert saved.manifest["metrics"]["hr@10"] > 0.95
    weights = build_index(saved, clustered)
    assert ((weights.similar_source < 12) == (weights.similar_target < 12)).mean() > 0.95


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (("pair.txt", "text"), r"cannot leave out pair.txt, text: the features here are user.id, .*pair.text"),
        (
            ("user.id", "user.age", "user.activity"),
            r"user.id, user.age, user.activity: no feature of user would be left",
        ),
    ],
)
def test_features_that_cannot_be_left_out(
    clustered: HeteroData, tmp_path: Path, without: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        run(clustered, tmp_path, RECIPE.model_copy(update={"without": without}))


def test_a_step_loses_what_the_equations_as_they_are_written_lose(clustered: HeteroData) -> None:
    sampler = open_sampler(clustered, RECIPE)
    batches = list(sampler.batches(epoch=0))
    ours, plain = Run(PDN, sampler, RECIPE), Run(Straightforward, sampler, RECIPE)
    for _ in range(3):
        ours.round(batches)
        plain.round(batches)
    assert len(ours.lost) == 3 * len(batches) > 20
    assert np.mean(ours.lost[-len(batches) :]) < np.mean(ours.lost[: len(batches)])
    np.testing.assert_allclose(ours.lost, plain.lost, rtol=1e-3)


@pytest.mark.parametrize("recipe", [RECIPE, READING], ids=["profile", "history"])
def test_the_loss_is_the_same_however_many_steps_it_is_read_after(
    clustered: HeteroData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> None:
    losses = []
    for steps in (1, 7, 1000):
        monkeypatch.setattr(training, "READ_EVERY", steps)
        losses.append(run(clustered, tmp_path / str(steps), recipe).manifest["metrics"]["loss"])
    assert losses[0] > 0
    assert losses == losses[:1] * 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="wants a GPU with CUDA")
@pytest.mark.parametrize("recipe", [RECIPE, READING], ids=["profile", "history"])
def test_a_gpu_learns_what_a_cpu_learns(
    clustered: HeteroData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> None:
    """Without dropout, whose draws differ, and with nothing left out, so that both keep the last epoch."""
    still = recipe.model_copy(update={"network": replace(recipe.network, dropout=0.0), "validation_users": 0})
    there = run(clustered, tmp_path / "gpu", still)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    here = run(clustered, tmp_path / "cpu", still)
    assert there.manifest["metrics"]["loss"] == pytest.approx(here.manifest["metrics"]["loss"], rel=0.02)


def test_batches_come_in_their_order_and_few_are_made_ahead() -> None:
    made: list[int] = []

    def draw(number: int) -> torch.Tensor:
        time.sleep(0.01 * (number % 3))
        made.append(number)
        return torch.tensor(number)

    for taken, batch in enumerate(training.ahead((partial(draw, number) for number in range(30)), threads=4)):
        assert batch.item() == taken
        assert len(made) <= taken + 1 + 5
    assert sorted(made) == list(range(30))


def test_a_batch_that_cannot_be_made_ends_the_training() -> None:
    def fails() -> torch.Tensor:
        raise SourceError("no batch")

    batches = training.ahead(iter([lambda: torch.tensor(1), fails, lambda: torch.tensor(3)]), threads=2)
    assert next(batches).item() == 1
    with pytest.raises(SourceError, match="no batch"):
        next(batches)


def test_no_interactions(snapshot, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(StoreEmpty, match="twohop load"):
        run(snapshot([], users=2, items=3), tmp_path)


def test_a_model_of_another_source_is_refused(clustered: HeteroData, tmp_path: Path) -> None:
    saved = run(clustered, tmp_path, RECIPE.model_copy(update={"epochs": 1}))
    clustered.source = type(clustered.source)("other")
    with pytest.raises(ArtefactError, match="trained on 'small', the store holds 'other'"):
        network_scores(saved, clustered)


def test_recipes_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("epochs: many")
    with pytest.raises(Exception, match=r"mine.yaml: epochs: Input should be a valid integer"):
        read_recipe("x", file)
    file.write_text("epoch: 1")
    with pytest.raises(Exception, match=r"mine.yaml: epoch: Extra inputs"):
        read_recipe("x", file)
    file.write_text("network: {repeat_power: 2}")
    with pytest.raises(
        Exception, match=r"network: \{repeat_power\} is of repeats: set pairs: \{repeats: true\} as well"
    ):
        read_recipe("x", file)
    for source in ("complete-journey", "movielens-1m", "amazon-beauty", "anything else"):
        assert read_recipe(source).epochs >= 1
