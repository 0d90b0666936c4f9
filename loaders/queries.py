"""Search queries: a table of queries, categories and counts, or judged pairs of queries and products."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from graph.errors import SourceError

RELEVANT = 2.33  # Home Depot's judges: 1 irrelevant to 3 a perfect match
ENCODINGS = ("utf-8", "latin-1")


@dataclass(frozen=True)
class QueryTable:
    """`rows`: query, category, count. `judged`: query, product, weight (relevance). One of them is empty."""

    rows: list[tuple[str, str, float]]
    judged: list[tuple[str, str, float]]


# The columns that tell what a file is: of a table of one's own, of Home Depot's judgments, of WANDS' queries.
KINDS = {
    "table": ("query", "category", "count"),
    "judged": ("search_term", "product_title", "relevance"),
    "classes": ("query", "query_class"),
}


def read_queries(file: Path) -> QueryTable:
    """Read a CSV or TSV file (in a zip or not), of one of these kinds by its columns:

    - query, category, count: a query table; category is the id or the path of a browse node;
    - search_term, product_title, relevance: Home Depot's judged pairs; relevance from 2.33 up counts;
    - query, query_class: WANDS' queries with the class of product that is meant.

    Raises `SourceError` with one line: not there, none of these kinds, empty, a count that is no number above 0.
    """
    frame = _frame(file)
    kind = next((name for name, columns in KINDS.items() if set(columns) <= set(frame.columns)), None)
    if kind is None:
        raise SourceError(
            f"{file}: has the columns {', '.join(frame.columns)}: a query table has query, category, count"
        )
    frame = frame.select(pl.col(name).str.strip_chars() for name in KINDS[kind])
    first, second = KINDS[kind][:2]
    frame = frame.filter((pl.col(first).fill_null("") != "") & (pl.col(second).fill_null("") != ""))
    if kind == "classes":
        return QueryTable([], [(query, name, 1.0) for query, name in _some(file, frame).iter_rows()])
    number = KINDS[kind][2]
    value = pl.col(number).cast(pl.Float64, strict=False)
    wrong = frame.filter(~(value.is_finite() & (value > 0)).fill_null(False))
    if len(wrong):
        raise SourceError(f"{file}: {number} {wrong[number][0]!r} of {wrong[first][0]!r} is no number above 0")
    rows = frame.with_columns(pl.col(number).cast(pl.Float64))
    if kind == "table":
        return QueryTable(list(_some(file, rows).iter_rows()), [])
    good = _some(file, rows.filter(pl.col(number) >= RELEVANT))
    return QueryTable([], list(good.iter_rows()))


def _some(file: Path, frame: pl.DataFrame) -> pl.DataFrame:
    if not len(frame):
        raise SourceError(f"{file}: the query table is empty: nothing was written")
    return frame


def _frame(file: Path) -> pl.DataFrame:
    if not file.is_file():
        raise SourceError(f"query table {file}: not there")
    with _unpacked(file) as raw:
        for encoding in ENCODINGS:
            try:
                text = raw.read_bytes().decode(encoding)
                if "\0" in text:  # latin-1 takes every byte, those of UTF-16 and of archives too
                    break
                return pl.read_csv(
                    text.encode(),
                    separator="\t" if "\t" in text.partition("\n")[0] else ",",
                    infer_schema=False,
                    truncate_ragged_lines=True,
                )
            except UnicodeDecodeError:
                continue
            except pl.exceptions.NoDataError:
                raise SourceError(f"{file}: the query table is empty: nothing was written") from None
            except pl.exceptions.PolarsError as error:
                raise SourceError(f"{file}: is no CSV table ({str(error).splitlines()[0]})") from None
    raise SourceError(f"{file}: is no text: save it as UTF-8")


@contextmanager
def _unpacked(file: Path) -> Iterator[Path]:
    if file.suffix.lower() != ".zip":
        yield file
        return
    with TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(file) as zipped:
                names = [name for name in zipped.namelist() if not name.endswith("/")]
                if len(names) != 1:
                    raise SourceError(f"{file}: holds {len(names)} files: a query table is one")
                unpacked = Path(zipped.extract(names[0], folder))
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise SourceError(f"{file}: is no zip file: fetch it again") from None
        except RuntimeError as error:  # encrypted, or packed in a way that Python does not know
            raise SourceError(f"{file}: cannot be unpacked ({error}): unpack it yourself") from None
        yield unpacked
