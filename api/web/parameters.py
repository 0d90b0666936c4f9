"""Parameters that several routes share, with their bounds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema

from api.engines import CypherEngine, Engine, ProjectionEngine
from api.web.live import LiveNetworks
from cypher.filters import Filters
from graph.driver import Database
from graph.errors import Invalid

LONGEST_ID = 256  # characters
LONGEST_LIST = 1000
GREATEST_PRICE = 1e12


def _plain(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("control characters are not allowed")
    return text


@dataclass(frozen=True)
class Checked:
    """What a text must be beyond its length: `check` raises `ValueError`, `pattern` tells the OpenAPI document."""

    check: Callable[[str], str]
    pattern: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | {"pattern": self.pattern}


Plain = Checked(_plain, r"^[^\x00-\x1F\x7F]*$")  # may be stored and told back
Id = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_ID), Plain]

User = Annotated[str, Path(min_length=1, max_length=LONGEST_ID, examples=["1"], description="id of a user"), Plain]
Item = Annotated[
    str, Path(min_length=1, max_length=LONGEST_ID, examples=["1082185"], description="id of an item"), Plain
]
Node = Annotated[
    str, Path(min_length=1, max_length=LONGEST_ID, examples=["GROCERY"], description="id of a browse node"), Plain
]
K = Annotated[int, Query(ge=1, le=1000, description="how many to return")]
M = Annotated[int, Query(ge=1, le=1000, description="triggers: the user's interactions with the greatest weights")]
Neighbours = Annotated[int, Query(ge=1, le=1000, description="neighbours of each trigger: PDN's k")]
Price = Annotated[float, Field(ge=0, le=GREATEST_PRICE, allow_inf_nan=False)]


async def _filters(
    category: Annotated[
        Id | None,
        Query(description="id of a browse node: only items in it or below it", examples=["GROCERY/SOFT DRINKS"]),
    ] = None,
    min_price: Annotated[Price | None, Query(description="least price; items without a price are left out")] = None,
    max_price: Annotated[Price | None, Query(description="greatest price; items without a price are left out")] = None,
    exclude: Annotated[
        list[Id] | None,
        Query(max_length=LONGEST_LIST, description="id of an item to leave out; may come again and again"),
    ] = None,
) -> Filters:
    return checked_filters(category, min_price, max_price, exclude or ())


def checked_filters(
    category: str | None, min_price: float | None, max_price: float | None, exclude: list[str] | tuple[str, ...]
) -> Filters:
    """Raises `Invalid` where no price can fulfil both bounds."""
    if min_price is not None and max_price is not None and min_price > max_price:
        raise Invalid(f"min_price {min_price:g} is above max_price {max_price:g}: no item can have such a price")
    return Filters(category, min_price, max_price, tuple(exclude))


Filtered = Annotated[Filters, Depends(_filters)]


async def _database(request: Request) -> Database:
    database: Database = request.app.state.connection.database
    return database


Opened = Annotated[Database, Depends(_database)]


async def _engine(request: Request) -> Engine:
    projections, database = request.app.state.projections, request.app.state.connection.database
    return CypherEngine(database) if projections is None else ProjectionEngine(database, projections)


Asked = Annotated[Engine, Depends(_engine)]


async def _live(request: Request) -> LiveNetworks:
    live: LiveNetworks = request.app.state.live
    return live


Live = Annotated[LiveNetworks, Depends(_live)]
