"""Browse trees as the REST API tells them."""

from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

Class = Annotated[
    str | None,
    Field(
        validation_alias=AliasChoices("class", "node_class"),
        serialization_alias="class",
        description="category, assortment or alias; null where nobody told",
    ),
]
SOFT_DRINKS: JsonDict = {
    "id": "GROCERY/SOFT DRINKS",
    "name": "SOFT DRINKS",
    "level": 1,
    "class": "category",
    "children": 36,
}


class ListedNode(BaseModel):
    """`level`: 0 at the top; `children`: browse nodes right below it."""

    model_config = ConfigDict(json_schema_extra={"examples": [SOFT_DRINKS]})

    id: str
    name: str | None
    level: int | None
    node_class: Class
    children: int


class NodesDocument(BaseModel):
    """One page of browse nodes. `next` is the `after` of the next page; null on the last one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"nodes": [SOFT_DRINKS], "next": "GROCERY/SOFT DRINKS"}]})

    nodes: list[ListedNode]
    next: str | None


class ServedIntent(BaseModel):
    """`rank`: 1 is the most confident of the node; `source`: hand, table, queries or model."""

    id: str
    sentence: str
    confidence: float
    rank: int
    source: str


class NodeDocument(ListedNode):
    """`items`: in the node and below it; `path`: from the top of the tree down."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                SOFT_DRINKS
                | {
                    "tree": "complete-journey",
                    "class_source": "hand",
                    "class_confidence": None,
                    "parent": "GROCERY",
                    "path": "GROCERY > SOFT DRINKS",
                    "items": 2482,
                    "serves": [
                        {
                            "id": "game-day-snacks",
                            "sentence": "get snacks for a game day",
                            "confidence": 0.9,
                            "rank": 1,
                            "source": "hand",
                        }
                    ],
                }
            ]
        }
    )

    tree: str | None
    class_source: Annotated[str | None, Field(description="who gave the class: source, hand or classifier")]
    class_confidence: float | None
    parent: str | None
    path: str
    items: int
    serves: list[ServedIntent]


class ComplementaryCategory(BaseModel):
    """A browse node that completes another; `sentence` says for what: the `intent` that both serve."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "GROCERY/ICE",
                    "name": "ICE",
                    "path": "GROCERY > ICE",
                    "score": 0.7,
                    "intent": "grill-party",
                    "sentence": "prepare for a grill party",
                }
            ]
        }
    )

    id: str
    name: str | None
    path: str
    score: float
    intent: str
    sentence: str
