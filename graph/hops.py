"""Parts of the graph for readers that cannot hold all of it: ids, some edges of some nodes, properties of some nodes.

Kinds of nodes and hops have the names of the snapshot (`graph.snapshot`): `user`, `item`, `browse_node`, and
(kind, relation, kind). A relation that begins with `rev_` is the same edges the other way round.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from graph.batches import cut
from graph.driver import Database, Row
from graph.schema import Source
from graph.statements import statement

Hop = tuple[str, str, str]
EVENT_HOPS: tuple[Hop, ...] = (("user", "interacted", "item"), ("user", "held_out", "item"))
PAIR_HOPS: tuple[Hop, ...] = (("item", "in_category", "browse_node"), ("browse_node", "child_of", "browse_node"))
REVERSE = "rev_"
PRIME = 2**31 - 1  # of the hash: products of two numbers below it fit Cypher's integers
EVERY = 2**31 - 1  # edges: more than a node can have


def reversed_hop(hop: Hop) -> Hop:
    """(end, rev_relation, start), as PyG's `ToUndirected` names it; and back."""
    start, relation, end = hop
    back = relation.removeprefix(REVERSE) if relation.startswith(REVERSE) else f"{REVERSE}{relation}"
    return end, back, start


def read_ids(database: Database, kind: str, source: Source) -> pl.Series:
    """Ids of all nodes of a kind, sorted as Python sorts strings; browse nodes are those of the store's own tree."""
    rows = database.stream(statement(f"node_ids_{kind}"), {"tree": source.id})
    return pl.Series("id", (row["id"] for row in rows), pl.String).sort()


def stream_edges(database: Database, hop: Hop, source: Source) -> Iterator[tuple[str, list[str]]]:
    """All edges of a relation that is no `rev_` one: a start, and the ends of its edges in no order."""
    for row in database.stream(statement(f"edges_{hop[1]}"), {"tree": source.id}, fetch_size=1000):
        yield row["start"], row["ends"]


def read_sources(
    database: Database, hop: Hop, ids: Sequence[str], limit: int, factor: int, shift: int
) -> Iterator[tuple[int, list[str]]]:
    """From where edges of `hop` lead to these nodes, as (place in `ids`, ids of sources).

    Of each node it reads `limit` edges, all where `limit` is -1: those whose hash (factor · e + shift) mod `PRIME` is
    least, where e is Neo4j's number of the edge. With `factor` in 1…PRIME - 1 and `shift` in 0…PRIME - 1 drawn evenly
    this hash is pairwise independent (Carter and Wegman, 1979, https://doi.org/10.1016/0022-0000(79)90044-8), so every
    edge has the same chance. Neo4j draws no numbers from a seed; a hash of a seed it can work out. The server looks at
    each edge of a node; no more than `limit` of them are sorted or sent.
    """
    drawn = {"limit": EVERY if limit < 0 else limit, "factor": factor, "shift": shift, "prime": PRIME}
    begin = 0
    for part in cut(ids):
        for row in database.read(statement(f"sources_{hop[1]}"), {"ids": part, **drawn}):
            yield begin + row["place"], row["sources"]
        begin += len(part)


def read_values(database: Database, kind: str, ids: Sequence[str], names: Sequence[str]) -> list[Row]:
    """`place` in `ids` and `values` of the named properties, for each node that is there.

    Users have `activity` beside: their `INTERACTED` edges.
    """
    rows: list[Row] = []
    begin = 0
    for part in cut(ids):
        found = database.read(statement(f"node_values_{kind}"), {"ids": part, "names": list(names)})
        rows += ({**row, "place": begin + row["place"]} for row in found)
        begin += len(part)
    return rows


def read_distinct(database: Database, kind: str, name: str) -> list[Any]:
    """The values that a property of users or items has, in no order."""
    return [row["value"] for row in database.stream(statement(f"distinct_values_{kind}"), {"name": name})]


def read_any_value(database: Database, kind: str, name: str) -> Any:
    """One value of a property of users or items; None where no node has it."""
    rows = database.read(statement(f"{kind}_profile_values"), {"names": [name]})
    return rows[0]["value"] if rows else None
