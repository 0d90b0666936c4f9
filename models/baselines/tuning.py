"""The same search for every model: a seeded TPE sampler over its own small space, by NDCG@10 on validation events."""

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.baselines import RECOMMENDERS
from models.baselines.contract import Options
from models.baselines.extra import extra
from models.interactions import Interactions, Ints
from models.metrics import Lists, accuracy, list_ranks, means

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData

K = 10


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Attributes:
        options: the best trial's.
        trials: one row a trial, in order: number, seconds, options and metrics.
    """

    options: Options
    trials: list[dict[str, Any]]


def wanted(train: Interactions, held: Interactions, repeats: bool = False) -> dict[int, Ints]:
    """The held-out items of each user who has training events; those of the training events only with `repeats`."""
    keys = np.unique(held.user * held.items + held.item)
    if not repeats:
        keys = np.setdiff1d(keys, train.user * train.items + train.item)
    user, item = np.divmod(keys, held.items)
    known = train.activity[user] > 0
    user, item = user[known], item[known]
    users, begin = np.unique(user, return_index=True)
    return dict(zip(users.tolist(), np.split(item, begin[1:]), strict=True))


def tune(
    name: str,
    train: Interactions,
    validation: Interactions,
    trials: int = 20,
    seed: int = 0,
    data: "HeteroData | None" = None,
    repeats: bool = False,
    seconds: float = math.inf,
) -> Tuned:
    """Search the space of one model with a budget of `trials` fits and of `seconds`; the fit under way is finished.

    The first trials are the model's own `starts`. A model without options is fitted once.

    Raises `SettingsError` where the extra `baselines` is not installed.
    """
    optuna = extra("optuna")
    model, truth, rows = RECOMMENDERS[name], wanted(train, validation, repeats), []
    users, wanted_lists = np.array([*truth], dtype=np.int64), Lists.of(truth.values())

    started = time.monotonic()

    def objective(trial: "Trial") -> float:
        options, begun = model.space(trial), time.monotonic()
        ranked, _ = model(options).fit(train, data).recommend(users, K, repeats)
        metrics = means(accuracy(list_ranks(ranked, wanted_lists), wanted_lists, K))
        row = {"trial": trial.number, "seconds": round(time.monotonic() - begun, 1), "options": options.to_json()}
        rows.append(row | metrics)
        if not trial.params or time.monotonic() - started > seconds:
            trial.study.stop()
        return metrics.get(f"ndcg@{K}", 0.0)

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        for start in model.starts():
            study.enqueue_trial(start.to_json())
        study.optimize(objective, n_trials=trials)
    finally:
        optuna.logging.set_verbosity(before)
    return Tuned(model.options_class.of_json(rows[study.best_trial.number]["options"]), rows)
