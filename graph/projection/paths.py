"""Two-hop paths over the columns of a projection, compiled by numba: PDN eq. 14 as `cypher/recommend.cypher` has it.

A sum of ln(1 + e^t e^s) is the logarithm of a product, so paths are multiplied item by item and one logarithm is taken
of each item that is returned. Where a product grows too large, the same walk adds logarithms instead.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from graph.projection.columns import AVAILABLE, GONE, Array
from graph.projection.prefetch import prefetch


class Asker(NamedTuple):
    """Whom items are for: numbers of what they had and e^t (see `Columns.had_item`), p_u and whether it is known.

    `power`: of e^t on the path of a trigger to itself (`Served.repeat_power`).
    """

    triggers: Array
    weights: Array
    direct: Array
    known: bool
    power: float


class Items(NamedTuple):
    """Columns of items by number, as `Columns` has them."""

    order: Array
    state: Array
    price: Array
    known: Array
    direct: Array
    first: Array
    size: Array


class Similar(NamedTuple):
    """Columns of the edges from triggers to candidates."""

    item: Array
    weight: Array
    rank: Array


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


@njit(cache=True)
def _prefetch_edges(similar, begin):  # type: ignore[no-untyped-def]
    for edge in range(begin, begin + FETCHED, LINE // 8):
        prefetch(similar.weight, edge)
    for edge in range(begin, begin + FETCHED, LINE // 4):
        prefetch(similar.item, edge)
    prefetch(similar.rank, begin + FETCHED // 2)


@njit(cache=True)
def _walk(asker, m, k, items, similar, product, touched, add):  # type: ignore[no-untyped-def]
    """Multiply (`add`: sum the logarithms of) 1 + e^t e^s into `product` and list the items; -1 where one is too large.

    `product` [N] is `UNTOUCHED` before; `touched` has room for N + 1.
    """
    size, taken, greatest = 0, 0, 0.0
    for place in range(min(m, len(asker.triggers))):
        trigger = asker.triggers[place]
        prefetch(items.state, trigger)
        prefetch(product, trigger)
        prefetch(items.first, trigger)
        prefetch(items.size, trigger)
    for place in range(len(asker.triggers)):
        weight, trigger = asker.weights[place], asker.triggers[place]
        if weight < 0 or taken == m:
            break
        if items.state[trigger] == GONE:
            continue
        taken += 1
        if place + AHEAD < len(asker.triggers):
            _prefetch_edges(similar, items.first[asker.triggers[place + AHEAD]])
        begin = items.first[trigger]
        end = begin + items.size[trigger]
        if end > begin and similar.rank[end - 1] > k:
            low = begin
            while low < end:
                middle = (low + end) // 2
                if similar.rank[middle] > k:
                    end = middle
                else:
                    low = middle + 1
        for edge in range(begin, end):
            item = similar.item[edge]
            prefetch(product, similar.item[min(edge + EDGES_AHEAD, end - 1)])
            before = product[item]
            touched[size] = item
            size += before < 0  # without a branch: half of them would be guessed wrong
            factor = 1.0 + (weight if item != trigger else weight**asker.power) * similar.weight[edge]
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
def walk(asker, m, k, items, similar, product, touched):  # type: ignore[no-untyped-def]
    """How many items the paths lead to, and whether `product` holds sums of logarithms."""
    size = _walk(asker, m, k, items, similar, product, touched, False)
    if size >= 0:
        return size, False
    return _walk(asker, m, k, items, similar, product, touched, True), True


@njit(cache=True, inline="always")
def _before(value, item, other_value, other, order):  # type: ignore[no-untyped-def]
    """Whether the first comes first: by value, then by `order`, which is read where values are equal alone."""
    if value != other_value:
        return value > other_value
    return order[item] < order[other]


@njit(cache=True)
def _sink(values, items, order, size, value, item):  # type: ignore[no-untyped-def]
    """Put one in the place of the root of a heap whose root is the last in order."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and _before(values[child], items[child], values[child + 1], items[child + 1], order):
            child += 1
        if not _before(value, item, values[child], items[child], order):
            break
        values[place], items[place] = values[child], items[child]
        place = child
    values[place], items[place] = value, item


@njit(cache=True)
def _push(values, items, order, size, most, value, item):  # type: ignore[no-untyped-def]
    """Keep the `most` first ones by value, then order; gives how many there are now."""
    if size == most:
        if _before(value, item, values[0], items[0], order):
            _sink(values, items, order, size, value, item)
        return size
    place = size
    while place > 0:
        parent = (place - 1) // 2
        if not _before(values[parent], items[parent], value, item, order):
            break
        values[place], items[place] = values[parent], items[parent]
        place = parent
    values[place], items[place] = value, item
    return size + 1


