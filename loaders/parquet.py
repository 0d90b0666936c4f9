"""Parquet: rows in their own types, numbered from 1."""

from collections.abc import Iterator

import polars as pl

from loaders.batches import LINE, Batch, Reading

ROWS = 2_000_000  # a batch: what is made of them beside the raw file must fit into memory


def read_parquet(reading: Reading) -> Iterator[Batch]:
    scan = pl.scan_parquet(reading.path, glob=False)
    schema = scan.collect_schema()
    names = reading.columns_of(schema.names())
    whole = scan.select(names).collect()
    for start in range(0, max(whole.height, 1), ROWS):
        part = whole.slice(start, ROWS)
        rows = part.with_columns(pl.int_range(start + 1, start + 1 + part.height, dtype=pl.Int64).alias(LINE))
        for name in names:
            if schema[name] == pl.Binary:
                rows = _decode_binary(reading, rows, name)
        share = part.height / whole.height if whole.height else 1.0
        yield Batch(reading.path.name, rows, reading.take_broken(), share)


def _decode_binary(reading: Reading, rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """A binary column as text; rows whose bytes are no UTF-8 are rejected."""
    texts: list[str | None] = []
    good: list[bool] = []
    for line, value in zip(rows[LINE], rows[name], strict=True):
        try:
            texts.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            texts.append(None)
            reading.reject(line, value, "is not valid utf-8 text", name)
        good.append(len(reading.broken) == 0 or reading.broken[-1][1] != line)
    return rows.with_columns(pl.Series(name, texts, dtype=pl.String)).filter(pl.Series(good))
