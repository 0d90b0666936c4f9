"""What the REST API tells of shopping intents."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field
from pydantic.config import JsonDict

from api.documents import shown
from cypher.intent import Need, ServingCategory
from cypher.intents import IntentSource, ListedIntent
from cypher.intents_by_meaning import FoundIntent

GRILL: JsonDict = {
    "id": "grill-party",
    "sentence": "prepare for a grill party",
    "source": "table",
    "department": "Food, Beverages & Tobacco",
}


class IntentsDocument(BaseModel):
    """One page of intents. `next` is the `after` of the next page; null on the last one."""

    model_config = shown({"intents": [GRILL], "next": "grill-party"})

    intents: list[ListedIntent]
    next: str | None


class FoundIntentsDocument(BaseModel):
    """Intents like a text, the best first, `by` what it means, or by words where no encoder is at hand.

    `score`: the cosine of both meanings, or Lucene's score of the words that both have.
    """

    model_config = shown({"q": "barbecue", "by": "meaning", "intents": [{**GRILL, "score": 0.81}]})

    q: str
    by: Literal["meaning", "words"]
    intents: list[FoundIntent]


class IntentDocument(BaseModel):
    """`says`: other ways to say it; `serving`: the best 20 of the `served_by` browse nodes of `tree` that serve it."""

    model_config = shown(
        {
            **GRILL,
            "says": ["host a barbecue in the garden", "cookout with friends"],
            "season": ["summer"],
            "audience": [],
            "tree": "complete-journey",
            "needs": [{"id": "MEAT/BEEF", "name": "BEEF", "score": 1.0, "source": "table"}],
            "serving": [
                {
                    "id": "GROCERY/SOFT DRINKS",
                    "name": "SOFT DRINKS",
                    "confidence": 0.59,
                    "rank": 3,
                    "source": "hand",
                }
            ],
            "served_by": 1,
        }
    )

    id: str
    sentence: str
    source: IntentSource
    department: str | None
    says: list[str]
    season: list[str]
    audience: list[str]
    tree: Annotated[str | None, Field(description="browse tree of `needs` and `serving`; null: nothing is linked yet")]
    needs: list[Need]
    serving: list[ServingCategory]
    served_by: int
