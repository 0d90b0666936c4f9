"""Ranking metrics user by user: where the wanted items stand, and what the lists are like. docs/evaluation.md."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from models.interactions import Flags, Ints, spans

Floats = npt.NDArray[np.float64]
Scalar = TypeVar("Scalar", np.float32, np.float64)
COMPARED = 1 << 23  # scores compared at a time


@dataclass(frozen=True)
class Lists:
    """A list of distinct items for each of R rows; P items in all.

    Attributes:
        rows: R.
        row: [P] ascending; item: [P].
    """

    rows: int
    row: Ints
    item: Ints

    @classmethod
    def of(cls, lists: Iterable[Iterable[int]]) -> Self:
        """What is in a list twice counts once."""
        kept = [list(dict.fromkeys(items)) for items in lists]
        row = np.repeat(np.arange(len(kept)), [len(items) for items in kept])
        return cls(len(kept), row, np.fromiter(chain.from_iterable(kept), dtype=np.int64, count=len(row)))

    @cached_property
    def start(self) -> Ints:
        """[R + 1] offset of each row's first item."""
        return np.searchsorted(self.row, np.arange(self.rows + 1))

    @cached_property
    def length(self) -> Ints:
        """[R] items of each row."""
        return np.diff(self.start)

    def part(self, begin: int, stop: int) -> Self:
        """The rows begin..stop, numbered from 0."""
        here = slice(self.start[begin], self.start[stop])
        return type(self)(stop - begin, self.row[here] - begin, self.item[here])

    def where(self, keep: Flags) -> Self:
        """The rows under a mask [R], numbered from 0."""
        number = np.cumsum(keep) - 1
        kept = keep[self.row]
        return type(self)(int(keep.sum()), number[self.row[kept]], self.item[kept])


# Where the wanted items stand


def list_ranks(top: Ints, wanted: Lists) -> Floats:
    """[P] the place of each wanted item in its row of `top` [R, k], 1 = the first; inf where it is not in it."""
    if not top.shape[1]:
        return np.full(len(wanted.row), np.inf)
    found = top[wanted.row] == wanted.item[:, None]
    return np.where(found.any(axis=1), found.argmax(axis=1) + 1.0, np.inf)


