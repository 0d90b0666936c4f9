"""Training events as flat arrays, and the moments at which a shopper found new items."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

    from graph.excerpt import Excerpt

DAY = 24 * 3600
HALF_LIVES = (28, 112)  # days, of what is counted in `Interactions.fading`
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Interactions:
    """V events sorted by user, then by the user's own order.

    Attributes:
        users, items: number of users U and items N in the graph.
        user, item: [V] indices.
        moment: [V] 0-based index of the basket or session in the user's order; where sessions are unknown every
            event is a moment.
        time: [V] seconds since 1970 UTC, -1 where unknown.
        value, quantity: [V] rating or spend, and pieces; NaN where unknown.
        place: [V] index of the shop, -1 where unknown.
    """

    users: int
    items: int
    user: Ints
    item: Ints
    moment: Ints
    time: Ints
    value: Floats
    quantity: Floats
    place: Ints

    @classmethod
    def of(cls, data: "HeteroData | Excerpt", relation: str = "interacted") -> Self:
        """Take the events of one relation out of a snapshot (`graph.snapshot`) or an excerpt (`graph.excerpt`)."""
        edges = data["user", relation, "item"]
        index = np.asarray(edges.edge_index)[:, np.asarray(edges.event_edge)]
        user, session = index[0], np.asarray(edges.event_session)
        opens = np.ones(len(user), dtype=bool)
        opens[1:] = (user[1:] != user[:-1]) | (session[1:] != session[:-1]) | (session[1:] < 0)
        moment = np.cumsum(opens) - 1
        first = np.searchsorted(user, user)
        return cls(
            users=data["user"].num_nodes,
            items=data["item"].num_nodes,
            user=user,
            item=index[1],
            moment=moment - moment[first] if len(user) else moment,
            time=np.asarray(edges.event_time),
            value=np.asarray(edges.event_value),
            quantity=np.asarray(edges.event_quantity),
            place=np.asarray(edges.event_place),
        )

    def __len__(self) -> int:
        return len(self.user)

    def where(self, keep: Flags) -> Self:
        """The events under a mask; users, items and moments keep their numbers."""
        arrays = {name: getattr(self, name)[keep] for name in list(self.__dataclass_fields__)[2:]}
        return type(self)(users=self.users, items=self.items, **arrays)

    @cached_property
    def start(self) -> Ints:
        """[U + 1] offset of each user's first event."""
        return np.searchsorted(self.user, np.arange(self.users + 1))

    @cached_property
    def _by_pair(self) -> Ints:
        return np.lexsort((np.arange(len(self)), self.item, self.user))

    @cached_property
    def _same_as_before(self) -> Flags:
        order = self._by_pair
        same = np.zeros(len(self), dtype=bool)
        same[1:] = (self.user[order[1:]] == self.user[order[:-1]]) & (self.item[order[1:]] == self.item[order[:-1]])
        return same

    @cached_property
    def first(self) -> Flags:
        """[V] True where a user meets an item for the first time."""
        first = np.empty(len(self), dtype=bool)
        first[self._by_pair] = ~self._same_as_before
        return first

    @cached_property
    def next_same(self) -> Ints:
        """[V] index of the next event of the same user and item; V where there is none."""
        order, following = self._by_pair, np.full(len(self), len(self))
        again = np.flatnonzero(self._same_as_before)
        following[order[again - 1]] = order[again]
        return following

    @cached_property
    def previous_same(self) -> Ints:
        """[V] index of the event before of the same user and item; -1 where there is none."""
        order, previous = self._by_pair, np.full(len(self), -1)
        again = np.flatnonzero(self._same_as_before)
        previous[order[again]] = order[again - 1]
        return previous

    @cached_property
    def gap_before(self) -> Ints:
        """[V] moments since the user's event before with the same item; 0 within one moment, -1 the first time."""
        return np.where(self.previous_same < 0, -1, self.moment - self.moment[self.previous_same])

    @cached_property
    def first_event(self) -> Ints:
        """[V] index of the first event of the same user and item."""
        order, place = self._by_pair, np.arange(len(self))
        run_start = np.maximum.accumulate(np.where(self._same_as_before, 0, place))
        first_event = np.empty(len(self), dtype=np.int64)
        first_event[order] = order[run_start]
        return first_event

    @cached_property
    def occurrence(self) -> Ints:
        """[V] how often the user has met the item up to and with this event (1 = the first time)."""
        order, place = self._by_pair, np.arange(len(self))
        run_start = np.maximum.accumulate(np.where(self._same_as_before, 0, place))
        occurrence = np.empty(len(self), dtype=np.int64)
        occurrence[order] = place - run_start + 1
        return occurrence

    @cached_property
    def fading(self) -> npt.NDArray[np.float64]:
        """[V, 2] `occurrence`, but each time counts half for each of the `HALF_LIVES` that have passed since.

        As of this event's time. What has no time does not fade.
        """
        previous, fading = self.previous_same, np.ones((len(self), len(HALF_LIVES)))
        timed = (self.time >= 0) & (self.time[previous] >= 0)
        left = faded(np.where(timed, self.time - self.time[previous], 0))
        again = np.flatnonzero(previous >= 0)
        again = again[np.argsort(self.occurrence[again], kind="stable")]
        for some in np.split(again, np.flatnonzero(np.diff(self.occurrence[again])) + 1):
            fading[some] += left[some] * fading[previous[some]]
        return fading

    @cached_property
    def moment_start(self) -> Ints:
        """[V] index of the first event of this event's moment."""
        opens = np.ones(len(self), dtype=bool)
        opens[1:] = (self.user[1:] != self.user[:-1]) | (self.moment[1:] != self.moment[:-1])
        return np.maximum.accumulate(np.where(opens, np.arange(len(self)), 0))

    @cached_property
    def buyers(self) -> Ints:
        """[N] distinct users of each item."""
        return np.bincount(self.item[self.first], minlength=self.items)

    @cached_property
    def triggers(self) -> Ints:
        """[T] the latest event of each user and item, in the order of events."""
        return np.flatnonzero(self.next_same >= self.start[self.user + 1])

    @cached_property
    def activity(self) -> Ints:
        """[U] distinct items of each user."""
        return np.bincount(self.user[self.first], minlength=self.users)

    def last_days(self, days: int) -> Flags:
        """[V] mask of the events of the last `days` of all events' time."""
        return self.time > self.time.max(initial=-1) - days * DAY

    def validation(self, protocol: str) -> Flags:
        """[V] mask of what to leave out as the test rows were, by `Source.protocol`: the last N days, for `days:N`.

        Else, and where that leaves less than half to learn from, each user's last moment.
        """
        days = protocol.removeprefix("days:")
        if days != protocol and (held := self.last_days(int(days))).mean() < 0.5:
            return held
        return self.last_moments()

    def last_moments(self, least: int = 3) -> Flags:
        """[V] mask of each user's last moment, for users with at least `least` moments: the validation rows."""
        if not len(self):
            return np.zeros(0, dtype=bool)
        last = np.zeros(self.users, dtype=np.int64)
        np.maximum.at(last, self.user, self.moment)
        return (self.moment == last[self.user]) & (last[self.user] + 1 >= least)


def faded(seconds: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """[R, 2] what is left of 1 after these seconds [R], by each of the `HALF_LIVES`."""
    return np.exp2(-np.maximum(seconds, 0)[:, None] / (np.array(HALF_LIVES) * DAY))


def spans(start: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Concatenate the ranges start[r]..stop[r]: returns the row r of each element and the element itself."""
    lengths = np.maximum(stop - start, 0)
    row = np.repeat(np.arange(len(start)), lengths)
    begin = np.cumsum(lengths) - lengths
    return row, np.arange(len(row)) - begin[row] + start[row]
