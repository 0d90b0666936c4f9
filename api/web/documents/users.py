"""What the REST API tells of a user."""

from typing import Any

from pydantic import BaseModel
from pydantic.config import JsonDict

from api.documents import shown
from cypher.explain import ExplainedPath
from cypher.history import HistoryItem
from cypher.pursued import PursuedIntent
from cypher.triggers import Trigger
from cypher.user_complements import NeededItem
from cypher.users import ListedUser
from cypher.variants import VariantName

# FastAPI leaves nulls out of examples, so these have none.
TIME = "2017-12-02T00:00:00Z"
BANANAS: JsonDict = {"id": "1082185", "title": "Bananas"}
NEED: JsonDict = {"id": "GROCERY/CONDIMENTS", "name": "CONDIMENTS", "score": 0.9}


class UsersDocument(BaseModel):
    """Users in the order of their ids."""

    model_config = shown({"users": [{"id": "1", "items": 332}, {"id": "10", "items": 210}]})

    users: list[ListedUser]


class UserDocument(BaseModel):
    """`items` that the user had, `triggers` of them with a weight in `generation`, which is null where none is live.

    `profile` has the user's features by their names.
    """

    model_config = shown(
        {
            "id": "1",
            "items": 332,
            "triggers": 332,
            "generation": 3,
            "variant": "control",
            "profile": {"age": "65+", "household_size": "2"},
        }
    )

    id: str
    items: int
    triggers: int
    generation: int | None
    variant: VariantName | None
    profile: dict[str, Any]


class TriggersDocument(BaseModel):
    """What a user's recommendations start from, the strongest first: `weight` = e^t."""

    model_config = shown(
        {
            "user": "1",
            "generation": 3,
            "variant": "control",
            "triggers": [{**BANANAS, "weight": 0.1875, "count": 12, "last_time": TIME, "last_position": 331}],
        }
    )

    user: str
    generation: int
    variant: VariantName
    triggers: list[Trigger]


class HistoryDocument(BaseModel):
    """What a user had, the newest first."""

    model_config = shown(
        {
            "user": "1",
            "items": [{**BANANAS, "kind": "purchase", "count": 12, "last_time": TIME, "last_position": 331}],
        }
    )

    user: str
    items: list[HistoryItem]


class PursuedDocument(BaseModel):
    """What a user is up to, the best first."""

    model_config = shown(
        {
            "user": "1",
            "intents": [
                {
                    "id": "prepare-for-a-grill-party",
                    "sentence": "prepare for a grill party",
                    "score": 11.4,
                    "recency": 0.95,
                    "activeness": 12,
                    "first_time": "2017-05-01T00:00:00Z",
                    "last_time": TIME,
                    "had": [{"id": "MEAT/BEEF", "name": "BEEF"}],
                    "needs": [NEED],
                }
            ],
        }
    )

    user: str
    intents: list[PursuedIntent]


class NeededDocument(BaseModel):
    """Items that complete what a user is up to, each with its reason; `path` 0: it came by popularity."""

    model_config = shown(
        {
            "user": "1",
            "generation": 3,
            "variant": "control",
            "items": [
                {
                    "id": "1075470",
                    "title": "Ketchup, 24 oz",
                    "path": 0.25,
                    "category": NEED["id"],
                    "category_name": NEED["name"],
                    "intent": "prepare-for-a-grill-party",
                    "sentence": "prepare for a grill party",
                    "need": 0.9,
                }
            ],
        }
    )

    user: str
    generation: int | None
    variant: VariantName | None
    items: list[NeededItem]


class ExplanationDocument(BaseModel):
    """`score` = `direct` + the sum of the served `paths`, which come first, the strongest first.

    `repeat_power` is what the `trigger_weight` of a path from the item to itself was raised to.
    """

    model_config = shown(
        {
            "user": "1",
            "item": "1127831",
            "title": "Strawberries, 16 oz",
            "generation": 3,
            "variant": "control",
            "repeat_power": 1.0,
            "score": 0.3361,
            "direct": 0.2045,
            "paths": [
                {
                    "trigger": "1029743",
                    "trigger_title": "Milk, 1 gal",
                    "trigger_weight": 0.1875,
                    "similar_weight": 0.75,
                    "path": 0.1316,
                    "served": True,
                    "share": 0.3915,
                    "trigger_rank": 1,
                    "similar_rank": 2,
                }
            ],
        }
    )

    user: str
    item: str
    title: str | None
    generation: int
    variant: VariantName
    repeat_power: float
    score: float
    direct: float
    paths: list[ExplainedPath]
