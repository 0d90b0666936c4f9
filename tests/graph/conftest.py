"""Small tables for the writers, and all that a graph holds in a form that can be compared."""

import socket
from typing import Any

import polars as pl
import pytest

from graph.driver import Database
from graph.schema import BROWSE_NODE, CHILD_OF, IN_CATEGORY, INTERACTION, ITEM, USER, Source, Tables

ODD = (
    "a",
    "b;c",
    'q"u"o',
    "line\nbreak\r\n",
    " space ",
    "e,,",
    "\\",
    "é😀",
    "漢字",
    "\t",
    "'",
    "\u2028",
    "U+001F \x1f",
)
DUMP_NODES = "MATCH (n) WHERE NOT n:Removed RETURN labels(n) AS labels, properties(n) AS properties"
FOLLOWED = ("changed", "loads", "tree_version")  # when and how often: by these projections keep up
DUMP_EDGES = """
MATCH (a)-[r]->(b)
RETURN type(r) AS type, labels(a) AS start_labels, a.id AS start, b.id AS end, properties(r) AS properties
"""


def dump(database: Database) -> list[str]:
    """Every node and edge with all its properties but `FOLLOWED`, one line each, sorted."""
    rows = [*database.read(DUMP_NODES), *database.read(DUMP_EDGES)]
    for row in rows:
        row["properties"] = sorted(item for item in row["properties"].items() if item[0] not in FOLLOWED)
    return sorted(map(repr, rows))


def free_port() -> int:
    """One that no store chooses: for a server that stops and starts while others choose theirs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def events(*rows: dict[str, Any]) -> pl.DataFrame:
    """Interactions of kind `purchase`; what a row does not name is null."""
    return pl.DataFrame([{**dict.fromkeys(INTERACTION), "kind": "purchase", **row} for row in rows], schema=INTERACTION)


def make_tables(interactions: pl.DataFrame, **changed: Any) -> Tables:
    """Tables with exactly the users and items that the interactions name."""
    users = interactions.select(id="user").unique(maintain_order=True)
    items = interactions.select(id="item").unique(maintain_order=True)
    return Tables(
        **{
            "source": Source("small"),
            "users": users.select(pl.col(name).cast(kind) for name, kind in USER.items()),
            "items": items.select(
                pl.col(name).cast(kind) if name == "id" else pl.lit(None, kind).alias(name)
                for name, kind in ITEM.items()
            ),
            "interactions": interactions,
            **changed,
        }
    )


@pytest.fixture
def odd_tables() -> Tables:
    """Every kind of column, gap and text that the writers must keep."""
    source = Source("odd", ("age", "income"), ("genres", "weight"), "days:28", 2, 1_483_228_800, 'note; "quoted"')
    users = pl.DataFrame({"id": ODD, "age": range(len(ODD)), "income": [None, *ODD[1:]]})
    items = pl.DataFrame(
        {
            "id": ODD[::-1],
            "title": [None, "", *ODD[2:]],
            "brand": ["", None, *ODD[2:]],
            "price": [None, float("nan"), 1e-7, 1e22, 0.1, *range(len(ODD) - 5)],
            "available": [None, False, *[True] * (len(ODD) - 2)],
            "genres": [None, [], [""], *[[text, "x"] for text in ODD[3:]]],
            "weight": [None, -0.0, 5e-324, 1.7976931348623157e308, *[0.5] * (len(ODD) - 4)],
        },
        schema_overrides={"price": pl.Float64},
    )
    rows = []
    for number, text in enumerate(ODD):
        other = ODD[number * 5 % len(ODD)]
        rows += [
            {"user": text, "item": text},
            {
                "user": text,
                "item": other,
                "time": 1_500_000_000 + number,
                "session": text,
                "quantity": 1.0,
                "place": other,
            },
            {"user": text, "item": other, "time": 1_500_000_000 - number, "session": None, "value": 0.1 * number},
            {"user": other, "item": text, "position": number, "session": other, "quantity": -2.5, "value": 1e300},
        ]
    nodes = pl.DataFrame({"id": ODD, "name": ODD[::-1], "level": range(len(ODD))}, schema=BROWSE_NODE)
    return Tables(
        source=source,
        users=users,
        items=items,
        interactions=events(*rows),
        held_out=events({"user": "a", "item": "漢字", "kind": 'odd "kind"', "time": 0}),
        browse_nodes=nodes,
        in_category=pl.DataFrame([(text, ODD[0]) for text in ODD] * 2, schema=IN_CATEGORY, orient="row"),
        child_of=pl.DataFrame(list(zip(ODD[1:], ODD[:-1], strict=True)), schema=CHILD_OF, orient="row"),
    )
