"""Events as clients send them, and what they are told of each."""

import json
import math
import time
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from api.web.parameters import Id
from graph.events import Event

AHEAD = 300  # seconds that a client's clock may be ahead of the server's
GREATEST = 1e15  # of a quantity or value: exact as a float
EXAMPLE: dict[str, Any] = {
    "key": "order-17/1",
    "user": "1",
    "item": "1082185",
    "kind": "purchase",
    "time": "2026-03-01T17:20:00Z",
    "session": "order-17",
    "quantity": 2,
    "value": 3.98,
}


def _seconds(given: object) -> object:
    """Whole seconds since 1970 UTC of a number of seconds, or of an ISO 8601 time with its zone."""
    if isinstance(given, str):
        try:
            moment = datetime.fromisoformat(given)
        except ValueError:
            raise ValueError("no ISO 8601 time such as 2026-03-01T17:20:00Z, and no number of seconds") from None
        if moment.tzinfo is None:
            raise ValueError("the time names no zone: end it by Z or +01:00")
        given = moment.timestamp()
    if isinstance(given, bool) or not isinstance(given, int | float):
        return given
    if given < 0:
        raise ValueError("the time lies before 1970")
    if given > time.time() + AHEAD:
        raise ValueError(f"the time lies more than {AHEAD // 60} minutes in the future")
    return math.floor(given)


def _positive_zero(given: Any) -> Any:
    return 0.0 if given == 0 and not isinstance(given, bool) else given


Kind = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z]+(-[a-z]+)*$")]
Moment = Annotated[
    int,
    BeforeValidator(_seconds),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "number", "minimum": 0}]}),
]
# The bounds come first: after a validator they would be missing in the OpenAPI document.
Number = Annotated[float, Field(ge=-GREATEST, le=GREATEST, allow_inf_nan=False), BeforeValidator(_positive_zero)]


class EventDocument(BaseModel):
    """One thing that a user did with an item."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [EXAMPLE]})

    key: Id = Field(description="the client's own name of the event, unique for ever: sent again, it counts once")
    user: Id = Field(description="id of a user, who is made if unknown")
    item: Id = Field(description="id of an item of the catalogue")
    kind: Kind = Field(
        description="purchase, click, view, cart, rating, review or your own word; an impression is no interaction"
    )
    time: Moment | None = Field(None, description="ISO 8601 with its zone, or seconds since 1970 UTC; left out: now")
    session: Id | None = Field(None, description="basket or session")
    quantity: Number | None = Field(None, description="pieces")
    value: Number | None = Field(None, description="spend or rating")
    place: Id | None = Field(None, description="shop")
    variant: Literal["control", "challenger"] | None = Field(None, description="the experiment's arm that led to it")

    def event(self) -> Event:
        content = self.model_dump(exclude_none=True)
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return Event(digest=sha256(canonical.encode()).hexdigest(), **content)


class EventResult(BaseModel):
    """`repeated`: it took effect before, and has none now."""

    key: str = Field(examples=["order-17/1"])
    status: Literal["accepted", "repeated"] = Field(examples=["accepted"])


class EventsReply(BaseModel):
    """How many took effect now and how many before; `results` in the order of the request."""

    accepted: int = Field(examples=[1])
    repeated: int = Field(examples=[0])
    results: list[EventResult]


class RejectedLine(BaseModel):
    """`key` is null where the line has none that can be read."""

    line: int = Field(examples=[3], description="1 is the first line")
    key: str | None = Field(examples=["order-19/1"])
    detail: str = Field(examples=["not in the graph: item '404'"])


class StreamReply(BaseModel):
    """What became of the lines of a stream. `refused` counts all lines that were rejected, `rejected` has the first."""

    accepted: int = Field(default=0, examples=[1999])
    repeated: int = Field(default=0, examples=[0])
    refused: int = Field(default=0, examples=[1])
    rejected: list[RejectedLine] = []
