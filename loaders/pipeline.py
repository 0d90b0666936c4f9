"""From a mapping and raw files to checked tables: the one way that every source takes."""

from collections.abc import Callable
from collections.abc import Mapping as Named
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from graph import schema
from graph.errors import SourceError
from graph.progress import step
from graph.schema import Source, Tables
from graph.settings import Settings
from loaders import fields
from loaders.batches import LINE
from loaders.browse import Tree, place, rank
from loaders.check import Field, check
from loaders.files import find_files, read
from loaders.mapping import Browse, ListColumn, Mapping, TableMap, check_hold_out
from loaders.quarantine import Quarantine
from loaders.split import hold_out as split

FILE = "__file__"
Derive = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class Recipe:
    """A source that is ready to read.

    Attributes:
        folder: what the mapping's files are relative to.
        derive: for a table by name, what adds columns to its raw rows before they are mapped.
    """

    mapping: Mapping
    folder: Path
    derive: Named[str, Derive] = field(default_factory=dict)


@dataclass
class Count:
    """Rows of one table: read + made = stored + quarantined + duplicates.

    `duplicates` are rows that repeat a stored user, item or browse node; `made` are users and items that
    stand in interactions only. Held-out interactions count as stored.
    """

    read: int = 0
    stored: int = 0
    quarantined: int = 0
    duplicates: int = 0
    made: int = 0


@dataclass(frozen=True)
class Loaded:
    """What a load gives: checked tables, counts by table name, and the file of rejected rows if there are any."""

    tables: Tables
    counts: dict[str, Count]
    quarantine: Path | None


def build(recipe: Recipe, settings: Settings, hold_out: str | None = None) -> Loaded:
    """Read, check and split one source. Raises `SourceError` where a file or the mapping is wrong as a whole."""
    mapping = recipe.mapping
    protocol = hold_out or mapping.source.hold_out
    try:
        check_hold_out(protocol, mapping.interactions.columns)
    except ValueError as error:
        raise SourceError(f"source {mapping.source.id}: {error}") from None
    quarantine = Quarantine(settings.quarantine_folder / f"{mapping.source.id}.jsonl")
    reading = _Load(recipe, quarantine)
    tables = reading.tables(protocol)
    written = quarantine.write()
    for table, count in reading.counts.items():
        if count.read and not count.stored:
            raise SourceError(
                f"source {mapping.source.id}: none of the {count.read} rows of {table} is good: see {written}"
            )
    if not reading.counts["interactions"].stored:
        raise SourceError(
            f"source {mapping.source.id}: there is no interaction: correct the mapping's key interactions.file"
        )
    return Loaded(tables, reading.counts, written)


