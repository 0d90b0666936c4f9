"""Live events into the graph, each exactly once in effect whatever is sent again. docs/events.md tells how."""

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from neo4j import exceptions as foreign

from graph.driver import Database, Run
from graph.errors import Conflict, DatabaseError, DatabaseUnavailable, Invalid
from graph.moments import EDGE_COLUMNS, Row, add_events, edge_parameters
from graph.statements import statement

IMPRESSION = "impression"  # an item was shown: no interaction
TRIES = 3
PATIENCE = 20.0  # seconds of a transaction: it may wait for others that send the same events
SHOWN = 5  # unknown items that an error names
GONE = "Neo.ClientError.Statement.EntityNotFound"  # another transaction deleted a node that this one had found


@dataclass(frozen=True)
class Event:
    """One event as a client sent it.

    Attributes:
        key: the client's own name of the event, unique for ever.
        digest: of all that the client sent; the same key with another digest is another event.
        time: seconds since 1970 UTC; None: when it comes in.
    """

    key: str
    digest: str
    user: str
    item: str
    kind: str
    time: int | None = None
    session: str | None = None
    quantity: float | None = None
    value: float | None = None
    place: str | None = None
    variant: str | None = None


@dataclass(frozen=True)
class Outcome:
    """`repeated`: it took effect before. `detail` says why one was rejected."""

    key: str
    status: Literal["accepted", "repeated", "rejected"]
    detail: str | None = None


def write_events(database: Database, events: Sequence[Event], now: int, *, reject: bool = False) -> list[Outcome]:
    """Store events in one transaction: all take effect or none, and each key once. Gives an outcome for each, in order.

    Args:
        now: the time of events that have none, in seconds since 1970 UTC.
        reject: leave out an event that contradicts a stored one or names an unknown item, and store the others;
            otherwise the first such one is an error.

    Raises `Conflict` for a key that is stored with other content, `Invalid` for items that the graph has not, and
    `DatabaseError`. After any of them nothing is stored but for `DatabaseUnavailable`, which may come after the commit:
    send the same events again.
    """
    call = secrets.token_hex(8)
    for number in range(TRIES):
        attempt = _Attempt(events, now, call, reject)
        try:
            return database.transact(attempt.run, PATIENCE)
        except DatabaseError as error:
            if number == TRIES - 1 or not _worth_another(error):
                raise
    raise AssertionError  # the loop returns or raises


def _worth_another(error: DatabaseError) -> bool:
    """What the driver does not try again by itself, for in general that may do a thing twice; here it cannot."""
    cause = error.__cause__
    gone = isinstance(error, NodeVanished) or (isinstance(cause, foreign.Neo4jError) and cause.code == GONE)
    return gone or isinstance(cause, foreign.IncompleteCommit)


class NodeVanished(DatabaseUnavailable):
    """Another transaction deleted a node that this one had found; the next try sees what is there."""


