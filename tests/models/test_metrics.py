"""PyG's metrics as we call them, against a reimplementation from the definitions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation import Protocol, evaluate, protocols, sampled_top
from models.metrics import ranking_metrics

lists = st.dictionaries(
    st.integers(0, 5),
    st.tuples(st.lists(st.integers(0, 30), max_size=10, unique=True), st.sets(st.integers(0, 30), min_size=1)),
    min_size=1,
)


@given(lists)
def test_against_the_definitions(users: dict[int, tuple[list[int], set[int]]]) -> None:
    ranked = {user: top for user, (top, _) in users.items()}
    truth = {user: sorted(wanted) for user, (_, wanted) in users.items()}
    hr = ndcg = recall = mrr = 0.0
    for user, wanted in truth.items():
        hits = [place for place, item in enumerate(ranked[user]) if item in wanted]
        hr += bool(hits)
        recall += len(hits) / len(wanted)
        mrr += 1 / (hits[0] + 1) if hits else 0
        ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(wanted))))
        ndcg += sum(1 / math.log2(place + 2) for place in hits) / ideal
    found = ranking_metrics(ranked, truth)
    for name, total in (("hr@10", hr), ("ndcg@10", ndcg), ("recall@10", recall), ("mrr@10", mrr)):
        assert found[name] == pytest.approx(total / len(truth), abs=1e-5), name


def test_ties_count_against_the_model() -> None:
    top = sampled_top("u", ["z"], [f"n{n:02}" for n in range(20)], lambda _, items: dict.fromkeys(items, 1.0))
    assert "z" not in top
    top = sampled_top("u", ["a"], ["b", "a"], lambda _, items: {item: float(item == "a") for item in items})
    assert top == ["a", "b"]


class Row:
    def __init__(self, user: str, new: tuple[str, ...], again: tuple[str, ...] = ()) -> None:
        self.user, self.new, self.again = user, new, again


def test_discovery_and_repeats_are_reported_apart() -> None:
    found = protocols("days:28", [Row("a", ("x",), ("y",)), Row("b", (), ("y",))])
    assert [(one.name, one.repeats, len(one.truth)) for one in found] == [
        ("last 28 days, discovery", False, 1),
        ("last 28 days, with repeats", True, 2),
    ]
    found = protocols("last", [Row("a", ("x",))], {"a": ["p", "q"]})
    assert [one.name for one in found] == ["leave-one-out, all items", "leave-one-out, 2 negatives"]


def test_evaluate_asks_for_ten_and_averages() -> None:
    asked = []

    def recommend(user: str, n: int, repeats: bool) -> list[str]:
        asked.append((user, n, repeats))
        return ["x"] if user == "a" else ["y"]

    metrics = evaluate(Protocol("p", True, {"a": ("x",), "b": ("z",)}), recommend, lambda *_: {})
    assert metrics["hr@10"] == 0.5
    assert sorted(asked) == [("a", 10, True), ("b", 10, True)]
