"""Two-hop paths over the columns of a projection, compiled by numba: PDN eq. 14 as `cypher/recommend.cypher` has it.

A sum of ln(1 + e^t e^s) is the logarithm of a product, so paths are multiplied item by item and one logarithm is taken
of each item that is returned. Where a product grows too large, the same walk adds logarithms instead.
"""

import math
from typing import NamedTuple, Self

import numpy as np
from numba import njit

from graph.projection.columns import AVAILABLE, GONE, Array, Columns
from graph.projection.prefetch import prefetch


class Tables(NamedTuple):
    """The columns of `Columns` that are walked, and two of a walk's own.

    Compiled functions that are called from outside get each column by itself: numba looks into a tuple at every call,
    which takes longer than a short walk.

    `product` [N] is `UNTOUCHED` between two calls; `touched` has room for N + 1.
    """

    user_first: Array
    user_count: Array
    user_known: Array
    user_direct: Array
    had_item: Array
    had_weight: Array
    item_order: Array
    item_state: Array
    item_price: Array
    item_known: Array
    item_direct: Array
    item_first: Array
    item_count: Array
    similar_item: Array
    similar_weight: Array
    similar_rank: Array
    product: Array
    touched: Array

    @classmethod
    def of(cls, columns: Columns) -> Self:
        items = len(columns.item_state)
        own = {"product": np.full(items, UNTOUCHED), "touched": np.empty(items + 1, np.int32)}
        return cls(**{name: own[name] if name in own else getattr(columns, name) for name in cls._fields})


UNTOUCHED, SEEN = -1.0, -2.0  # in the table of products, where all others are 0 or above
LARGEST = 1e250  # of a product: one more path, e^120 at most, still fits; that of a trigger to itself may be infinite
# Between asking for memory and reading it: triggers, edges of a trigger, items that were reached, and of the shortlist.
AHEAD, EDGES_AHEAD, REACHED_AHEAD, DIRECT_AHEAD = 2, 12, 24, 8
LINE = 64  # bytes that come at once
FETCHED = 24  # edges of a trigger that are asked for; after those the processor asks by itself


@njit(cache=True)
def find_user(user_key, user_check, key, check):  # type: ignore[no-untyped-def]
    """Row of a user, -1 where there is none."""
    low, high = 0, len(user_key)
    while low < high:
        middle = (low + high) // 2
        if user_key[middle] < key:
            low = middle + 1
        else:
            high = middle
    while low < len(user_key) and user_key[low] == key:
        if user_check[low] == check:
            return low
        low += 1
    return -1


@njit(cache=True, inline="always")
def _had(tables, row):  # type: ignore[no-untyped-def]
    """Where what a user had begins and ends; nothing where `row` is -1."""
    if row < 0:
        return 0, 0
    return tables.user_first[row], tables.user_first[row] + tables.user_count[row]


@njit(cache=True, inline="always")
def _within_rank(rank, begin, end, k):  # type: ignore[no-untyped-def]
    """Where the edges up to rank k of a trigger end."""
    if end == begin or rank[end - 1] <= k:
        return end
    while begin < end:
        middle = (begin + end) // 2
        if rank[middle] > k:
            end = middle
        else:
            begin = middle + 1
    return begin


