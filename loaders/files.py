"""Raw files of every format: found, opened and read in batches."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from graph.errors import SourceError
from loaders.batches import TEXT_ROWS, Batch, Opened, Reading, gather, make_frame, numbered, open_file
from loaders.delimited import read_chunks, read_records
from loaders.json_lines import read_json_lines
from loaders.mapping import TableMap
from loaders.parquet import read_parquet


def find_files(table: TableMap, folder: Path) -> list[Path]:
    """The table's files, sorted within each pattern. Raises `SourceError` where one is not there."""
    found: list[Path] = []
    for name in table.file:
        given = folder / Path(name).expanduser()
        if given.is_file():
            found.append(given)
            continue
        matches = sorted(given.parent.glob(given.name)) if set(given.name) & set("*?[") else []
        if not matches:
            raise SourceError(f"file {given}: not there: correct the mapping's key file")
        found.extend(matches)
    return found


def read(
    path: Path, table: TableMap, wanted: list[str] | None = None, lists: dict[str, str | None] | None = None
) -> Iterator[Batch]:
    """Read one file in batches.

    Args:
        wanted: names of the columns to read; None for all.
        lists: wanted columns that hold a list in JSON Lines, each with the separator of those that hold a text.

    Raises `SourceError` where the file is not there, damaged, of an unknown format or without a wanted column.
    """
    reading = Reading(path, table, wanted, lists or {})
    format_ = table.format_of(path)
    if format_ is None:
        raise reading.fail("its ending names no format: add the key format to the mapping")
    try:
        if format_ == "parquet":
            yield from read_parquet(reading)
        elif format_ in ("csv", "tsv"):
            yield from _read_delimited(reading, table.separator or ("," if format_ == "csv" else "\t"))
        elif format_ == "jsonl":
            yield from read_json_lines(reading)
        elif format_ == "split":
            yield from _read_split(reading)
        else:
            yield from _read_sequences(reading)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise reading.fail(f"is damaged ({error}): fetch it again") from None
    except pl.exceptions.PolarsError as error:
        raise reading.fail(f"cannot be read ({str(error).splitlines()[0]}): fetch or write it again") from None
    except OSError as error:
        raise reading.fail(f"{error.strerror or error}: make it readable") from None


def _read_delimited(reading: Reading, separator: str) -> Iterator[Batch]:
    opened = open_file(reading.path)
    encoding = "utf-8-sig" if reading.table.encoding.lower() in ("utf-8", "utf8") else reading.table.encoding
    with opened.raw, io.TextIOWrapper(opened.stream, encoding, errors="surrogateescape", newline="") as text:
        header, start = reading.table.header, 1
        if header is None:
            first = next(read_records(text, separator), None)
            if first is None or first.problem:
                raise reading.fail("is empty or has no header line: write one, or add the key header to the mapping")
            header, start = [name.strip() for name in first.fields], first.end
        names = reading.columns_of(header)
        places = [header.index(name) for name in names]
        before = 0
        for lines, rows, broken in read_chunks(text, separator, len(header), start, TEXT_ROWS):
            for record in broken:
                reading.reject(record.line, record.text, record.problem or "")
            columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
            good = make_frame(reading, names, lines, [columns[place] for place in places])
            yield Batch(reading.path.name, good, reading.take_broken(), opened.share(before))
            before = opened.raw.tell()
        yield Batch(reading.path.name, make_frame(reading, names, [], [()] * len(names)), reading.take_broken(), 0.0)


def _decoded(reading: Reading, opened: Opened) -> Iterator[tuple[int, str]]:
    for number, line in numbered(opened):
        try:
            text = line.decode(reading.table.encoding)
        except UnicodeDecodeError:
            reading.reject(number, line, f"is not valid {reading.table.encoding} text")
        else:
            yield number, text.removeprefix("\ufeff") if number == 1 else text


def _read_split(reading: Reading) -> Iterator[Batch]:
    opened = open_file(reading.path)
    separator = reading.table.separator or " "
    with opened.raw:
        lines = _decoded(reading, opened)
        header = reading.table.header
        if header is None:
            first = next(lines, None)
            if first is None:
                raise reading.fail("is empty: write a header line, or add the key header to the mapping")
            header = first[1].split(separator)
        names = reading.columns_of(header)
        places = [header.index(name) for name in names]

        def rows() -> Iterator[tuple[int, list[Any]]]:
            for number, text in lines:
                fields = text.split(separator)
                if len(fields) == len(header):
                    yield number, [fields[place] for place in places]
                else:
                    reading.reject(number, text, f"has {len(fields)} fields instead of {len(header)}")

        yield from gather(reading, opened, names, rows())


def _read_sequences(reading: Reading) -> Iterator[Batch]:
    """One line is a user and then item ids in order: one row an item, with the columns user, item and position."""
    opened = open_file(reading.path)
    reading.columns_of(["user", "item", "position"])

    def rows() -> Iterator[tuple[int, list[Any]]]:
        for number, text in _decoded(reading, opened):
            user, *items = text.split()
            if not items:
                reading.reject(number, text, "has a user but no item")
            for position, item in enumerate(items):
                yield number, [user, item, str(position)]

    with opened.raw:
        yield from gather(reading, opened, ["user", "item", "position"], rows())
