"""The events of an `INTERACTED` edge as aligned lists, in plain Python: the web process has no polars.

`graph.rows` does the same for whole tables. A test holds the two together.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

Row = dict[str, Any]

# The event columns that become aligned lists on an INTERACTED edge: column -> property.
EVENT_LISTS = {
    "position": "positions",
    "time": "times",
    "session": "sessions",
    "quantity": "quantities",
    "value": "values",
    "place": "places",
}
EDGE_COLUMNS = ("user", "item", "count", "kind", "last_time", "last_position", *EVENT_LISTS.values())
# Neo4j's lists hold no nulls: what stands for an unknown value in an event list. An empty session or place and a
# time of -1 are therefore unknown too; the snapshot turns them back.
UNKNOWN: dict[str, Any] = {
    "position": -1,
    "time": -1,
    "session": "",
    "quantity": float("nan"),
    "value": float("nan"),
    "place": "",
}
ORDER = (*EVENT_LISTS, "kind")  # kind last: an edge keeps one, so it must not order its events


def add_events(edge: Row | None, events: Iterable[Row]) -> Row:
    """The properties of an edge that holds these events beside those that it has.

    Args:
        edge: its stored properties as `stored_interacted.cypher` gives them; None for a new one.
        events: at least one, each with its `kind` and those of the columns of `EVENT_LISTS` that it knows.

    No event stands for another here, though they be of one moment: each has a key of its own.
    """
    known = [*_spread(edge), *events] if edge else list(events)
    known.sort(key=_order)
    merged: Row = {"count": len(known), "kind": known[-1]["kind"]}
    for column, name in EVENT_LISTS.items():
        values = [event.get(column) for event in known]
        known_values = [value for value in values if value is not None]
        merged[name] = [UNKNOWN[column] if value is None else value for value in values] if known_values else None
        if column in ("time", "position"):
            merged[f"last_{column}"] = max(known_values, default=None)
    return merged


def edge_parameters(edges: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Edges as `merge_interacted.cypher` takes them: each item's id once, and the edges of each user.

    `edges`: of each the values of `EDGE_COLUMNS`; fastest where all of a user follow each other.
    """
    places: dict[str, int] = {}
    users = [
        {"id": user, "edges": [[places.setdefault(edge[1], len(places)), *edge[2:]] for edge in some]}
        for user, some in groupby(edges, itemgetter(0))
    ]
    return {"items": list(places), "users": users}


def _spread(edge: Row) -> list[Row]:
    """Its events, each with the edge's one kind; what is unknown is None."""
    events: list[Row] = [{"kind": edge["kind"]} for _ in range(edge["count"])]
    for column, name in EVENT_LISTS.items():
        unknown = UNKNOWN[column]
        for event, value in zip(events, edge[name] or (), strict=False):
            gap = value != value if isinstance(unknown, float) else value == unknown  # noqa: PLR0124  NaN is not itself
            event[column] = None if gap else value
    return events


def _order(event: Row) -> tuple[tuple[bool, Any], ...]:
    """Unknown values stand before all others."""
    values = (event.get(column) for column in ORDER)
    return tuple((value is not None, 0 if value is None else value) for value in values)
