"""Rows into the graph by one statement, some thousands a transaction."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from graph.driver import Database, Row
from graph.progress import Step
from graph.statements import statement

T = TypeVar("T")

BATCH = 10_000  # rows a transaction: its state stays far below the heap


def write_rows(
    database: Database, name: str, rows: Sequence[Row], shown: Step | None = None, size: int = BATCH, **parameters: Any
) -> None:
    """Run the statement `name` over `rows` in transactions of `size`; each must be idempotent."""
    for batch in cut(rows, size):
        database.write(statement(name), {"rows": batch, **parameters})
        if shown:
            shown.advance(len(batch))


def cut(rows: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def drain(database: Database, name: str, size: int = BATCH, **parameters: Any) -> int:
    """Run a statement that takes off `size` nodes at most until none is left; gives how many left."""
    total = 0
    while gone := database.write(statement(name), {"limit": size, **parameters})[0]["nodes"]:
        total += gone
    return total
