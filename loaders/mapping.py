"""The mapping: which file and column of raw data becomes which column of `graph.schema.Tables`.

The built-in sources and anyone's own files (`tables`) use the same models; `docs/loading.md` explains each key.
"""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from graph import schema
from graph.errors import SourceError, one_line

HOLD_OUT = r"none|last|marked|days:[1-9]\d{0,4}"
PROFILE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
RESERVED = {*schema.USER, *schema.ITEM, "created", "direct", "embedding", "popularity", "weight"}
FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Model):
    """One column of a raw file, or one constant `value` for all rows."""

    column: str | None = None
    value: str | int | float | bool | None = None

    @model_validator(mode="after")
    def _names_one(self) -> "Column":
        if (self.column is None) == (self.value is None):
            raise ValueError("name either a column or a value")
        if self.column is not None and self.column.startswith("__"):
            raise ValueError("a column whose name starts with __ cannot be read: rename it")
        return self


class NumberColumn(Column):
    at_least: float | None = None
    above: float | None = None


class TimeColumn(Column):
    """`format`: iso, seconds, milliseconds (both since 1970 UTC) or a pattern such as `%d.%m.%Y %H:%M`.

    `zone` is the time zone of times that name none.
    """

    format: str = "iso"
    zone: str = "UTC"

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            pl.Series([], dtype=pl.Datetime).dt.replace_time_zone(zone)
        except pl.exceptions.PolarsError:
            raise ValueError("is no time zone: use a name such as Europe/Berlin") from None
        return zone


class ProfileColumn(Column):
    type: Literal["text", "whole", "number", "flag"] = "text"


class ListColumn(Column):
    """A list of texts: a list in JSON Lines and Parquet, elsewhere one text cut at `separator`."""

    separator: str | None = Field(None, min_length=1)


def _named(given: Any) -> Any:
    return {"column": given} if isinstance(given, str) else given


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


def _profile(given: Any) -> Any:
    return {name: name for name in given} if isinstance(given, list) else given


Plain = Annotated[Column, BeforeValidator(_named)]
Number = Annotated[NumberColumn, BeforeValidator(_named)]
Time = Annotated[TimeColumn, BeforeValidator(_named)]
Texts = Annotated[ListColumn, BeforeValidator(_named)]
# The tags say which of the two is meant; an error's place leaves them out.
BrowsePath = Annotated[
    Annotated[list[str], Tag("[columns]")] | Annotated[Texts, Tag("[column]")],
    Discriminator(lambda given: "[columns]" if isinstance(given, list) else "[column]"),
]
Profile = Annotated[
    dict[str, Annotated[ProfileColumn, BeforeValidator(_named)]], BeforeValidator(_profile), Field(default_factory=dict)
]


class TableMap(Model):
    """Where the rows of one table are and how their file is written.

    Attributes:
        file: a path or pattern (`events-*.csv`) or a list of them, relative to the mapping file.
        format: csv, tsv, jsonl, parquet, split (lines cut at `separator`, no quotes) or sequences (a user and then
            item ids in order, between blanks); left out: by the file's ending. `.gz` is unpacked.
        header: column names of a file whose first line is already data.
    """

    file: Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
    format: Literal["csv", "tsv", "jsonl", "parquet", "split", "sequences"] | None = None
    encoding: str = "utf-8"
    separator: str | None = Field(default=None, min_length=1)
    header: list[str] | None = Field(default=None, min_length=1)

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, encoding: str) -> str:
        try:
            "\n".encode(encoding)
        except (LookupError, UnicodeError):
            raise ValueError("is no known encoding") from None
        return encoding

    @model_validator(mode="after")
    def _separator_fits(self) -> "TableMap":
        if self.format == "split" and self.separator is None:
            raise ValueError("format split wants a separator")
        if self.format in ("split", "sequences") and "\n".encode(self.encoding) != b"\n":
            raise ValueError(f"format {self.format} cannot be of encoding {self.encoding}: save it as UTF-8")
        if self.format != "split" and self.separator is not None and len(self.separator) > 1:
            raise ValueError("a separator of several characters wants format split")
        return self

    def format_of(self, file: Path) -> str | None:
        """Format of one file; None where its ending says nothing."""
        return self.format or FORMATS.get(Path(file.name.removesuffix(".gz")).suffix.lower())


class UserColumns(Model):
    id: Plain


class ItemColumns(Model):
    id: Plain
    title: Plain | None = None
    brand: Plain | None = None
    price: Number | None = None
    available: Plain | None = None


