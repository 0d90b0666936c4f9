"""Who is to find what: discovery and repeats, published and drawn negatives."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import StoreEmpty
from models.protocols import drawn_negatives, protocols


@dataclass(frozen=True)
class Row:
    user: str
    new: tuple[str, ...]
    again: tuple[str, ...] = ()
    had: tuple[str, ...] = ()


def test_discovery_and_repeats_are_reported_apart() -> None:
    found = protocols("days:28", [Row("a", ("x",), ("y",), ("y", "z")), Row("b", (), ("y",), ("y",))])
    assert [(one.name, one.repeats, dict(one.truth)) for one in found] == [
        ("last 28 days, discovery", False, {"a": ("x",)}),
        ("last 28 days, with repeats", True, {"a": ("x", "y"), "b": ("y",)}),
    ]
    assert {len(one.had) for one in found} == {2}


def test_samples_are_protocols_of_their_own() -> None:
    rows = [Row("a", ("x",)), Row("b", ("y",))]
    found = protocols("last", rows, {"negatives": {"a": ["p", "q"]}, "drawn negatives": {"a": ["p"], "b": ["q"]}})
    assert [(one.name, list(one.truth)) for one in found] == [
        ("leave-one-out, all items", ["a", "b"]),
        ("leave-one-out, 2 negatives", ["a"]),
        ("leave-one-out, 1 drawn negatives", ["a", "b"]),
    ]
    assert found[0].among is None
    assert protocols("marked", rows)[0].name == "leave-one-out (NCF split), all items"


def test_several_rows_of_a_user_are_put_together_and_users_without_truth_left_out() -> None:
    [found] = protocols("last", [Row("a", ("x",), had=("p",)), Row("b", ()), Row("a", ("y", "x"), had=("p", "q"))])
    assert found.truth == {"a": ("x", "y")}
    assert found.had["a"] == ("p", "q")
    with pytest.raises(StoreEmpty):
        protocols("last", [Row("b", ())])


catalogue = [f"i{number}" for number in range(20)]
some_items = st.lists(st.sampled_from([*catalogue, "gone"]), max_size=12)


@given(st.dictionaries(st.text(max_size=3), st.tuples(some_items, some_items)), st.integers(1, 25), st.integers(0, 9))
def test_drawn_negatives(users: dict[str, tuple[list[str], list[str]]], count: int, seed: int) -> None:
    truth = {user: wanted for user, (wanted, _) in users.items()}
    seen = {user: had for user, (_, had) in users.items()}
    found = drawn_negatives(truth, catalogue, seen, count, seed)
    assert list(found) == list(truth)
    for user, items in found.items():
        left = set(catalogue) - set(truth[user]) - set(seen[user])
        assert set(items) <= left
        assert len(set(items)) == len(items) == min(count, len(left))
    assert found == drawn_negatives(truth, reversed(catalogue), seen, count, seed)
    for user, wanted in truth.items():  # whoever else is there
        assert drawn_negatives({user: wanted}, catalogue, seen, count, seed) == {user: found[user]}


def test_negatives_are_drawn_evenly_and_anew_for_each_seed() -> None:
    truth = {f"u{number}": ("i0",) for number in range(2000)}
    found = drawn_negatives(truth, catalogue, {}, 5)
    counts = {item: sum(item in items for items in found.values()) for item in catalogue[1:]}
    assert all(abs(count - 2000 * 5 / 19) < 100 for count in counts.values())  # 5 standard deviations
    assert found != drawn_negatives(truth, catalogue, {}, 5, seed=1)