def score_ranks(scores: Floats, wanted: Lists) -> Floats:
    """[P] the rank of each wanted item by `scores` [R, N]; ties count against it.

    1 + the unwanted items whose score is as high or higher + the row's other wanted items that stand before it. An item
    of score -inf is not ranked at all: inf.

    Raises `ValueError` for scores that are no numbers, which would compare as lower than all others.
    """
    if np.isnan(scores).any():
        raise ValueError("a score is not a number (NaN): it has no place in a ranking")
    own = scores[wanted.row, wanted.item]
    unwanted = scores.copy()
    unwanted[wanted.row, wanted.item] = -np.inf
    order = np.lexsort((-own, wanted.row))
    rank = np.empty(len(own), dtype=np.float64)
    rank[order] = 1 + np.arange(len(own)) - wanted.start[wanted.row[order]]
    step = max(1, COMPARED // max(1, scores.shape[1]))
    for begin in range(0, len(own), step):
        part = slice(begin, begin + step)
        rank[part] += (unwanted[wanted.row[part]] >= own[part, None]).sum(axis=1)
    return np.where(np.isneginf(own), np.inf, rank)


def top_items(scores: npt.NDArray[Scalar], k: int) -> tuple[Ints, npt.NDArray[Scalar]]:
    """The items [R, k] of the k highest scores [R, N], best first, and these scores.

    Of equal scores the lower item number comes first. Where fewer items have a score above -inf, -1 stands with -inf.
    """
    rows, items = scores.shape
    kept = min(k, items)
    top, value = np.full((rows, k), -1, dtype=np.int64), np.full((rows, k), -np.inf, dtype=scores.dtype)
    if not kept or not rows:
        return top, value
    # Sorting whole rows would cost more than most models: cut at the k-th value, and sort what is above it.
    least = np.partition(scores, items - kept, axis=1)[:, items - kept, None]
    above, level = scores > least, scores == least
    room = kept - above.sum(axis=1, keepdims=True)
    column = np.nonzero(above | (level & (np.cumsum(level, axis=1) <= room)))[1].reshape(rows, kept)
    found = np.take_along_axis(scores, column, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    value[:, :kept] = np.take_along_axis(found, order, axis=1)
    top[:, :kept] = np.where(np.isneginf(value[:, :kept]), -1, np.take_along_axis(column, order, axis=1))
    return top, value


# Metrics: [R] values whose mean is the metric


def accuracy(rank: Floats, wanted: Lists, k: int) -> dict[str, Floats]:
    """HR, NDCG, recall and MRR at k of each row; NaN for a row that wants nothing.

    HR: is a wanted item among the first k? Recall: which share of them is? MRR: 1 / rank of the first one, 0 beyond k.
    NDCG: the sum of 1 / log2(1 + rank) over the wanted items among the first k, divided by that sum for
    min(k, wanted) items on top (Järvelin & Kekäläinen 2002, with gains 0 and 1).
    """
    hit = rank <= k
    count = wanted.length.astype(np.float64)
    count[count == 0] = np.nan
    hits = np.bincount(wanted.row, hit, minlength=wanted.rows)
    gain = np.bincount(wanted.row, np.where(hit, 1 / np.log2(1 + rank), 0), minlength=wanted.rows)
    ideal = np.concatenate([[np.nan], np.cumsum(1 / np.log2(2 + np.arange(k)))])
    first = np.zeros(wanted.rows)
    np.maximum.at(first, wanted.row, np.where(hit, 1 / rank, 0))
    nothing = np.isnan(count)
    return {
        f"hr@{k}": np.where(nothing, np.nan, (hits > 0).astype(np.float64)),
        f"ndcg@{k}": gain / ideal[np.minimum(wanted.length, k)],
        f"recall@{k}": hits / count,
        f"mrr@{k}": np.where(nothing, np.nan, first),
    }


def means(values: Mapping[str, Floats]) -> dict[str, float]:
    """The metrics themselves, to five digits; none without rows."""
    return {name: round(float(value.mean()), 5) for name, value in values.items() if len(value)}


def coverage(top: Ints, items: int) -> Floats:
    """The share of the catalogue that is in at least one list.

    That is one number of all lists `top` [R, k], not a mean over rows. The values are centred so that their mean is it
    and their standard error is the jackknife's (Efron & Stein 1981): a row's value says what would be missing without
    it, the items that are in its list alone.
    """
    rows = len(top)
    row, item = distinct(np.repeat(np.arange(rows), top.shape[1]), top.ravel(), items)
    lists = np.bincount(item, minlength=items)
    alone = np.bincount(row, lists[item] == 1, minlength=rows) / items
    return (lists > 0).sum() / items + (rows - 1) * (alone - alone.mean())


def category_diversity(top: Ints, categories: Lists, number: int) -> Floats:
    """The share of the shop's categories that a row's list `top` [R, k] covers.

    "Diversity represents the proportion of category coverage" (PDN, section 6.2.1, footnote 3; figure 7 and table 3).
    The paper leaves open of how many categories; a constant, here `number`, all of the catalogue's, does not change
    relative differences. `categories` has a row for each item.
    """
    row, item = listed(top)
    place, entry = spans(categories.start[item], categories.start[item + 1])
    row, _ = distinct(row[place], categories.item[entry], number)
    return np.bincount(row, minlength=len(top)) / number


def popularity_bias(top: Ints, had: Lists, popularity: Floats) -> Floats:
    """How much more popular the recommended items are than those that the same users had; 0 = just as popular.

    GAP(recommended) / GAP(had) - 1 (ΔGAP of Abdollahpouri et al. 2019), GAP being the mean over users of the mean
    popularity of their items; for the lists it is the average recommendation popularity of Yin et al. 2012. The values
    linearise the ratio of two means: their mean is it, their standard error the delta method's. NaN for rows without a
    list or without a history.

    Args:
        top: [R, k]; had: items of each row.
        popularity: [N] buyers of each item in the training rows.
    """
    row, item = listed(top)
    listed_popularity = _row_mean(row, popularity[item], len(top))
    had_popularity = _row_mean(had.row, popularity[had.item], len(top))
    known = ~np.isnan(listed_popularity + had_popularity)
    values = np.full(len(top), np.nan)
    if known.any() and (usual := had_popularity[known].mean()) > 0:
        ratio = listed_popularity[known].mean() / usual
        values[known] = ratio - 1 + (listed_popularity[known] - ratio * had_popularity[known]) / usual
    return values


def listed(top: Ints) -> tuple[Ints, Ints]:
    """The rows and items of all filled places of `top` [R, k]."""
    row, place = np.nonzero(top >= 0)
    return row, top[row, place]


def distinct(row: Ints, item: Ints, items: int) -> tuple[Ints, Ints]:
    """Each pair of a row and an item once; unfilled places (-1) left out."""
    filled = item >= 0
    key = np.unique(row[filled] * items + item[filled])
    return key // items, key % items


def _row_mean(row: Ints, value: Floats, rows: int) -> Floats:
    count = np.bincount(row, minlength=rows).astype(np.float64)
    count[count == 0] = np.nan
    return np.bincount(row, value, minlength=rows) / count
