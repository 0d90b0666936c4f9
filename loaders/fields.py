"""The fields of each table: what its mapping says, in the types and with the checks that `graph.schema` asks for."""

from collections.abc import Mapping

import polars as pl

from graph import schema
from loaders.check import Field
from loaders.mapping import (
    BrowseNodeTable,
    Column,
    ExposureTable,
    InteractionTable,
    ItemTable,
    ProfileColumn,
    UserTable,
)

KINDS = {pl.String: "text", pl.Float64: "number", pl.Int64: "whole", pl.Boolean: "flag"}
NOT_BELOW = {"position": 0, "price": 0, "quantity": 0, "week": 1}


def of_users(table: UserTable) -> list[Field]:
    return [Field("id", "id", table.columns.id, required=True), *_profile(table.profile)]


def of_items(table: ItemTable, nodes: pl.Series | None) -> list[Field]:
    """`nodes`: ids of the source's own browse nodes. Columns for the browse tree have names in underscores."""
    columns = table.columns
    found = [
        Field("id", "id", columns.id, required=True),
        *(_field(name, getattr(columns, name), schema.ITEM) for name in schema.ITEM if name != "id"),
        *_profile(table.profile),
    ]
    browse = table.browse
    if isinstance(browse.path, list):
        found += [Field(step, "text", Column(column=name)) for step, name in _steps(browse.path).items()]
    elif browse.path is not None:
        found.append(Field("__path__", "texts", browse.path))
    if browse.labels is not None:
        found.append(Field("__labels__", "texts", browse.labels))
    if browse.nodes is not None:
        found.append(Field("__nodes__", "texts", browse.nodes, known=nodes))
    return found


def of_browse_nodes(table: BrowseNodeTable) -> list[Field]:
    columns = table.columns
    return [
        Field("id", "id", columns.id, required=True),
        Field("name", "text", columns.name, required=True),
        Field("parent", "id", columns.parent),
    ]


def of_interactions(table: InteractionTable, users: pl.Series | None, items: pl.Series | None) -> list[Field]:
    """`users`, `items`: the only ids that an interaction may name; None: any."""
    columns = table.columns
    found = [
        Field("user", "id", columns.user, required=True, known=users),
        Field("item", "id", columns.item, required=True, known=items),
    ]
    required = {"kind", "position" if columns.position else "time" if columns.time else "kind"}
    for name in schema.INTERACTION:
        if name == "time":
            found.append(Field(name, "time", columns.time, required=name in required))
        elif name not in ("user", "item"):
            found.append(_field(name, getattr(columns, name), schema.INTERACTION, required=name in required))
    if columns.held_out is not None:
        found.append(Field("held_out", "flag", columns.held_out))
    return found


def of_exposures(table: ExposureTable, items: pl.Series) -> list[Field]:
    columns = table.columns
    found = [Field("item", "id", columns.item, required=True, known=items)]
    for name in schema.EXPOSURE:
        if name != "item":
            found.append(_field(name, getattr(columns, name), schema.EXPOSURE, required=name in ("place", "week")))
    return found


def join_path(rows: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Make `__path__` from the columns of a path; it ends before the first that is null."""
    steps = list(_steps(columns))
    kept, whole = [], pl.lit(True)
    for step in steps:
        whole = whole & pl.col(step).is_not_null()
        kept.append(pl.when(whole).then(pl.col(step)))
    return rows.with_columns(pl.concat_list(kept).list.drop_nulls().alias("__path__")).drop(steps)


def _steps(columns: list[str]) -> dict[str, str]:
    return {f"__path_{level}__": name for level, name in enumerate(columns)}


def _profile(profile: dict[str, ProfileColumn]) -> list[Field]:
    return [Field(name, column.type, column) for name, column in profile.items()]


def _field(name: str, column: Column | None, table: Mapping[str, type[pl.DataType]], required: bool = False) -> Field:
    kind = KINDS[table[name]]
    return Field(name, kind, column, required=required, at_least=NOT_BELOW.get(name))  # type: ignore[arg-type]
