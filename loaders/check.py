"""Checks of rows: each raw value becomes a value of its type, or its row is rejected with a reason."""

from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from graph.errors import SourceError
from loaders.batches import LINE, WHOLE_FLOATS
from loaders.mapping import Column, ListColumn, NumberColumn, TimeColumn

Kind = Literal["id", "text", "number", "whole", "flag", "time", "texts"]
TYPES: dict[str, Any] = {
    "id": pl.String,
    "text": pl.String,
    "number": pl.Float64,
    "whole": pl.Int64,
    "flag": pl.Boolean,
    "time": pl.Int64,
    "texts": pl.List(pl.String),
}
ID_BYTES = 4_000  # Neo4j's index refuses keys of about 8 kB
EARLIEST, LATEST = -2_208_988_800, 7_258_118_400  # 1900 and 2200: a time outside has the wrong unit
ISO_FORMATS = ("%FT%T%.f", "%F %T%.f", "%FT%R", "%F %R", "%F")
TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
WHAT = {
    "number": "no number",
    "whole": "no whole number",
    "flag": "neither true nor false",
    "time": "no date or time of this format between 1900 and 2200",
}

Problem = tuple[pl.Expr, str]


@dataclass(frozen=True)
class Field:
    """One column to make from a raw one. `known`: the only ids that it may name; None: any."""

    name: str
    kind: Kind
    column: Column | None
    required: bool = False
    known: pl.Series | None = None
    at_least: float | None = None

    @property
    def raw(self) -> str | None:
        return self.column.column if self.column else None

    @property
    def made(self) -> str:
        """Name of the made column beside the raw ones."""
        return f"__made__{self.name}"