class _Load:
    """One load: tables are read in the order of their references."""

    def __init__(self, recipe: Recipe, quarantine: Quarantine) -> None:
        self.recipe, self.mapping, self.quarantine = recipe, recipe.mapping, quarantine
        self.counts: dict[str, Count] = {}

    def tables(self, protocol: str) -> Tables:
        mapping = self.mapping
        nodes = self._browse_nodes()
        items, tree = self._items(nodes)
        users = self._nodes("users", mapping.users, fields.of_users(mapping.users)) if mapping.users else None
        events = self._interactions(users, items)
        marked = events["held_out"] if "held_out" in events.columns else None
        users = self._complete("users", users, events["user"])
        items = self._complete("items", items, events["item"])
        train, held_out = split(events.select(list(schema.INTERACTION)), protocol, marked)
        if mapping.items and mapping.items.price_from_interactions:
            items = _price(items, train)
        given = mapping.source
        source = Source(
            id=given.id,
            user_profile=tuple(mapping.users.profile) if mapping.users else (),
            item_profile=tuple(mapping.items.profile) if mapping.items else (),
            protocol=protocol,
            min_buyers=given.min_buyers,
            first_week=given.first_week,
            note=given.note,
        )
        return Tables(
            source=source,
            users=users,
            items=items,
            interactions=train,
            browse_nodes=tree.browse_nodes,
            in_category=tree.in_category,
            child_of=tree.child_of,
            held_out=held_out,
            exposures=self._exposures(items["id"]),
        )

    def _browse_nodes(self) -> pl.DataFrame | None:
        table = self.mapping.browse_nodes
        if table is None:
            return None
        ranked = rank(self._numbered("browse_nodes", table, fields.of_browse_nodes(table)))
        lost = ranked.filter(pl.col("level").is_null())
        column = table.columns.parent.column if table.columns.parent else None
        self._reject("browse_nodes", lost, column, pl.col("parent"), pl.lit("does not lead up to a top node"))
        return ranked.filter(pl.col("level").is_not_null()).drop(LINE, FILE)

    def _items(self, nodes: pl.DataFrame | None) -> tuple[pl.DataFrame | None, Tree]:
        table = self.mapping.items
        if table is None:
            return None, place(pl.DataFrame(schema=schema.ITEM), Browse(), nodes)
        rows = self._nodes("items", table, fields.of_items(table, None if nodes is None else nodes["id"]))
        if isinstance(table.browse.path, list):
            rows = fields.join_path(rows, table.browse.path)
        items = rows.select(*schema.ITEM, *table.profile).with_columns(
            pl.col("title").fill_null(pl.col("id")), pl.col("available").fill_null(True)
        )
        return items, place(rows, table.browse, nodes)

    def _interactions(self, users: pl.DataFrame | None, items: pl.DataFrame | None) -> pl.DataFrame:
        table = self.mapping.interactions
        known_users = None if users is None or table.unknown_users == "make" else users["id"]
        known_items = None if items is None or table.unknown_items == "make" else items["id"]
        rows = self._rows(
            "interactions", table, fields.of_interactions(table, known_users, known_items), numbered=False
        )
        if table.columns.position is None and table.columns.time is None:
            rows = rows.with_columns(pl.int_range(pl.len()).over("user").alias("position"))
        return rows

    def _exposures(self, items: pl.Series) -> pl.DataFrame | None:
        table = self.mapping.exposures
        if table is None:
            return None
        return self._rows("exposures", table, fields.of_exposures(table, items), numbered=False)

    def _complete(self, name: str, table: pl.DataFrame | None, ids: pl.Series) -> pl.DataFrame:
        """Add a row for each id that stands in interactions only."""
        if table is None:
            table = pl.DataFrame(schema=schema.USER if name == "users" else schema.ITEM)
            self.counts[name] = Count()
        made = (
            ids.unique(maintain_order=True)
            .to_frame("id")
            .join(table.select("id"), on="id", how="anti", maintain_order="left")
        )
        if made.is_empty():
            return table
        if name == "items":
            made = made.with_columns(pl.col("id").alias("title"), pl.lit(True).alias("available"))
        self.counts[name].made += made.height
        self.counts[name].stored += made.height
        return pl.concat([table, made], how="diagonal")

    def _rows(self, name: str, table: TableMap, wanted: list[Field], numbered: bool) -> pl.DataFrame:
        """Good rows of all files of one table; `numbered`: with `LINE` and `FILE`."""
        count = self.counts[name] = Count()
        derive = self.recipe.derive.get(name)
        raws = list(dict.fromkeys(one.raw for one in wanted if one.raw is not None))
        lists = {one.raw: one.column.separator for one in wanted if one.raw and isinstance(one.column, ListColumn)}
        found = []
        paths = find_files(table, self.recipe.folder)
        with step(f"Read {name} of {self.mapping.source.id}", 100.0 * len(paths)) as shown:
            for path in paths:
                for batch in read(path, table, None if derive else raws, lists):
                    try:
                        good, rejected = check(batch.file, derive(batch.rows) if derive else batch.rows, wanted)
                    except pl.exceptions.PolarsError as error:  # a type in Parquet that nothing can be made of
                        raise SourceError(f"file {path}: {str(error).splitlines()[0]}: correct the mapping") from None
                    count.read += batch.rows.height + batch.broken.height
                    count.quarantined += self.quarantine.add(name, batch.broken) + self.quarantine.add(name, rejected)
                    found.append(good.with_columns(pl.lit(batch.file).alias(FILE)) if numbered else good.drop(LINE))
                    shown.advance(100 * batch.share)
        rows = pl.concat(found)
        count.stored = rows.height
        return rows

    def _nodes(self, name: str, table: TableMap, wanted: list[Field]) -> pl.DataFrame:
        return self._numbered(name, table, wanted).drop(LINE, FILE)

    def _numbered(self, name: str, table: TableMap, wanted: list[Field]) -> pl.DataFrame:
        """Rows with every id once, with `LINE` and `FILE`: the first row stays, others are duplicates or rejected."""
        rows = self._rows(name, table, wanted, numbered=True)
        is_first = rows["id"].is_first_distinct()
        first, later = rows.filter(is_first), rows.filter(~is_first)
        if later.is_empty():
            return first
        pairs = later.join(first, on="id", how="left", suffix="__first__", maintain_order="left")
        same = pl.all_horizontal(
            pl.lit(True),
            *(_as_plain(one, "").eq_missing(_as_plain(one, "__first__")) for one in wanted if one.name != "id"),
        )
        other = pairs.filter(~same)
        self.counts[name].duplicates += pairs.height - other.height
        self.counts[name].stored -= pairs.height - other.height
        reason = pl.format("has other content than the same id in {}, line {}", f"{FILE}__first__", f"{LINE}__first__")
        self._reject(name, other, wanted[0].raw, pl.col("id"), reason)
        return first

    def _reject(self, name: str, rows: pl.DataFrame, column: str | None, value: pl.Expr, reason: pl.Expr) -> None:
        """Quarantine rows that were taken for good."""
        rejected = rows.select(
            pl.col(FILE).alias("file"),
            pl.col(LINE).alias("line"),
            pl.lit(column, dtype=pl.String).alias("column"),
            value.alias("value"),
            reason.alias("reason"),
        )
        count = self.quarantine.add(name, rejected)
        self.counts[name].quarantined += count
        self.counts[name].stored -= count


def _as_plain(one: Field, suffix: str) -> pl.Expr:
    column = pl.col(one.name + suffix)
    return column.list.join("\x1f") if one.kind == "texts" else column


def _price(items: pl.DataFrame, train: pl.DataFrame) -> pl.DataFrame:
    """Set `price` to the median price of a piece over the training rows; null for what they never sell."""
    sold = train.filter(pl.col("quantity") > 0, pl.col("value").is_not_null())
    prices = sold.group_by("item").agg((pl.col("value") / pl.col("quantity")).median().alias("price"))
    found = items.drop("price").join(prices, left_on="id", right_on="item", how="left", maintain_order="left")
    return found.select(items.columns)