class BrowseNodeColumns(Model):
    id: Plain
    name: Plain
    parent: Plain | None = None


class InteractionColumns(Model):
    user: Plain
    item: Plain
    kind: Plain = Column(value="purchase")
    position: Number | None = None
    time: Time | None = None
    session: Plain | None = None
    quantity: Number | None = None
    value: Number | None = None
    place: Plain | None = None
    held_out: Plain | None = None


class ExposureColumns(Model):
    item: Plain
    place: Plain
    week: Plain
    display: Plain | None = None
    mailer: Plain | None = None


class _Profiled(TableMap):
    profile: Profile

    @field_validator("profile")
    @classmethod
    def _names_are_free(cls, profile: dict[str, ProfileColumn]) -> dict[str, ProfileColumn]:
        for name in profile:
            taken = name in RESERVED or name.startswith(("direct_", "weight_"))
            if taken or not PROFILE_NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot be a profile field: use another name of a-z, 0-9 and _")
        return profile


class UserTable(_Profiled):
    columns: UserColumns


class Browse(Model):
    """An item's place in the browse tree.

    Attributes:
        path: names from the top of the tree down: several columns, or one column that holds a list.
        labels: one column that holds a list of names, each a top node of its own (genres, tags).
        nodes: one column that holds ids of the table `browse_nodes`.
    """

    path: BrowsePath | None = None
    labels: Texts | None = None
    nodes: Texts | None = None


class ItemTable(_Profiled):
    columns: ItemColumns
    browse: Browse = Browse()
    price_from_interactions: bool = False  # median of value / quantity over the training rows

    @model_validator(mode="after")
    def _one_price(self) -> "ItemTable":
        if self.price_from_interactions and self.columns.price is not None:
            raise ValueError("name either columns.price or price_from_interactions")
        return self


class BrowseNodeTable(TableMap):
    columns: BrowseNodeColumns


class InteractionTable(TableMap):
    columns: InteractionColumns
    unknown_users: Literal["reject", "make"] | None = None  # None: make where there is no users table
    unknown_items: Literal["reject", "make"] | None = None


class ExposureTable(TableMap):
    columns: ExposureColumns


class SourceMap(Model):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    note: str = ""
    min_buyers: int = Field(1, ge=1)
    hold_out: str = Field("none", pattern=f"^({HOLD_OUT})$")
    first_week: int | None = None

    @field_validator("first_week", mode="before")
    @classmethod
    def _seconds(cls, given: Any) -> Any:
        if isinstance(given, datetime):
            return int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp())
        if isinstance(given, date):
            return int(datetime(given.year, given.month, given.day, tzinfo=UTC).timestamp())
        return given


class Mapping(Model):
    """All tables of one source."""

    source: SourceMap
    users: UserTable | None = None
    items: ItemTable | None = None
    browse_nodes: BrowseNodeTable | None = None
    interactions: InteractionTable
    exposures: ExposureTable | None = None

    @model_validator(mode="after")
    def _tables_fit(self) -> "Mapping":
        if self.exposures and self.source.first_week is None:
            raise ValueError("exposures want source.first_week, the start of week 1")
        if self.items and self.items.browse.nodes and self.browse_nodes is None:
            raise ValueError("items.browse.nodes wants the table browse_nodes")
        check_hold_out(self.source.hold_out, self.interactions.columns)
        return self


def check_hold_out(protocol: str, columns: InteractionColumns) -> None:
    """Raise `ValueError` where these columns cannot carry the hold-out `protocol`."""
    if not re.fullmatch(HOLD_OUT, protocol):
        raise ValueError(f"hold_out {protocol!r}: use none, last, marked or days:N with N from 1 to 99999")
    if protocol.startswith("days") and columns.time is None:
        raise ValueError(f"hold_out {protocol} wants the column interactions.columns.time")
    if protocol == "marked" and columns.held_out is None:
        raise ValueError("hold_out marked wants the column interactions.columns.held_out")


def read_mapping(path: Path) -> Mapping:
    """Read a YAML mapping file. Raises `SourceError` with one line that names the file and the key."""
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(f"mapping file {path}: {error.strerror}: give the path of a YAML file") from None
    except UnicodeDecodeError:
        raise SourceError(f"mapping file {path} is not UTF-8 text: save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise SourceError(f"mapping file {path}{where}: not YAML: {getattr(error, 'problem', None) or error}") from None
    try:
        return Mapping.model_validate(given)
    except ValidationError as error:
        raise SourceError(f"mapping file {path}: {one_line(error)}") from None
