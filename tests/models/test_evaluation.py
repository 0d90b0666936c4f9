"""One evaluation for all engines: lists as served and matrices of scores, against each other and against loops."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import engines
from models.engines import matrix_engine, sampled_ranks, served_engine
from models.evaluation import Catalogue, Evaluation, Outcome, evaluate
from models.protocols import Protocol
from tests.models.conftest import Item

ITEMS = [f"i{number}" for number in range(12)]
K = 3


SHOP = Catalogue.of(Item(item, 1 + place, (f"c{place % 4}",)) for place, item in enumerate(ITEMS))
Scores = dict[str, dict[str, float]]


def served(scores: Scores, had: Mapping[str, Sequence[str]]) -> engines.Engine:
    """A list for each user, the last of equal items first."""

    def recommend(user: str, n: int, repeats: bool) -> list[str]:
        kept = [item for item in ITEMS if repeats or item not in had.get(user, ())]
        return sorted(kept, key=lambda item: (scores[user][item], item), reverse=True)[:n]

    return served_engine(recommend, lambda user, items: {item: scores[user][item] for item in items})


def matrix(scores: Scores) -> engines.Engine:
    """With columns in another order than the catalogue's, and one that is not in it."""
    columns = [*reversed(ITEMS), "gone"]
    table = np.array([[{**scores[user], "gone": 9.0}[item] for item in columns] for user in scores])
    return matrix_engine(lambda rows: table[rows], list(scores), columns)


def assert_same(one: Outcome, other: Outcome) -> None:
    assert list(one.values) == list(other.values)
    for name, found in one.values.items():
        assert found == pytest.approx(other.values[name], nan_ok=True), name


items = st.sampled_from(ITEMS)
few = st.lists(items, max_size=4)
grid = st.integers(0, 3)
shops = st.dictionaries(
    st.sampled_from("abcdef"),
    st.tuples(st.lists(grid, min_size=12, max_size=12), few, few, few),
    min_size=1,
)


@given(shops, st.booleans())
def test_matrix_against_loops(users: dict[str, tuple[list[int], list[str], list[str], list[str]]], some: bool) -> None:
    scores = {user: dict(zip(ITEMS, map(float, row), strict=True)) for user, (row, *_) in users.items()}
    truth = {user: wanted for user, (_, wanted, *_) in users.items()}
    had = {user: [item for item in before if item not in truth[user]] for user, (_, _, before, _) in users.items()}
    among = {user: drawn for user, (*_, drawn) in users.items()} if some else None
    found = evaluate(Protocol("p", False, truth, had, among), matrix(scores), SHOP, K)
    assert found.users == tuple(user for user in users if truth[user])
    for row, user in enumerate(found.users):
        wanted = set(truth[user])
        rivals = set(ITEMS) - set(had[user]) - wanted if among is None else set(among[user]) - wanted
        best = sorted((scores[user][item] for item in wanted), reverse=True)
        ranks = [1 + place + sum(scores[user][item] >= score for item in rivals) for place, score in enumerate(best)]
        hits = [rank for rank in ranks if rank <= K]
        assert found.values[f"hr@{K}"][row] == bool(hits)
        assert found.values[f"recall@{K}"][row] == len(hits) / len(wanted)
        assert found.values[f"mrr@{K}"][row] == (1 / min(hits) if hits else 0)
        ideal = sum(1 / math.log2(2 + place) for place in range(min(K, len(wanted))))
        assert found.values[f"ndcg@{K}"][row] == pytest.approx(sum(1 / math.log2(1 + rank) for rank in hits) / ideal)
    if found.users:
        assert (f"coverage@{K}" in found.values) == (among is None)


@given(st.lists(st.permutations(range(12)), min_size=1, max_size=5), st.data(), st.booleans(), st.booleans())
def test_served_lists_are_the_matrix_where_nothing_ties(
    rows: list[list[int]], data: st.DataObject, repeats: bool, some: bool
) -> None:
    scores = {f"u{n}": dict(zip(ITEMS, map(float, row), strict=True)) for n, row in enumerate(rows)}
    truth, had, among = ({user: data.draw(few) for user in scores} for _ in range(3))
    if not repeats:
        had = {user: [item for item in kept if item not in truth[user]] for user, kept in had.items()}
    protocol = Protocol("p", repeats, truth, had, among if some else None)
    assert_same(evaluate(protocol, served(scores, had), SHOP, K), evaluate(protocol, matrix(scores), SHOP, K))


def test_a_constant_scorer_hits_nothing() -> None:
    scores = {"u": dict.fromkeys(ITEMS, 1.0)}
    for among in (None, {"u": ITEMS[5:]}):
        found = evaluate(Protocol("p", False, {"u": ("i0",)}, among=among), matrix(scores), SHOP, K)
        assert [found.values[f"{name}@{K}"].tolist() for name in ("hr", "ndcg", "recall", "mrr")] == [[0.0]] * 4