@njit(cache=True, fastmath={"reassoc", "contract"})
def _dot(p, q):  # type: ignore[no-untyped-def]
    dot = 0.0
    for place in range(len(p)):
        dot += np.float64(p[place]) * np.float64(q[place])
    return dot


@njit(cache=True)
def _direct(asker, items, item):  # type: ignore[no-untyped-def]
    """softplus(p_u · q_i), 0 where one of them is not known."""
    if not (asker.known and items.known[item]):
        return 0.0
    dot = _dot(asker.direct, items.direct[item])
    return max(dot, 0.0) + math.log(1.0 + math.exp(-abs(dot)))


@njit(cache=True)
def recommend(  # type: ignore[no-untyped-def]
    asker, m, k, shortlist, n, repeats, limits, within, exclude, items, similar, product, touched
):
    """The n best available items, the first one first: their numbers, scores and direct parts.

    `limits`: whether prices count, the least and the greatest. `within` [N] is 1 for the items of a category, empty
    without one. `exclude`: numbers of items.
    """
    priced, least, most = limits
    size, add = walk(asker, m, k, items, similar, product, touched)
    if not repeats:
        _leave_out(product, asker.triggers)
    _leave_out(product, exclude)
    values, chosen, kept = np.empty(shortlist), np.empty(shortlist, np.int32), 0
    for place in range(size):
        item = touched[place]
        prefetch(items.state, touched[min(place + REACHED_AHEAD, size - 1)])
        value = product[item]
        product[item] = UNTOUCHED
        if value < 0 or items.state[item] != AVAILABLE:
            continue
        if (priced and not least <= items.price[item] <= most) or (len(within) and not within[item]):
            continue
        kept = _push(values, chosen, items.order, kept, shortlist, value, item)
    scores, best, found = np.empty(n), np.empty(n, np.int32), 0
    for place in range(kept):
        if place + DIRECT_AHEAD < kept:
            prefetch(items.direct, chosen[place + DIRECT_AHEAD])
            prefetch(items.known, chosen[place + DIRECT_AHEAD])
        item = chosen[place]
        path = values[place] if add else math.log(values[place])
        found = _push(scores, best, items.order, found, n, path + _direct(asker, items, item), item)
    for last in range(found - 1, 0, -1):
        value, item = scores[0], best[0]
        _sink(scores, best, items.order, last, scores[last], best[last])
        scores[last], best[last] = value, item
    direct = np.empty(found)
    for place in range(found):
        direct[place] = _direct(asker, items, best[place])
    return best[:found], scores[:found], direct


@njit(cache=True)
def _leave_out(product, items):  # type: ignore[no-untyped-def]
    for item in items:
        if product[item] >= 0:
            product[item] = SEEN


@njit(cache=True)
def rank(asker, m, k, asked, items, similar, product, touched):  # type: ignore[no-untyped-def]
    """Scores and direct parts of the items `asked`, whether seen, available or not."""
    size, add = walk(asker, m, k, items, similar, product, touched)
    scores, direct = np.empty(len(asked)), np.empty(len(asked))
    for place in range(len(asked)):
        value = product[asked[place]]
        path = 0.0 if value < 0 else value if add else math.log(value)
        direct[place] = _direct(asker, items, asked[place])
        scores[place] = path + direct[place]
    clear(product, touched, size)
    return scores, direct


@njit(cache=True)
def reasons(asker, m, k, wanted, most, items, similar):  # type: ignore[no-untyped-def]
    """Every path to the items whose `wanted` [N] is 1, `most` at most: item, trigger, e^t and e^s."""
    ends, starts = np.empty(most, np.int32), np.empty(most, np.int32)
    first, second = np.empty(most), np.empty(most)
    size, taken = 0, 0
    for place in range(len(asker.triggers)):
        weight, trigger = asker.weights[place], asker.triggers[place]
        if weight < 0 or taken == m:
            break
        if items.state[trigger] == GONE:
            continue
        taken += 1
        for edge in range(items.first[trigger], items.first[trigger] + items.size[trigger]):
            if similar.rank[edge] > k:
                break
            if wanted[similar.item[edge]]:
                ends[size], starts[size] = similar.item[edge], trigger
                first[size] = weight if similar.item[edge] != trigger else weight**asker.power
                second[size] = similar.weight[edge]
                size += 1
    return ends[:size], starts[:size], first[:size], second[:size]
