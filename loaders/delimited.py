"""CSV and TSV, record by record, with line numbers: one broken record never takes its neighbours with it."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple


class Record(NamedTuple):
    """One record from `line` up to the line before `end`.

    `problem` is None for a good one; else `text` is its first line as it stands in the file.
    """

    line: int
    end: int
    fields: list[str]
    text: str
    problem: str | None


class Chunk(NamedTuple):
    """Good records, each with its line, and the broken ones between them."""

    lines: Sequence[int]
    rows: list[list[str]]
    broken: list[Record]


class _Lines:
    """Physical lines, remembered for as long as the record they belong to is open."""

    def __init__(self, source: Iterable[str]) -> None:
        self._source = iter(source)
        self._returned: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._source)
        self.taken.append(line)
        return line

    def give_back(self, lines: list[str]) -> None:
        self._returned.extendleft(reversed(lines))


def read_chunks(source: Iterable[str], delimiter: str, width: int, number: int, size: int) -> Iterator[Chunk]:
    """Read the records that follow a header, `size` at a time; see `read_records`.

    Lines without a quotation mark are one record each and go to the parser many at a time.
    """
    left = iter(source)
    while lines := list(islice(left, size)):
        if '"' in "".join(lines):
            yield from _gather(read_records(chain(lines, left), delimiter, width, number), size)
            return
        try:
            rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
        except csv.Error:
            rows = []
        if len(rows) == len(lines) and set(map(len, rows)) == {width}:
            yield Chunk(range(number, number + len(lines)), rows, [])
        else:
            yield from _gather(read_records(lines, delimiter, width, number), size)
        number += len(lines)


def _gather(records: Iterator[Record], size: int) -> Iterator[Chunk]:
    while some := list(islice(records, size)):
        good = [record for record in some if record.problem is None]
        broken = [record for record in some if record.problem is not None]
        yield Chunk([record.line for record in good], [record.fields for record in good], broken)


def read_records(source: Iterable[str], delimiter: str, width: int | None = None, number: int = 1) -> Iterator[Record]:
    """Yield each record of RFC 4180 text, blank lines left out.

    A record that does not parse or has another number of fields loses only its first line: what follows is read
    anew, so a stray quotation mark does not swallow the rest of the file.

    Args:
        source: lines with their ends.
        width: number of fields of a good record; None: that of the first one.
        number: of the first line.
    """
    lines = _Lines(source)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.taken = []
        problem, fields = None, []
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"is no {'TSV' if delimiter == chr(9) else 'CSV'}: {error}"
        if problem is None and fields:
            width = len(fields) if width is None else width
            if len(fields) != width:
                problem = f"has {len(fields)} fields instead of {width}"
        taken = lines.taken
        if problem is not None:
            if len(taken) > 1:
                lines.give_back(taken[1:])
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            yield Record(number, number + 1, [], taken[0].rstrip("\r\n"), problem)
            number += 1
            continue
        if fields:
            yield Record(number, number + len(taken), fields, "", None)
        number += len(taken)
