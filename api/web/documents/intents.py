"""Shopping intents as the REST API tells them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

Source = Literal["table", "mined"]

GRILL: JsonDict = {
    "id": "grill-party",
    "sentence": "prepare for a grill party",
    "source": "table",
    "department": "Food, Beverages & Tobacco",
}


class ListedIntent(BaseModel):
    """`source`: the open table of intents, or mined from a browse tree."""

    model_config = ConfigDict(json_schema_extra={"examples": [GRILL]})

    id: str
    sentence: str
    source: Source
    department: str | None


class IntentsDocument(BaseModel):
    """One page of intents. `next` is the `after` of the next page; null on the last one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"intents": [GRILL], "next": "grill-party"}]})

    intents: list[ListedIntent]
    next: str | None


class FoundIntent(ListedIntent):
    """`score`: the cosine of what both mean, or Lucene's score of the words that both have."""

    model_config = ConfigDict(json_schema_extra={"examples": [GRILL | {"score": 0.81}]})

    score: float


class FoundIntentsDocument(BaseModel):
    """Intents like a text, the best first. `by` words where no encoder is at hand that could tell its meaning."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"q": "barbecue", "by": "meaning", "intents": [GRILL | {"score": 0.81}]}]}
    )

    q: str
    by: Literal["meaning", "words"]
    intents: list[FoundIntent]


class Need(BaseModel):
    """A browse node that an intent needs. `source`: who said so, the table, a tree or the encoder (model)."""

    id: str
    name: str | None
    score: Annotated[float, Field(description="1 is the most")]
    source: str


class ServingCategory(BaseModel):
    """A browse node that serves an intent. `rank`: 1 where the node serves no other intent with more confidence."""

    id: str
    name: str | None
    confidence: float
    rank: int
    source: Annotated[str, Field(description="who linked it: hand, table, queries or model")]


class IntentDocument(ListedIntent):
    """`says`: other ways to say it; `serving`: the best 20 of the `served_by` browse nodes of `tree` that serve it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                GRILL
                | {
                    "says": ["host a barbecue in the garden", "cookout with friends"],
                    "season": ["summer"],
                    "audience": [],
                    "tree": "complete-journey",
                    "needs": [{"id": "GROCERY/CHARCOAL", "name": "CHARCOAL", "score": 1.0, "source": "table"}],
                    "serving": [
                        {
                            "id": "GROCERY/CHARCOAL",
                            "name": "CHARCOAL",
                            "confidence": 0.9,
                            "rank": 1,
                            "source": "hand",
                        }
                    ],
                    "served_by": 1,
                }
            ]
        }
    )

    says: list[str]
    season: list[str]
    audience: list[str]
    tree: Annotated[str | None, Field(description="browse tree of `needs` and `serving`; null: nothing is linked yet")]
    needs: list[Need]
    serving: list[ServingCategory]
    served_by: int
