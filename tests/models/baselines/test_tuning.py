"""The search: same budget, seeded, never worse than the defaults."""

from typing import Any

import numpy as np
import optuna
import pytest

from graph.errors import SettingsError
from models.baselines import RECOMMENDERS
from models.baselines.extra import extra
from models.baselines.tuning import Tuned, tune, wanted
from models.interactions import Interactions
from tests.models.conftest import clustered_events, make_snapshot


@pytest.fixture
def split() -> tuple[Interactions, Interactions]:
    events = Interactions.of(make_snapshot(clustered_events(), users=30, items=24))
    held = events.last_moments()
    return events.where(~held), events.where(held)


def without_seconds(tuned: Tuned) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in tuned.trials]


def test_a_search_is_seeded_and_starts_with_the_defaults(split: tuple[Interactions, Interactions]) -> None:
    one, again = (tune("ease", *split, trials=4, seed=3) for _ in range(2))
    assert [row["trial"] for row in one.trials] == [0, 1, 2, 3]
    assert one.trials[0]["options"]["regularization"] == 500.0
    assert without_seconds(one) == without_seconds(again)
    best = max(one.trials, key=lambda row: row["ndcg@10"])
    assert best["ndcg@10"] == max(row["ndcg@10"] for row in one.trials if row["options"] == one.options.to_json())
    assert without_seconds(one) != without_seconds(tune("ease", *split, trials=4, seed=4))


def test_a_model_without_options_is_fitted_once(split: tuple[Interactions, Interactions]) -> None:
    assert len(tune("popularity", *split, trials=5).trials) == 1


def test_a_search_ends_with_its_time_but_not_before_the_first_fit(split: tuple[Interactions, Interactions]) -> None:
    assert len(tune("ease", *split, trials=50, seconds=0.0).trials) == 1


def test_repeats_are_wanted_only_where_they_count() -> None:
    train = Interactions.of(make_snapshot([(0, 1, 0), (0, 2, 1)], users=2, items=5))
    held = Interactions.of(make_snapshot([(0, 2, 2), (0, 4, 2), (1, 3, 0)], users=2, items=5))
    new, both = wanted(train, held), wanted(train, held, repeats=True)
    assert {user: items.tolist() for user, items in new.items()} == {0: [4]}
    assert {user: items.tolist() for user, items in both.items()} == {0: [2, 4]}
    assert all(items.dtype == np.int64 for items in new.values())


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ImportError

    monkeypatch.setattr("models.baselines.extra.import_module", fail)
    with pytest.raises(SettingsError, match="implicit is not installed"):
        extra("implicit.nearest_neighbours")


@pytest.mark.parametrize("name", RECOMMENDERS)
def test_what_a_search_begins_with_is_in_its_space(name: str) -> None:
    model = RECOMMENDERS[name]
    for start in model.starts():
        assert model.space(optuna.trial.FixedTrial(start.to_json())) == start
