"""What the REST API tells of browse trees."""

from typing import Annotated

from pydantic import AliasChoices, BaseModel, Field
from pydantic.config import JsonDict

from api.documents import shown
from cypher.browse_node import ServedIntent
from cypher.category_complements import ComplementaryCategory

SOFT_DRINKS: JsonDict = {
    "id": "GROCERY/SOFT DRINKS",
    "name": "SOFT DRINKS",
    "level": 1,
    "class": "category",
    "children": 31,
}


class ListedNode(BaseModel):
    """`level`: 0 at the top; `class`: category, assortment or alias, null where nobody told."""

    model_config = shown(SOFT_DRINKS)

    id: str
    name: str | None
    level: int | None
    node_class: Annotated[
        str | None, Field(validation_alias=AliasChoices("class", "node_class"), serialization_alias="class")
    ]
    children: Annotated[int, Field(description="browse nodes right below it")]


class NodesDocument(BaseModel):
    """One page of browse nodes. `next` is the `after` of the next page; null on the last one."""

    model_config = shown({"nodes": [SOFT_DRINKS], "next": "GROCERY/SOFT DRINKS"})

    nodes: list[ListedNode]
    next: str | None


class NodeDocument(ListedNode):
    """`items`: in the node and below it; `path`: from the top of the tree down."""

    model_config = shown(
        {
            **SOFT_DRINKS,
            "tree": "complete-journey",
            "class_source": "classifier",
            "class_confidence": 0.953,
            "parent": "GROCERY",
            "path": "GROCERY > SOFT DRINKS",
            "items": 1704,
            "serves": [
                {
                    "id": "cold-drinks-in-fridge",
                    "sentence": "keep cold drinks in the fridge",
                    "confidence": 0.867,
                    "rank": 1,
                    "source": "hand",
                }
            ],
        }
    )

    tree: str | None
    class_source: Annotated[str | None, Field(description="who gave the class: source, hand or classifier")]
    class_confidence: float | None
    parent: str | None
    path: str
    items: int
    serves: list[ServedIntent]


class CategoriesDocument(BaseModel):
    """Browse nodes that complete one: `sentence` says for what, the `intent` that both serve."""

    model_config = shown(
        {
            "node": "GROCERY/SOFT DRINKS",
            "categories": [
                {
                    "id": "GROCERY/WATER - CARBONATED%2FFLVRD DRINK/SPRING WATER",
                    "name": "SPRING WATER",
                    "path": "GROCERY > WATER - CARBONATED/FLVRD DRINK > SPRING WATER",
                    "score": 0.884,
                    "intent": "cold-drinks-in-fridge",
                    "sentence": "keep cold drinks in the fridge",
                }
            ],
        }
    )

    node: str
    categories: list[ComplementaryCategory]