def check(file: str, rows: pl.DataFrame, fields: list[Field]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split raw rows into (good, rejected).

    Returns:
        good: `LINE` and one column a field, of the field's type.
        rejected: the columns of `quarantine.RECORD` but `table`, with the first problem of each row.
    """
    schema = rows.schema
    both = rows.with_columns(_value(field, schema).cast(TYPES[field.kind]).alias(field.made) for field in fields)
    problems = [(field, mask.fill_null(False), why) for field in fields for mask, why in _problems(field, schema)]
    never = pl.col(LINE).is_null()  # gives the mask its length where no field has a problem to look for
    bad = both.select(pl.any_horizontal(never, *(mask for _, mask, _ in problems))).to_series()
    good = both.select(LINE, *(pl.col(field.made).alias(field.name) for field in fields))
    if not bad.any():
        return good, pl.DataFrame()
    first = [pl.when(mask).then(pl.lit(place)) for place, (_, mask, _) in enumerate(problems)]
    rejected = both.filter(bad).with_columns(pl.coalesce(first).alias("__first__"))
    return good.filter(~bad), pl.concat(
        [
            _records(file, part, *problems[place[0]][::2])
            for place, part in rejected.group_by("__first__", maintain_order=True)
        ]
    )


def _records(file: str, rows: pl.DataFrame, field: Field, why: str) -> pl.DataFrame:
    return rows.select(
        pl.lit(file).alias("file"),
        pl.col(LINE).alias("line"),
        pl.lit(field.raw, dtype=pl.String).alias("column"),
        _shown(field, rows.schema).alias("value"),
        pl.lit(why).alias("reason"),
    )


def _shown(field: Field, schema: pl.Schema) -> pl.Expr:
    if field.raw is None:
        return pl.lit(None, dtype=pl.String)
    column = pl.col(field.raw)
    if isinstance(schema[field.raw], pl.List):
        return column.cast(pl.List(pl.String)).list.join("|", ignore_nulls=True)
    return column.cast(pl.String)


def _value(field: Field, schema: pl.Schema) -> pl.Expr:
    """The made value; null where the raw one is missing or wrong."""
    column = field.column
    if column is None:
        return pl.lit(None)
    if column.column is None:
        return pl.lit(column.value if TYPES[field.kind] != pl.String else str(column.value))
    raw, dtype = pl.col(column.column), schema[column.column]
    if field.kind == "texts":
        return _texts(raw, dtype, column.separator if isinstance(column, ListColumn) else None)
    if dtype.is_nested():
        raise SourceError(f"column {column.column!r} holds lists or structures: name a column of plain values")
    if field.kind == "number":
        return _number(raw, dtype)
    if field.kind == "whole":
        return _whole(raw, dtype)
    if field.kind == "flag":
        return _flag(raw, dtype)
    if field.kind == "time":
        return _time(raw, dtype, column if isinstance(column, TimeColumn) else TimeColumn(column=column.column))
    return _text(raw, dtype)


def _text(raw: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Text without blanks around it; an empty one is null, and so is a float's NaN."""
    if dtype.is_float():
        whole = raw.cast(pl.Int64, strict=False).cast(pl.String)
        return pl.when(raw.is_nan()).then(None).when(raw == raw.floor()).then(whole).otherwise(raw.cast(pl.String))
    if dtype != pl.String and not isinstance(dtype, pl.Categorical | pl.Enum):
        return raw.cast(pl.String)
    stripped = raw.cast(pl.String).str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def _number(raw: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Boolean or dtype.is_temporal():
        return pl.lit(None, dtype=pl.Float64)
    text = raw if dtype.is_numeric() else _text(raw, dtype)
    return text.cast(pl.Float64, strict=False)


def _whole(raw: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    number = _number(raw, dtype)
    exact = (number == number.floor()) & (number.abs() < WHOLE_FLOATS)
    from_number = pl.when(exact).then(number).cast(pl.Int64, strict=False)
    if dtype.is_integer():
        return raw.cast(pl.Int64, strict=False)
    if dtype.is_float() or dtype == pl.Boolean or dtype.is_temporal():
        return from_number
    return pl.coalesce(_text(raw, dtype).cast(pl.Int64, strict=False), from_number)


def _flag(raw: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    text = _text(raw, dtype).str.to_lowercase()
    return pl.when(text.is_in(TRUE)).then(True).when(text.is_in(FALSE)).then(False)


def _time(raw: pl.Expr, dtype: pl.DataType, column: TimeColumn) -> pl.Expr:
    """Seconds since 1970 UTC, parts of a second cut off."""
    if isinstance(dtype, pl.Datetime):
        seconds = raw if dtype.time_zone else _placed(raw, column.zone)
        return seconds.dt.epoch("s")
    if dtype == pl.Date:
        return _placed(raw.cast(pl.Datetime("us")), column.zone).dt.epoch("s")
    if column.format in ("seconds", "milliseconds"):
        number = _number(raw, dtype) / (1000 if column.format == "milliseconds" else 1)
        return number.floor().cast(pl.Int64, strict=False)
    text = _text(raw, dtype)
    if column.format == "iso":
        with_zone = text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
        naive = pl.coalesce([text.str.to_datetime(f, time_unit="us", strict=False) for f in ISO_FORMATS])
        return pl.coalesce(with_zone.dt.epoch("s"), _placed(naive, column.zone).dt.epoch("s"))
    if "%z" in column.format or "%:z" in column.format:
        return text.str.to_datetime(column.format, time_unit="us", time_zone="UTC", strict=False).dt.epoch("s")
    return _placed(text.str.to_datetime(column.format, time_unit="us", strict=False), column.zone).dt.epoch("s")


def _placed(naive: pl.Expr, zone: str) -> pl.Expr:
    """A wall clock's time in its zone: the earlier of two when clocks go back, null when they skip it."""
    return naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")


def _texts(raw: pl.Expr, dtype: pl.DataType, separator: str | None) -> pl.Expr:
    if isinstance(dtype, pl.List):
        entries = raw.cast(pl.List(pl.String))
    elif separator is not None:
        entries = _text(raw, dtype).str.split(separator)
    else:
        entries = pl.concat_list(_text(raw, dtype))
    element = pl.element().str.strip_chars()
    return entries.list.eval(element.filter(element != "")).fill_null([])


def _problems(field: Field, schema: pl.Schema) -> list[Problem]:
    """(mask, reason) of all that can be wrong with one field, over raw and made columns."""
    made = pl.col(field.made)
    found: list[Problem] = []
    if field.raw is not None and field.kind not in ("id", "text", "texts"):
        dtype = schema[field.raw]
        raw = pl.col(field.raw)
        given = raw.str.strip_chars() != "" if dtype == pl.String else raw.is_not_null()
        found.append((given & made.is_null(), f"is {WHAT[field.kind]}"))
    if field.required:
        found.append((made.is_null(), "is missing"))
    if field.kind == "number":
        found.append((~made.is_finite(), "is no finite number"))
    if field.kind == "time":
        found.append((~made.is_between(EARLIEST, LATEST), f"is {WHAT['time']}"))
    if field.known is not None:
        found.append((_unknown(field, made, field.known), "is not in the table it refers to"))
    elif field.kind == "id":
        found.append((made.str.contains(r"\p{Cc}"), "has a control character"))
        found.append((made.str.len_bytes() > ID_BYTES, f"is longer than {ID_BYTES} bytes"))
    return found + _bounds(field, made)


def _unknown(field: Field, made: pl.Expr, known: pl.Series) -> pl.Expr:
    if field.kind == "texts":
        return ~made.list.eval(pl.element().is_in(known.implode())).list.all()
    return ~made.is_in(known.implode())


def _bounds(field: Field, made: pl.Expr) -> list[Problem]:
    found: list[Problem] = []
    column = field.column if isinstance(field.column, NumberColumn) else None
    least = field.at_least if column is None or column.at_least is None else column.at_least
    if least is not None:
        found.append((made < least, f"is less than {least:g}"))
    if column is not None and column.above is not None:
        found.append((made <= column.above, f"is not above {column.above:g}"))
    return found