class _Attempt:
    """One call's events. `run` may be called again and again until a commit is known."""

    def __init__(self, events: Sequence[Event], now: int, call: str, reject: bool) -> None:
        self.events, self.now, self.call, self.reject = events, now, call, reject
        self.first: dict[str, Event] = {}
        for event in events:
            self.first.setdefault(event.key, event)
        self.problems: dict[int, str] = {}  # by the event's place

    def run(self, run: Run) -> list[Outcome]:
        self.problems = {}
        transaction = f"{self.call}:{secrets.token_hex(4)}"
        stored = self._lock_keys(run, transaction)
        fresh = [event for key, event in self.first.items() if stored[key]["call"] == transaction]
        if fresh := self._keep_known(run, fresh):
            _take_effect(run, fresh, self.now)
        return self._outcomes({key for key, row in stored.items() if row["call"].startswith(f"{self.call}:")})

    def _lock_keys(self, run: Run, transaction: str) -> dict[str, Row]:
        """What is stored under each key, all of them locked."""
        rows = [
            {
                "key": event.key,
                "digest": event.digest,
                "user": event.user,
                "kind": event.kind,
                "variant": event.variant,
                "time": self.now if event.time is None else event.time,
            }
            for event in sorted(self.first.values(), key=lambda event: event.key)
        ]
        stored = {row["key"]: row for row in run(statement("merge_events"), {"rows": rows, "call": transaction})}
        for place, event in enumerate(self.events):
            if event.digest != stored[event.key]["digest"]:
                detail = f"event {event.key!r} was sent before with other content"
                if not self.reject:
                    raise Conflict(f"{detail}: nothing was stored")
                self.problems[place] = detail
        return stored

    def _keep_known(self, run: Run, fresh: list[Event]) -> list[Event]:
        """Those whose items are in the graph; what is stored of the others leaves again."""
        items = sorted({event.item for event in fresh})
        unknown = set(items).difference(row["id"] for row in run(statement("known_items"), {"items": items}))
        if not unknown:
            return fresh
        if not self.reject:
            raise Invalid(f"{_not_there(unknown)}; nothing was stored")
        keys = {event.key for event in fresh if event.item in unknown}
        run(statement("drop_events"), {"keys": sorted(keys)})
        for place, event in enumerate(self.events):
            if event.key in keys:
                self.problems.setdefault(place, _not_there({event.item}))
        return [event for event in fresh if event.key not in keys]

    def _outcomes(self, accepted: set[str]) -> list[Outcome]:
        outcomes = []
        for place, event in enumerate(self.events):
            if place in self.problems:
                outcomes.append(Outcome(event.key, "rejected", self.problems[place]))
            else:
                outcomes.append(Outcome(event.key, "accepted" if event.key in accepted else "repeated"))
                accepted.discard(event.key)  # the same event once more in this call is a repeated one
        return outcomes


def touch_users(run: Run, rows: Sequence[Row]) -> None:
    """Make users, rows {id, stale} sorted by id, where they are not there, and lock them.

    Raises `NodeVanished` where one was deleted while its lock was waited for.
    """
    if run(statement("touch_users"), {"rows": rows})[0]["users"] < len(rows):
        raise NodeVanished("a user was deleted a moment ago: send it again")


def _take_effect(run: Run, events: Iterable[Event], now: int) -> None:
    """Locks users, then items, each in the order of their ids, and makes the events a part of their edges."""
    changing = [event for event in events if event.kind != IMPRESSION]
    stale = {event.user for event in changing}
    touch_users(run, [{"id": user, "stale": user in stale} for user in sorted({event.user for event in events})])
    if not changing:
        return
    items = sorted({event.item for event in changing})
    locked = {row["id"] for row in run(statement("lock_items"), {"items": items})}
    if gone := set(items) - locked:
        raise Invalid(f"{_not_there(gone)}; nothing was stored")  # deleted a moment ago
    pairs: dict[tuple[str, str], list[Row]] = {}
    for event in changing:
        pairs.setdefault((event.user, event.item), []).append(_columns(event, now))
    [stored] = run(statement("stored_interacted"), {"pairs": list(pairs)})
    edges = {(user, item): dict(zip(EDGE_COLUMNS[2:], edge, strict=True)) for user, item, *edge in stored["edges"]}
    merged = ((*pair, add_events(edges.get(pair), added)) for pair, added in sorted(pairs.items()))
    rows = [(user, item, *(edge[column] for column in EDGE_COLUMNS[2:])) for user, item, edge in merged]
    run(statement("merge_interacted"), edge_parameters(rows))
    buyers = Counter(item for user, item in pairs if (user, item) not in edges)
    run(statement("add_buyers"), {"rows": [{"item": item, "buyers": count} for item, count in buyers.items()]})
    newest = max(event["time"] for added in pairs.values() for event in added)
    run(statement("advance_intents"), {"time": float(newest)})


def _columns(event: Event, now: int) -> Row:
    return {
        "kind": event.kind,
        "time": now if event.time is None else event.time,
        "session": event.session,
        "quantity": event.quantity,
        "value": event.value,
        "place": event.place,
    }


def _not_there(items: set[str]) -> str:
    first = sorted(items)[:SHOWN]
    more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return f"not in the graph: item {', '.join(map(repr, first))}{more}"
