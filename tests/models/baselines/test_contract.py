"""One contract for all baselines: each of them passes the same tests on a matrix whose right answer is known."""

import json
from typing import Any, ClassVar

import numpy as np
import optuna
import pytest
import torch
from torch_geometric.data import HeteroData

from models.baselines import RECOMMENDERS
from models.baselines.contract import Options, Recommender
from models.interactions import Floats, Interactions
from tests.models.conftest import make_snapshot

HALF, USERS, LENGTH = 8, 40, 6
LONELY = USERS  # a user without any event
WITHOUT_VECTORS = ("popularity", "frequency", "pcf", "cosine", "bm25", "slim", "ease", "floor")
SMALL = {"width": 16, "batch": 8, "length": 8, "rate": 0.01}


def blocks(seed: int = 0) -> HeteroData:
    """Two blocks of users and items: each user had six of the eight items of one block, in any order."""
    rng, rows = np.random.default_rng(seed), []
    for user in range(USERS):
        block = np.arange(HALF) + HALF * (user % 2)
        rows += [(user, int(item), place) for place, item in enumerate(rng.permutation(block)[:LENGTH])]
    return make_snapshot(rows, users=USERS + 1, items=2 * HALF)


@pytest.fixture(scope="module")
def data() -> HeteroData:
    return blocks()


@pytest.fixture(scope="module")
def events(data: HeteroData) -> Interactions:
    return Interactions.of(data)


class RecommenderContract:
    """What every model must pass; a subclass names the model and the options that suit sixteen items."""

    name: str
    settings: ClassVar[dict[str, Any]] = {}
    personal = True

    @classmethod
    def model(cls) -> Recommender[Any]:
        kind = RECOMMENDERS[cls.name]
        return kind(kind.options_class.of_json(cls.settings))

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls, events: Interactions) -> Recommender[Any]:
        return cls.model().fit(events)

    def test_missing_items_of_the_block_come_first(self, fitted: Recommender[Any], events: Interactions) -> None:
        items, scores = fitted.recommend(np.arange(USERS), HALF - LENGTH)
        assert (np.diff(scores, axis=1) <= 0).all()
        if self.personal:
            for user, found in enumerate(items):
                block = set(range(HALF * (user % 2), HALF * (user % 2 + 1)))
                assert set(found.tolist()) == block - set(events.item[events.user == user].tolist()), user

    def test_what_a_user_had_is_left_out(self, fitted: Recommender[Any], events: Interactions) -> None:
        items, _ = fitted.recommend(np.arange(USERS), 2 * HALF - LENGTH)
        for user, found in enumerate(items):
            assert set(found.tolist()) == set(range(2 * HALF)) - set(events.item[events.user == user].tolist())

    def test_repeats_may_be_recommended(self, fitted: Recommender[Any]) -> None:
        users = np.array([3, 1, LONELY])
        items, scores = fitted.recommend(users, 2 * HALF, repeats=True)
        assert (np.sort(items, axis=1) == np.arange(2 * HALF)).all()
        np.testing.assert_allclose(scores, np.take_along_axis(fitted.score(users), items, axis=1), rtol=1e-5)

    def test_a_list_longer_than_the_catalogue_is_filled_up(self, fitted: Recommender[Any]) -> None:
        items, scores = fitted.recommend(np.array([0, LONELY]), 50)
        assert items.shape == scores.shape == (2, 50)
        assert (items[0, 2 * HALF - LENGTH :] == -1).all()
        assert np.isneginf(scores[0, 2 * HALF - LENGTH :]).all()
        assert (items[1, : 2 * HALF] >= 0).all()

    def test_scores_are_finite_also_without_a_history(self, fitted: Recommender[Any]) -> None:
        scores = fitted.score(np.arange(USERS + 1))
        assert scores.shape == (USERS + 1, 2 * HALF)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        assert fitted.score(np.zeros(0, dtype=np.int64)).shape == (0, 2 * HALF)

    def test_vectors_of_items_tell_the_blocks_apart(self, fitted: Recommender[Any]) -> None:
        vectors = fitted.item_vectors()
        if vectors is None:
            assert self.name in WITHOUT_VECTORS
            return
        assert self.name not in WITHOUT_VECTORS
        alike = vectors @ vectors.T
        same = np.equal.outer(*[np.arange(2 * HALF) < HALF] * 2)
        assert alike[same & ~np.eye(2 * HALF, dtype=bool)].mean() > alike[~same].mean()

    def test_the_same_seed_gives_the_same_scores(self, fitted: Recommender[Any], events: Interactions) -> None:
        again = self.model().fit(events)
        tolerance = 1e-3 if torch.cuda.is_available() else 0  # a GPU adds up in any order
        np.testing.assert_allclose(
            again.score(np.arange(USERS)), fitted.score(np.arange(USERS)), rtol=tolerance, atol=tolerance
        )

    def test_profiles_may_be_given(self, events: Interactions, data: HeteroData) -> None:
        settings = self.settings | ({"epochs": 1} if "epochs" in self.settings else {})
        kind = RECOMMENDERS[self.name]
        scores = kind(kind.options_class.of_json(settings)).fit(events, data).score(np.arange(USERS + 1))
        assert np.isfinite(scores).all()

    def test_options_round_trip(self) -> None:
        options = self.model().options
        assert type(options).of_json(json.loads(json.dumps(options.to_json()))) == options

    def test_the_space_gives_options_of_the_model(self) -> None:
        kind = RECOMMENDERS[self.name]
        defaults = kind.options_class().to_json()
        assert isinstance(kind.space(optuna.trial.FixedTrial(defaults)), kind.options_class)


