"""A session of somebody unknown, and what it is recommended."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator

from api.documents import RECOMMENDED, RecommendedDocument, shown
from api.web.documents.events import Kind, Moment, Number
from api.web.parameters import LONGEST_LIST, Id, Price, checked_filters
from cypher.filters import Filters
from cypher.variants import VariantName
from cypher.walk import NEIGHBOURS, TRIGGERS
from graph.events import IMPRESSION
from models.serving import SessionEvent


class SessionEventDocument(BaseModel):
    """What somebody did with an item; an impression is no interaction, and passed over."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"item": "1082185", "kind": "view", "time": "2026-01-31T12:00:00Z"}]},
    )

    item: Id = Field(description="id of an item")
    kind: Kind = Field("view", description="purchase, click, view, cart, rating, review or your own word")
    time: Moment | None = Field(None, description="ISO 8601 with its zone, or seconds since 1970 UTC")
    session: Id | None = Field(None, description="basket or session")
    quantity: Number | None = Field(None, description="pieces")
    value: Number | None = Field(None, description="spend or rating")


class SessionFilters(BaseModel):
    """Conditions that all items fulfil: as the parameters of the same names of the routes with GET."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"category": "GROCERY/SOFT DRINKS", "max_price": 5.0}]}
    )

    category: Id | None = None
    min_price: Annotated[Price, Field(strict=True)] | None = None
    max_price: Annotated[Price, Field(strict=True)] | None = None
    exclude: list[Id] = Field(default=[], max_length=LONGEST_LIST)

    def checked(self) -> Filters:
        return checked_filters(self.category, self.min_price, self.max_price, self.exclude)


class SessionRequest(BaseModel):
    """What somebody did: `events`, or only `items`, the oldest first. Nothing of it is stored."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"items": ["1082185", "1029743"], "k": 5},
                {
                    "events": [{"item": "1082185", "kind": "view", "time": "2026-01-31T12:00:00Z"}],
                    "filters": {"max_price": 5.0},
                    "explain": True,
                },
            ]
        },
    )

    events: Annotated[list[SessionEventDocument], Field(max_length=LONGEST_LIST)] | None = None
    items: Annotated[list[Id], Field(max_length=LONGEST_LIST)] | None = None
    k: StrictInt = Field(default=10, ge=1, le=1000, description="how many to return")
    m: StrictInt = Field(default=TRIGGERS, ge=1, le=1000, description="triggers: the items with the greatest weights")
    neighbours: StrictInt = Field(default=NEIGHBOURS, ge=1, le=1000, description="neighbours of each trigger: PDN's k")
    filters: SessionFilters = SessionFilters()
    repeats: StrictBool = Field(default=False, description="also what is in the session already")
    explain: StrictBool = Field(default=False, description="with every item its paths")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.events is None) == (self.items is None):
            raise ValueError("give events or items, and not both")
        return self

    def served(self) -> list[SessionEvent]:
        """The interactions as the networks take them, the oldest first; of those without times the order counts."""
        if self.events is None:
            return [SessionEvent(item) for item in self.items or ()]
        did = [one for one in self.events if one.kind != IMPRESSION]
        if all(one.time is not None for one in did):
            did.sort(key=lambda one: one.time or 0)
        return [SessionEvent(one.item, one.time, one.session, one.quantity, one.value) for one in did]


class SessionDocument(BaseModel):
    """`weights`: by the trained networks, or `uniform` where the graph has none: then every trigger weighs 1.

    `unknown` are the items of the session that the graph has not. `fallback` is there where no item is known: then all
    `items` are the most popular ones.
    """

    model_config = shown(
        {
            "generation": 3,
            "variant": "control",
            "weights": "network",
            "unknown": [],
            "items": [*RECOMMENDED],
        }
    )

    generation: int
    variant: VariantName
    weights: Literal["network", "uniform"]
    unknown: list[str]
    items: list[RecommendedDocument]
    fallback: Literal["popular"] | None = None
