"""Metrics, BM25 and retrieval over two hops, against reimplementations from their definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from models.intents.encoder import Encoder, Floats
from models.intents.evaluation import (
    Task,
    bm25_scores,
    category_task,
    evaluate,
    evaluate_bm25,
    intent_task,
    metrics,
    needs_matrix,
)
from models.intents.retrieval import Retrieval
from tests.models.intents.conftest import make_intent

PATHS = ["Sport > Tents", "Sport > Stoves", "Food > Bread", "Food > Butter", "Home > Lamps"]
TEXTS = ["Tents (Sport)", "Stoves (Sport)", "Bread (Food)", "Butter (Food)", "Lamps (Home)"]
CAMP = make_intent(
    "camp", "Sport > Tents", "Sport > Stoves", forgotten=("Home > Lamps",), sentence="go camping", says=("sleep out",)
)
EAT = make_intent("eat", "Food > Bread", "Food > Butter", "Gone > Away", sentence="eat bread and butter")
LOST = make_intent("lost", "Gone > Away")


@st.composite
def rankings(draw: st.DrawFn) -> tuple[list[list[int]], list[set[int]]]:
    """Scores with many ties of 1 to 4 queries, and what is right for each."""
    queries, candidates = draw(st.integers(1, 4)), draw(st.integers(1, 30))
    row = st.lists(st.integers(0, 5), min_size=candidates, max_size=candidates)
    right = st.sets(st.integers(0, candidates - 1), min_size=1)
    return draw(st.lists(row, min_size=queries, max_size=queries)), [draw(right) for _ in range(queries)]


@given(rankings())
def test_metrics_against_the_definitions(case: tuple[list[list[int]], list[set[int]]]) -> None:
    scores, relevant = case
    hits = {"accuracy@1": 0.0, "recall@5": 0.0, "recall@10": 0.0, "recall@20": 0.0, "mrr": 0.0}
    for row, right in zip(scores, relevant, strict=True):
        order = sorted(range(len(row)), key=lambda place: (-row[place], place in right))
        places = [place for place, candidate in enumerate(order, start=1) if candidate in right]
        hits["accuracy@1"] += order[0] in right
        hits["mrr"] += 1 / places[0]
        for k in (5, 10, 20):
            hits[f"recall@{k}"] += len(right & set(order[:k])) / min(k, len(right))
    found = metrics(np.array(scores, dtype=np.float32), relevant)
    assert found == pytest.approx({name: total / len(scores) for name, total in hits.items()})


def test_ties_count_against_what_is_right() -> None:
    found = metrics(np.ones((1, 8)), [{0}])
    assert found == {"accuracy@1": 0, "recall@5": 0, "recall@10": 1, "recall@20": 1, "mrr": 1 / 8}


def test_tasks_ask_for_what_the_intents_list() -> None:
    there = intent_task([CAMP, EAT, LOST], PATHS, TEXTS)
    assert there.queries == ["go camping", "eat bread and butter"]  # nothing of the third is there to be found
    assert (there.candidates, there.relevant) == (TEXTS, [{0, 1, 4}, {2, 3}])
    back = category_task([CAMP, EAT, LOST], PATHS, TEXTS)
    assert back.queries == TEXTS
    assert back.candidates == ["go camping. sleep out", "eat bread and butter", "get lost done"]
    assert back.relevant == [{0}, {0}, {1}, {1}, {0}]


def test_bm25_finds_the_exact_word_first() -> None:
    task = Task("t", ["a stove", "LAMPS", "butter for bread", "xylophone"], PATHS, [{1}, {4}, {3}, {0}])
    scores = bm25_scores(task)
    assert scores.shape == (4, len(PATHS))
    assert list(scores[:3].argmax(axis=1)[:2]) == [1, 4]
    assert set(np.argsort(-scores[2])[:2]) == {2, 3}
    assert not scores[3].any()  # a word that no candidate has
    assert (scores[0][[0, 2, 3, 4]] == 0).all()


def test_bm25_over_both_tasks() -> None:
    found = evaluate_bm25([CAMP, EAT], PATHS)
    assert set(found) == {"intent to categories", "category to intent"}
    assert found["intent to categories"]["mrr"] == pytest.approx((1 / 3 + 1) / 2)  # no word of camping is in a path
    assert found["category to intent"]["accuracy@1"] == pytest.approx(2 / 5)


def unit(rng: np.random.Generator, rows: int) -> Floats:
    found = rng.normal(size=(rows, 6)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@given(st.integers(0, 1_000), st.integers(1, 9), st.integers(1, 12), st.floats(0.05, 1), st.floats(0.02, 0.5))
def test_retrieval_against_a_double_loop(seed: int, count: int, near: int, share: float, temperature: float) -> None:
    rng = np.random.default_rng(seed)
    texts, nodes, intents = unit(rng, 3), unit(rng, 5), unit(rng, count)
    needs = np.where(rng.random((count, 5)) < 0.4, rng.random((count, 5)), 0)
    found = Retrieval(near, share, temperature).scores(texts, nodes, intents, csr_matrix(needs, dtype=np.float32))
    assert found.shape == (3, 5)
    for t, text in enumerate(texts):
        cosines = [float(text @ intent) for intent in intents]
        nearest = sorted(range(count), key=lambda i: -cosines[i])[:near]
        total = sum(math.exp(cosines[i] / temperature) for i in nearest)
        for n, node in enumerate(nodes):
            hop = sum(math.exp(cosines[i] / temperature) / total * needs[i, n] for i in nearest)
            assert found[t, n] == pytest.approx(float(text @ node) + share * hop, abs=1e-4)


def test_retrieval_without_the_second_hop_is_the_cosine() -> None:
    rng = np.random.default_rng(0)
    texts, nodes = unit(rng, 3), unit(rng, 5)
    for retrieval, intents in ((Retrieval(near=0), unit(rng, 4)), (Retrieval(), unit(rng, 0))):
        needs = csr_matrix((len(intents), 5), dtype=np.float32)
        np.testing.assert_allclose(retrieval.scores(texts, nodes, intents, needs), texts @ nodes.T, rtol=1e-6)


def test_the_needs_matrix_falls_along_the_list() -> None:
    found = needs_matrix([CAMP, EAT, LOST], PATHS).toarray()
    assert (found > 0).tolist() == [
        [True, True, False, False, True],
        [False, False, True, True, False],
        [False] * 5,
    ]
    assert found[0, 0] == 1
    assert found[0, 0] > found[0, 1] > found[0, 4]
    assert found[1, 2] > found[1, 3]


def test_evaluate_measures_the_real_encoder(encoder: Encoder) -> None:
    found = evaluate(encoder, [CAMP, EAT], [], PATHS, TEXTS)
    assert set(found) == {"intent to categories", "category to intent"}
    assert found["category to intent"]["accuracy@1"] == 1
    assert found["intent to categories"]["recall@5"] == 1  # there are only five
    hop = "intent to categories, by two hops"
    whole = evaluate(encoder, [CAMP, EAT, LOST], [CAMP, EAT], PATHS, TEXTS)
    assert whole[hop]["accuracy@1"] == 1
    assert whole[hop]["mrr"] >= whole["intent to categories"]["mrr"]