@njit(cache=True)
def _walk(row, power, m, k, tables, add):  # type: ignore[no-untyped-def]
    """Multiply (`add`: sum the logarithms of) 1 + e^t e^s into `product` and list the items; -1 where it is too large.

    Columns have names of their own here and below: where a loop reads one out of the tuple, numba counts references at
    each reading, which takes several times as long as all else that the loop does.
    """
    had_item, had_weight, state = tables.had_item, tables.had_weight, tables.item_state
    first, count, product, touched = tables.item_first, tables.item_count, tables.product, tables.touched
    similar_item, similar_weight, rank = tables.similar_item, tables.similar_weight, tables.similar_rank
    size, taken, greatest = 0, 0, 0.0
    start, stop = _had(tables, row)
    for place in range(start, min(start + m, stop)):
        trigger = had_item[place]
        prefetch(state, trigger)
        prefetch(product, trigger)
        prefetch(first, trigger)
        prefetch(count, trigger)
    for place in range(start, stop):
        weight, trigger = had_weight[place], had_item[place]
        if weight < 0 or taken == m:
            break
        if state[trigger] == GONE:
            continue
        taken += 1
        if place + AHEAD < stop:
            begin = first[had_item[place + AHEAD]]
            for edge in range(begin, begin + FETCHED, LINE // 8):
                prefetch(similar_weight, edge)
            for edge in range(begin, begin + FETCHED, LINE // 4):
                prefetch(similar_item, edge)
            prefetch(rank, begin + FETCHED // 2)
        begin = first[trigger]
        end = _within_rank(rank, begin, begin + count[trigger], k)
        for edge in range(begin, end):
            item = similar_item[edge]
            prefetch(product, similar_item[min(edge + EDGES_AHEAD, end - 1)])
            before = product[item]
            touched[size] = item
            size += before < 0  # without a branch: half of them would be guessed wrong
            factor = 1.0 + (weight if item != trigger else weight**power) * similar_weight[edge]
            value = max(before, 0.0) + math.log(factor) if add else abs(before) * factor
            product[item] = value
            greatest = max(greatest, value)
    if not add and greatest > LARGEST:
        clear(product, touched, size)
        return -1
    return size


@njit(cache=True)
def clear(product, touched, size):  # type: ignore[no-untyped-def]
    for place in range(size):
        product[touched[place]] = UNTOUCHED


@njit(cache=True)
def _walked(row, power, m, k, tables):  # type: ignore[no-untyped-def]
    """How many items the paths lead to, and whether `product` holds sums of logarithms."""
    size = _walk(row, power, m, k, tables, False)
    if size >= 0:
        return size, False
    return _walk(row, power, m, k, tables, True), True


@njit(cache=True, inline="always")
def _before(value, item, other_value, other, order):  # type: ignore[no-untyped-def]
    """Whether the first comes first: by value, then by `order`, which is read where values are equal alone."""
    if value != other_value:
        return value > other_value
    return order[item] < order[other]


@njit(cache=True)
def _put_first(values, items, order, size, most):  # type: ignore[no-untyped-def]
    """Put the `most` first of `size` items, by value and then order, in front, in any order.

    Hoare's quickselect (1961); `numpy.partition` knows no second key for ties.
    """
    low, high = 0, size - 1
    while low < high:
        middle = (low + high) // 2
        value, item = values[middle], items[middle]
        left, right = low, high
        while left <= right:
            while _before(values[left], items[left], value, item, order):
                left += 1
            while _before(value, item, values[right], items[right], order):
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                items[left], items[right] = items[right], items[left]
                left += 1
                right -= 1
        if most <= right:
            high = right
        elif most > left:
            low = left
        else:
            break


@njit(cache=True)
def _sort(values, items, order, size):  # type: ignore[no-untyped-def]
    """Put the first `size` items in order; there are few."""
    for next_one in range(1, size):
        place, value, item = next_one, values[next_one], items[next_one]
        while place > 0 and _before(value, item, values[place - 1], items[place - 1], order):
            values[place], items[place] = values[place - 1], items[place - 1]
            place -= 1
        values[place], items[place] = value, item


@njit(cache=True, fastmath={"reassoc", "contract"})
def _dot(p, q):  # type: ignore[no-untyped-def]
    dot = 0.0
    for place in range(len(p)):
        dot += np.float64(p[place]) * np.float64(q[place])
    return dot


@njit(cache=True)
def _direct(row, tables, chosen):  # type: ignore[no-untyped-def]
    """softplus(p_u · q_i) of each of these items, 0 where one of the two is not known."""
    own, vectors, known = np.zeros(len(chosen)), tables.item_direct, tables.item_known
    if row >= 0 and tables.user_known[row]:
        vector = tables.user_direct[row]
        for place in range(len(chosen)):
            if place + DIRECT_AHEAD < len(chosen):
                prefetch(vectors, chosen[place + DIRECT_AHEAD])
                prefetch(known, chosen[place + DIRECT_AHEAD])
            if known[chosen[place]]:
                dot = _dot(vector, vectors[chosen[place]])
                own[place] = max(dot, 0.0) + math.log(1.0 + math.exp(-abs(dot)))
    return own


@njit(cache=True)
def _best(size, most, limits, within, tables):  # type: ignore[no-untyped-def]
    """The `most` first of the items that may be recommended, by what `product` has of them, which it has no more."""
    priced, least, greatest = limits
    order, state, price = tables.item_order, tables.item_state, tables.item_price
    product, touched = tables.product, tables.touched
    values, chosen, kept, bar = np.empty(2 * most), np.empty(2 * most, np.int32), 0, 0.0
    for place in range(size):
        item = touched[place]
        prefetch(state, touched[min(place + REACHED_AHEAD, size - 1)])
        value = product[item]
        product[item] = UNTOUCHED
        if value < bar or state[item] != AVAILABLE:
            continue
        if (priced and not least <= price[item] <= greatest) or (len(within) and not within[item]):
            continue
        if kept == 2 * most:
            _put_first(values, chosen, order, kept, most)
            kept, bar = most, values[:most].min()
        values[kept], chosen[kept] = value, item
        kept += 1
    if kept > most:
        _put_first(values, chosen, order, kept, most)
        kept = most
    return values[:kept], chosen[:kept]


@njit(cache=True)
def recommend(row, power, m, k, shortlist, n, repeats, limits, within, exclude, *columns):  # type: ignore[no-untyped-def]
    """The n best available items, the first one first: their numbers, scores and direct parts.

    `row`: of the user, -1 for nobody. `power`: of e^t on the path of a trigger to itself (`Served.repeat_power`).
    `limits`: whether prices count, the least and the greatest. `within` [N] is 1 for the items of a category, empty
    without one. `exclude`: numbers of items. `columns`: `Tables`.
    """
    tables = Tables(*columns)
    size, add = _walked(row, power, m, k, tables)
    start, stop = _had(tables, row)
    if not repeats:
        _leave_out(tables.product, tables.had_item[start:stop])
    _leave_out(tables.product, exclude)
    scores, best = _best(size, shortlist, limits, within, tables)
    scores = (scores if add else np.log(scores)) + _direct(row, tables, best)
    found = min(n, len(best))
    _put_first(scores, best, tables.item_order, len(best), found)
    _sort(scores, best, tables.item_order, found)
    return best[:found], scores[:found], _direct(row, tables, best[:found])


@njit(cache=True)
def _leave_out(product, items):  # type: ignore[no-untyped-def]
    for item in items:
        if product[item] >= 0:
            product[item] = SEEN


@njit(cache=True)
def rank(row, power, m, k, asked, *columns):  # type: ignore[no-untyped-def]
    """Scores and direct parts of the items `asked`, whether seen, available or not."""
    tables = Tables(*columns)
    size, add = _walked(row, power, m, k, tables)
    scores, direct = np.zeros(len(asked)), _direct(row, tables, asked)
    for place in range(len(asked)):
        value = tables.product[asked[place]]
        if value >= 0:
            scores[place] = value if add else math.log(value)
    clear(tables.product, tables.touched, size)
    return scores + direct, direct


@njit(cache=True)
def reasons(row, power, m, k, wanted, most, *columns):  # type: ignore[no-untyped-def]
    """Every path to the items whose `wanted` [N] is 1, `most` at most: item, trigger, e^t and e^s."""
    tables = Tables(*columns)
    ends, starts = np.empty(most, np.int32), np.empty(most, np.int32)
    first, second = np.empty(most), np.empty(most)
    size, taken = 0, 0
    start, stop = _had(tables, row)
    for place in range(start, stop):
        weight, trigger = tables.had_weight[place], tables.had_item[place]
        if weight < 0 or taken == m:
            break
        if tables.item_state[trigger] == GONE:
            continue
        taken += 1
        begin = tables.item_first[trigger]
        for edge in range(begin, _within_rank(tables.similar_rank, begin, begin + tables.item_count[trigger], k)):
            item = tables.similar_item[edge]
            if wanted[item]:
                ends[size], starts[size] = item, trigger
                first[size] = weight if item != trigger else weight**power
                second[size] = tables.similar_weight[edge]
                size += 1
    return ends[:size], starts[:size], first[:size], second[:size]
