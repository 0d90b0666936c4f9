"""What the REST API tells of items."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic.config import JsonDict

from api.documents import shown
from cypher.item import ItemCategory
from cypher.item_complements import ComplementaryItem
from cypher.popular import ListedItem

BANANAS: JsonDict = {
    "id": "1082185",
    "title": "Bananas",
    "brand": "National",
    "price": 0.59,
    "popularity": 2210,
    "created": "2017-01-01T00:00:00Z",
}


class ItemsDocument(BaseModel):
    """Available items in the order that was asked for."""

    model_config = shown({"items": [BANANAS]})

    items: list[ListedItem]


class ItemDocument(BaseModel):
    """`popularity`: users who had it; `created`: when it was put into the catalogue, or had first.

    `profile` has the item's features by their names; each path of `categories` goes from the top of the tree down.
    """

    model_config = shown(
        {
            **BANANAS,
            "available": True,
            "profile": {"package_size": "40 LB"},
            "categories": [
                {
                    "id": "PRODUCE/TROPICAL FRUIT/BANANAS",
                    "name": "BANANAS",
                    "path": "PRODUCE > TROPICAL FRUIT > BANANAS",
                }
            ],
        }
    )

    id: str
    title: str | None
    brand: str | None
    price: float | None
    available: bool
    popularity: int | None
    created: datetime | None
    profile: dict[str, Any]
    categories: list[ItemCategory]


class ComplementsDocument(BaseModel):
    """Items that complete an item: `sentence` says for what, `category_name` as what."""

    model_config = shown(
        {
            "item": "1082185",
            "items": [
                {
                    "id": "1029743",
                    "title": "Milk, 1 gal",
                    "category": "GROCERY/FLUID MILK PRODUCTS",
                    "category_name": "FLUID MILK PRODUCTS",
                    "intent": "make-breakfast",
                    "sentence": "make breakfast",
                    "score": 0.8,
                }
            ],
        }
    )

    item: str
    items: list[ComplementaryItem]
