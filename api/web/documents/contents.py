"""Contents and their ranking, as the REST API takes and tells them."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

from api.documents import shown
from api.web.parameters import LONGEST_LIST, Id
from cypher.contents import RankedContent

TOTAL = 10_000  # items of a request

Embedding = Literal["intent", "baseline"]


class ContentsRequest(BaseModel):
    """`contents`: lists of item ids by a name of your own; left out: the shelves of the store's browse tree."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"user": "1", "contents": {"grill": ["1082185", "1029743"], "bakery": ["995242"]}, "k": 2},
                {"user": "1", "embedding": "baseline"},
            ]
        },
    )

    user: Annotated[Id, Field(description="id of a user")]
    contents: Annotated[
        dict[Id, Annotated[list[Id], Field(max_length=LONGEST_LIST)]] | None,
        Field(
            min_length=1,
            max_length=LONGEST_LIST,
            description=f"{TOTAL:,} items in all at most",
            json_schema_extra={"additionalProperties": False},  # its names are patterns in the document
        ),
    ] = None
    k: Annotated[StrictInt, Field(ge=1, le=1000, description="how many to return")] = 10
    embedding: Annotated[
        Embedding, Field(description="intent: vectors by the encoder of intents; baseline: by the untuned one")
    ] = "intent"

    @model_validator(mode="after")
    def _are_not_too_many(self) -> Self:
        if sum(len(items) for items in (self.contents or {}).values()) > TOTAL:
            raise ValueError(f"contents: more than {TOTAL:,} items in all: send fewer at a time")
        return self


class RankedContentsDocument(BaseModel):
    """The contents that mean most to a user, the best first; none for a user who had nothing yet.

    `items` of a content that could be compared; `score`: the dot product of their mean vector and the user's.
    """

    model_config = shown(
        {
            "user": "1",
            "embedding": "intent",
            "contents": [
                {"id": "grill", "name": "grill", "items": 2, "score": 0.61},
                {"id": "bakery", "name": "bakery", "items": 1, "score": 0.48},
            ],
        }
    )

    user: str
    embedding: Embedding
    contents: list[RankedContent]