def test_a_wanted_item_among_its_own_negatives_is_ranked_once() -> None:
    assert sampled_ranks("u", ["a"], ["b", "a"], lambda _, items: {i: float(i == "a") for i in items}).tolist() == [1]
    tied = sampled_ranks("u", ["z"], [f"n{n}" for n in range(20)], lambda _, items: dict.fromkeys(items, 1.0))
    assert tied.tolist() == [21]


def test_matrices_are_ranked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    scores = {f"u{n}": dict(zip(ITEMS, draw.random(12), strict=True)) for n in range(7)}
    protocol = Protocol("p", False, dict.fromkeys(scores, ("i1", "i7")), dict.fromkeys(scores, ("i3",)))
    whole = evaluate(protocol, matrix(scores), SHOP, K)
    monkeypatch.setattr(engines, "HELD", 30)
    assert_same(evaluate(protocol, matrix(scores), SHOP, K), whole)


def test_short_lists_and_items_that_the_catalogue_lacks() -> None:
    engine = served_engine(lambda user, n, repeats: ["gone", "i2"], lambda *_: {})
    found = evaluate(Protocol("p", False, {"u": ("i2", "gone"), "v": ("gone",)}), engine, SHOP, K)
    assert found.users == ("u",)
    assert found.values["mrr@3"].tolist() == [0.5]
    assert found.values["recall@3"].tolist() == [1.0]
    assert found.values["coverage@3"].tolist() == pytest.approx([1 / 12])


def test_an_engine_is_asked_for_k_items_with_repeats_as_the_protocol_says() -> None:
    asked = []

    def recommend(user: str, n: int, repeats: bool) -> list[str]:
        asked.append((user, n, repeats))
        return ["i1"]

    found = evaluate(Protocol("p", True, {"a": ("i1",), "b": ("i2",)}), served_engine(recommend, lambda *_: {}), SHOP)
    assert found.estimates()["hr@10"].mean == 0.5
    assert sorted(asked) == [("a", 10, True), ("b", 10, True)]


def planted(users: int = 200) -> tuple[Outcome, Outcome]:
    """A ranker that knows what is wanted half of the time, and one that guesses; histories grow with the user."""
    draw = np.random.default_rng(4)
    truth = {f"u{n}": (ITEMS[draw.integers(12)],) for n in range(users)}
    had = {user: ("i0", *(f"old{n}" for n in range(place // 10))) for place, user in enumerate(truth)}
    guess = {user: dict(zip(ITEMS, draw.random(12), strict=True)) for user in truth}
    know = {user: row | ({truth[user][0]: 2.0} if draw.random() < 0.5 else {}) for user, row in guess.items()}
    protocol = Protocol("p", True, truth, had)
    return tuple(evaluate(protocol, matrix(scores), SHOP, K) for scores in (know, guess))


def test_two_rankers_are_compared_user_by_user() -> None:
    know, guess = planted()
    found = know.against(guess)
    for name in ("hr@3", "ndcg@3", "mrr@3"):
        assert found[name].low > 0
        assert found[name].p < 0.01
        assert found[name].difference == pytest.approx(know.values[name].mean() - guess.values[name].mean())
    assert set(found) == set(know.values)
    with pytest.raises(ValueError, match="same users"):
        know.against(guess.of(guess.history > 3))


def test_groups_by_history() -> None:
    know, _ = planted()
    groups = know.by_history([5, 12])
    assert {name: (len(group.users), group.history.min(), group.history.max()) for name, group in groups.items()} == {
        "n <= 5": (50, 1, 5),
        "5 < n <= 12": (70, 6, 12),
        "n > 12": (80, 13, 20),
    }
    assert sum(group.values["hr@3"].sum() for group in groups.values()) == know.values["hr@3"].sum()
    assert groups["n <= 5"].values["category_diversity@3"].tolist() == know.values["category_diversity@3"][:50].tolist()
    assert know.by_history([100])["n > 100"].estimates() == {}


def test_what_is_told_is_json() -> None:
    know, guess = planted()
    told = json.loads(json.dumps(asdict(Evaluation.of("shop", "p", "matrix", know)), allow_nan=False))
    assert (told["users"], told["items"]) == (200, 12)
    assert list(told["metrics"]) == list(told["intervals"])
    for name, mean in told["metrics"].items():
        assert told["intervals"][name]["low"] <= mean <= told["intervals"][name]["high"]
        assert told["intervals"][name]["users"] == 200
    json.dumps({name: asdict(one) for name, one in know.against(guess).items()}, allow_nan=False)
