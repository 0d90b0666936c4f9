"""Rejected rows: kept while a source is read, then written as one JSON Lines file."""

from pathlib import Path

import polars as pl

from graph.errors import SourceError
from graph.files import replacing

RECORD = {
    "table": pl.String,
    "file": pl.String,
    "line": pl.Int64,  # 1-based, as a text editor counts; the row's number in Parquet
    "column": pl.String,  # as the raw file names it; null where the whole line is bad
    "value": pl.String,
    "reason": pl.String,
}


class Quarantine:
    """All rejected rows of one load."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._frames: list[pl.DataFrame] = []

    def add(self, table: str, rejected: pl.DataFrame) -> int:
        """Keep rows with the columns of `RECORD` (without `table`). Returns how many."""
        if rejected.height:
            self._frames.append(rejected.select(pl.lit(table).alias("table"), *list(RECORD)[1:]))
        return rejected.height

    def write(self) -> Path | None:
        """Write the file in one step; without rejected rows, drop the file of an earlier load and give None.

        Raises `SourceError` where the disk refuses.
        """
        try:
            if not self._frames:
                self.path.unlink(missing_ok=True)
                return None
            order = {table: place for place, table in enumerate(dict.fromkeys(f["table"][0] for f in self._frames))}
            rows = pl.concat(self._frames).sort(
                pl.col("table").replace_strict(order, return_dtype=pl.Int64), "file", "line", maintain_order=True
            )
            with replacing(self.path) as part:
                rows.write_ndjson(part)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SourceError(f"cannot write {self.path}: {reason}: make room or set TWOHOP_HOME") from None
        return self.path


def records(rows: list[tuple[str, int, str | None, str | None, str]]) -> pl.DataFrame:
    """A frame of rejected rows from (file, line, column, value, reason)."""
    names = list(RECORD)[1:]
    return pl.DataFrame(rows, schema={name: RECORD[name] for name in names}, orient="row")