class TestPopularity(RecommenderContract):
    name, personal = "popularity", False

    def test_the_most_bought_come_first(self, fitted: Recommender[Any], events: Interactions) -> None:
        items, _ = fitted.recommend(np.array([LONELY]), 2 * HALF)
        assert items[0].tolist() == np.argsort(-events.buyers, kind="stable").tolist()


class TestFrequency(RecommenderContract):
    name, personal = "frequency", False

    def test_what_came_often_and_lately_comes_first(self) -> None:
        """Items 0 and 1 twice, item 1 later; item 2 once, last of all; 3 and 4 by others; a year for half a time."""
        rows = [(0, 0, 0), (0, 1, 1), (0, 0, 2), (0, 1, 3), (0, 2, 4), (1, 4, 0), (2, 4, 0), (2, 3, 1)]
        data = make_snapshot(rows, users=3, items=6)
        data["user", "interacted", "item"].event_time = torch.tensor([0, 1, 2, 3, 4, 4, 4, 4]) * 24 * 3600
        model = RECOMMENDERS[self.name](RECOMMENDERS[self.name].options_class.of_json({"half_life": 365.0}))
        fitted = model.fit(Interactions.of(data))
        items, scores = fitted.recommend(np.array([0]), 5, repeats=True)
        assert items[0].tolist() == [1, 0, 2, 4, 3]
        expected = [1 + 2 ** (-3 / 365) + 2 ** (-1 / 365), 1 + 2 ** (-4 / 365) + 2 ** (-2 / 365), 2, 2 / 4, 1 / 4]
        np.testing.assert_allclose(scores[0], expected, rtol=1e-6)
        assert fitted.recommend(np.array([0]), 2)[0].tolist() == [[4, 3]]


class TestPearson(RecommenderContract):
    name = "pcf"


class TestCosine(RecommenderContract):
    name = "cosine"


class TestBM25(RecommenderContract):
    name = "bm25"


class TestIALS(RecommenderContract):
    name = "ials"
    settings: ClassVar = {"factors": 2, "regularization": 0.1}


class TestSLIM(RecommenderContract):
    name = "slim"
    settings: ClassVar = {"l1": 0.1, "l2": 1.0}


class TestEASE(RecommenderContract):
    name = "ease"
    settings: ClassVar = {"regularization": 10.0}


class TestFloor(RecommenderContract):
    name = "floor"
    settings: ClassVar = {"backward": 0.5, "ease": 0.5, "text": 0.1, "own": 0.1}


class TestDSSM(RecommenderContract):
    name = "dssm"
    settings = SMALL | {"batch": 32, "epochs": 40}


class TestYouTubeDNN(RecommenderContract):
    name = "youtube-dnn"
    settings = SMALL | {"epochs": 15}


class TestBST(RecommenderContract):
    name = "bst"
    settings = SMALL | {"epochs": 15}


class TestDIN(RecommenderContract):
    name = "din"
    settings = SMALL | {"epochs": 25}


class TestSASRec(RecommenderContract):
    name = "sasrec"
    settings = SMALL | {"epochs": 15}


class TestSASRecSampled(RecommenderContract):
    name = "sasrec"
    settings = SMALL | {"epochs": 15, "negatives": 8}


class TestLightGCN(RecommenderContract):
    name = "lightgcn"
    settings = SMALL | {"batch": 64, "epochs": 15}


class TestNGCF(RecommenderContract):
    name = "ngcf"
    settings = SMALL | {"batch": 64, "epochs": 15}


def test_every_model_is_under_contract() -> None:
    assert {kind.name for kind in RecommenderContract.__subclasses__()} == set(RECOMMENDERS)


class Table(Recommender[Options]):
    """Scores from a table."""

    name, options_class = "table", Options

    def __init__(self, table: Floats) -> None:
        super().__init__()
        self.table = table

    @staticmethod
    def space(trial: object) -> Options:
        return Options()

    def learn(self, events: Interactions, data: HeteroData | None) -> None:
        pass

    def score(self, users: np.ndarray) -> Floats:
        return self.table[users]


def test_scores_of_a_model_are_not_written_to() -> None:
    table = np.ones((USERS + 1, 2 * HALF), dtype=np.float32)
    Table(table).fit(Interactions.of(blocks())).recommend(np.arange(USERS), 3)
    assert (table == 1).all()
