"""What every reader of raw files gives: batches of rows with their line numbers, and rows that broke on the way."""

import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

import polars as pl

from graph.errors import SourceError
from loaders.mapping import TableMap
from loaders.quarantine import records

LINE = "__line__"  # of the raw file; a mapping cannot name it
TEXT_ROWS = 100_000  # rows a batch
WHOLE_FLOATS = 2.0**53  # below, a float holds each whole number exactly

Broken = list[tuple[str, int, str | None, str | None, str]]  # as `quarantine.records` takes it


class Batch(NamedTuple):
    """Some rows of one file.

    `rows`: the raw columns and `LINE`; `broken`: rejected rows; `share`: how much of the file they are, 0 to 1.
    """

    file: str
    rows: pl.DataFrame
    broken: pl.DataFrame
    share: float


@dataclass
class Reading:
    """One file that is being read: its wanted columns (None: all) and those that hold lists."""

    path: Path
    table: TableMap
    wanted: list[str] | None
    lists: dict[str, str | None]
    broken: Broken = field(default_factory=list)

    def reject(self, line: int, value: str | bytes, reason: str, column: str | None = None) -> None:
        data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        self.broken.append((self.path.name, line, column, data.decode("utf-8", "backslashreplace"), reason))

    def take_broken(self) -> pl.DataFrame:
        broken, self.broken = self.broken, []
        return records(broken)

    def fail(self, what: str) -> SourceError:
        return SourceError(f"file {self.path}: {what}")

    def columns_of(self, header: list[str]) -> list[str]:
        """Columns to keep, in order. Raises `SourceError` where the file does not have one."""
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise self.fail(f"has the column {twice[0]!r} twice: give each column its own name")
        missing = [name for name in self.wanted or [] if name not in header]
        if missing:
            raise self.fail(f"has no column {missing[0]!r} but {', '.join(header)}: correct the mapping")
        return header if self.wanted is None else self.wanted


class Opened(NamedTuple):
    stream: IO[bytes]
    raw: IO[bytes]
    size: int

    def share(self, before: int) -> float:
        return (self.raw.tell() - before) / self.size if self.size else 0.0


def open_file(path: Path) -> Opened:
    raw = path.open("rb")
    stream: Any = io.BufferedReader(gzip.GzipFile(fileobj=raw), 1 << 20) if path.suffix == ".gz" else raw
    return Opened(stream, raw, path.stat().st_size)


def gather(
    reading: Reading, opened: Opened, names: list[str], rows: Iterable[tuple[int, list[Any]]]
) -> Iterator[Batch]:
    """Gather (line, values) into frames."""
    before, lines, values = 0, list[int](), list[list[Any]]()

    def made() -> Batch:
        nonlocal before, lines, values
        columns = list(zip(*values, strict=True)) if values else [()] * len(names)
        good = make_frame(reading, names, lines, columns)
        batch = Batch(reading.path.name, good, reading.take_broken(), opened.share(before))
        before, lines, values = opened.raw.tell(), [], []
        return batch

    for line, row in rows:
        lines.append(line)
        values.append(row)
        if len(lines) == TEXT_ROWS:
            yield made()
    yield made()


def make_frame(
    reading: Reading, names: list[str], lines: Sequence[int], columns: Sequence[Sequence[Any]]
) -> pl.DataFrame:
    listed = reading.lists if _holds_lists(reading) else {}
    types = [pl.List(pl.String) if name in listed else pl.String() for name in names]
    try:
        series = [pl.Series(*column) for column in zip(names, columns, types, strict=True)]
    except UnicodeEncodeError:
        rows = list(zip(lines, zip(*columns, strict=True), strict=True))
        kept = [(line, row) for line, row in rows if not _reject_undecodable(reading, names, line, row)]
        good = list(zip(*(row for _, row in kept), strict=True)) if kept else [()] * len(names)
        return make_frame(reading, names, [line for line, _ in kept], good)
    return pl.DataFrame([pl.Series(LINE, lines, dtype=pl.Int64), *series])


def _holds_lists(reading: Reading) -> bool:
    return reading.table.format_of(reading.path) == "jsonl"


def _reject_undecodable(reading: Reading, names: list[str], line: int, row: Sequence[Any]) -> bool:
    for name, value in zip(names, row, strict=True):
        try:
            str(value).encode()
        except UnicodeEncodeError:
            reading.reject(line, value, f"is not valid {reading.table.encoding} text", name)
            return True
    return False


def numbered(opened: Opened) -> Iterator[tuple[int, bytes]]:
    """Lines without their ends, numbered from 1, blank ones left out."""
    for number, line in enumerate(opened.stream, 1):
        stripped = line.rstrip(b"\r\n")
        if stripped.strip():
            yield number, stripped
