"""Shopping intents in the graph: `Intent` nodes, their links to categories, and what users pursue."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from graph.batches import cut, drain, write_rows
from graph.constraints import create_constraints
from graph.driver import Database, Row
from graph.errors import StoreError
from graph.progress import step
from graph.statements import statement
from graph.trees import VECTORS, Floats

USERS = 500  # users whose intents are written in one transaction


@dataclass(frozen=True)
class Intent:
    """One `(:Intent)`.

    Attributes:
        source: `table` for the open table of intents, `mined` for assortments of a browse tree.
        term: what it was mined from, or the shortest way to say it.
        needs, forgotten: paths of Google's taxonomy that the table names; empty for mined ones.
        nodes: browse nodes that a mined one was made from.
    """

    id: str
    sentence: str
    source: str
    term: str
    department: str
    says: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    season: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    confidence: float | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """All ways to say it, the sentence first."""
        return (self.sentence, *self.says)


LISTS = ("says", "needs", "forgotten", "excludes", "season", "audience", "nodes")


@dataclass(frozen=True)
class Links:
    """All links of the categories of one tree, as rows that the statements take.

    Attributes:
        serves: {node, intent, confidence, rank, source, support}, at most 3 a node.
        needs: {intent, node, score, rank, source}.
        complements: {start, end, intent, score, rank}.
        dropped: {start, end, intent, rule, why}.
    """

    serves: list[Row] = field(default_factory=list)
    needs: list[Row] = field(default_factory=list)
    complements: list[Row] = field(default_factory=list)
    dropped: list[Row] = field(default_factory=list)


def write_intents(database: Database, source: str, intents: Sequence[Intent]) -> int:
    """Make the graph hold exactly these intents of this source; gives how many of it were taken off."""
    create_constraints(database)
    rows = [{name: list(value) if name in LISTS else value for name, value in asdict(one).items()} for one in intents]
    with step(f"Writing the intents of source {source}", len(rows)) as shown:
        write_rows(database, "merge_intents", rows, shown)
    gone = database.write(statement("drop_intents"), {"source": source, "ids": [one.id for one in intents]})
    return int(gone[0]["intents"])


def read_intents(database: Database) -> list[Intent]:
    """All intents in the order of their ids. Raises `StoreError` where there is none."""
    rows = [row["properties"] for row in database.read(statement("intents"))]
    if not rows:
        raise StoreError("no shopping intent in this store: mine them first (twohop intents mine)")
    return [_intent(row) for row in rows]


def _intent(row: dict[str, Any]) -> Intent:
    known: dict[str, Any] = {name: tuple(row.get(name) or ()) for name in LISTS}
    return Intent(**row | known)


def count_intents(database: Database) -> int:
    return int(database.read(statement("count_intents"))[0]["intents"])


def write_intent_embeddings(database: Database, ids: Sequence[str], model: str, vectors: Floats) -> None:
    """Vectors [N, d] by the encoder `model`."""
    with step("Writing the embeddings of intents", len(ids)) as shown:
        for start in range(0, len(ids), VECTORS):
            part = slice(start, start + VECTORS)
            rows = [{"id": key, "embedding": one} for key, one in zip(ids[part], vectors[part].tolist(), strict=True)]
            write_rows(database, "write_intent_embeddings", rows, shown, model=model)


def read_intent_embeddings(database: Database, ids: Sequence[str], model: str) -> Floats | None:
    """Vectors [N, d] by the encoder `model`; None where one of the intents has none."""
    found = {row["id"]: row["embedding"] for row in database.stream(statement("intent_embeddings"), {"model": model})}
    return np.array([found[key] for key in ids], dtype=np.float32) if all(key in found for key in ids) else None


def write_links(database: Database, tree: str, links: Links) -> None:
    """Put these links in the place of all that the categories of the tree have, in one transaction."""
    steps: list[tuple[str, dict[str, Any]]] = [(statement("drop_links"), {"tree": tree})]
    for name, rows in asdict(links).items():
        steps += [(statement(f"write_{name}"), {"rows": list(part)}) for part in cut(rows)]
    total = sum(len(rows) for rows in asdict(links).values())
    with step(f"Writing {total:,} links of the tree {tree}"):
        database.transact(lambda run: [run(*one) for one in steps])


def write_state(database: Database, **properties: Any) -> None:
    """Remember what the intents of this store were made from: see `read_state`."""
    database.write(statement("write_intents_state"), {"properties": properties})


def read_state(database: Database) -> dict[str, Any]:
    """`model` (identity of the encoder of all vectors), `links` (counts linkings)."""
    rows = database.read(statement("intents_state"))
    return dict(rows[0]["properties"]) if rows else {}


def write_queries(database: Database, rows: Sequence[Row]) -> None:
    """Put this query table, rows {query, node, count}, in the place of the one that is there."""
    create_constraints(database)
    drain(database, "drop_queries")
    with step("Writing the query table", len(rows)) as shown:
        write_rows(database, "merge_queries", rows, shown)


def read_queries(database: Database) -> list[Row]:
    """Rows {query, node, count}."""
    return list(database.stream(statement("queries")))


def write_pursues(database: Database, rows: Sequence[Row]) -> None:
    """Rows {user, state, clusters}: each user's intents in the place of the old ones."""
    with step("Writing the intents of users", len(rows)) as shown:
        write_rows(database, "write_pursues", rows, shown, USERS)
