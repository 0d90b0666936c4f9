"""Items, users and browse nodes as clients write them, and what is stored then."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from api.web.parameters import GREATEST_PRICE, Checked, Id
from graph.catalogue import StoredItem, StoredNode, StoredUser

LONGEST_TEXT = 2_000  # characters
MOST = 1_000  # entries of a list
EXACT = 2**53  # whole numbers up to here are the same in JSON everywhere
ITEM: JsonDict = {
    "title": "Strawberries, 16 oz",
    "brand": "PRIVATE",
    "price": 2.99,
    "available": True,
    "categories": ["PRODUCE/BERRIES"],
    "profile": {"package_size": "16 OZ"},
}
USER: JsonDict = {"profile": {"age": "35-44"}}
NODE: JsonDict = {"name": "Berries", "parent": "PRODUCE"}


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("the character NUL is not allowed")
    return text


Storable = Checked(_storable, r"^[^\x00]*$")


def _config(*examples: JsonDict) -> ConfigDict:
    return ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, json_schema_extra={"examples": [*examples]})


Text = Annotated[str, Field(max_length=LONGEST_TEXT), Storable]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT), Storable]
Texts = Annotated[list[Text], Field(max_length=MOST)]
Whole = Annotated[int, Field(ge=-EXACT, le=EXACT)]
Value = Text | bool | Whole | float | Texts
Profile = Annotated[
    dict[Id, Value | None],
    Field(
        max_length=100,
        description="the store's own profile fields; a field keeps one type; null takes a value away",
        json_schema_extra={"additionalProperties": False},  # its names are patterns in the document
    ),
]


class ItemContent(BaseModel):
    """All that an item is. What is left out is unknown; the item is available then, in no category."""

    model_config = _config(ITEM)

    title: Text | None = None
    brand: Text | None = None
    price: float | None = Field(None, ge=0, le=GREATEST_PRICE)
    available: bool = Field(True, description="false: it is recommended nowhere from the next request on")
    categories: Annotated[list[Id], Field(max_length=MOST, description="browse nodes of the store's own tree")] = []
    profile: Profile = {}


class ItemChanges(ItemContent):
    """Only what is named is changed; null takes a value away. Of `profile` only the fields that are named."""

    model_config = _config({"available": False}, {"price": 2.49})


class ItemReply(BaseModel):
    """An item as it is stored now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "1127831", **ITEM}]})

    id: str
    title: str | None
    brand: str | None
    price: float | None
    available: bool
    categories: list[str]
    profile: dict[str, Value]

    @classmethod
    def of(cls, stored: StoredItem) -> Self:
        return cls.model_validate(vars(stored))


class UserContent(BaseModel):
    """All that the store keeps of a user beside the user's events."""

    model_config = _config(USER)

    profile: Profile = {}


class UserChanges(UserContent):
    """Only the fields of `profile` that are named are changed; null takes a value away."""

    model_config = _config(USER)


class UserReply(BaseModel):
    """A user as stored now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "1", **USER}]})

    id: str
    profile: dict[str, Value]

    @classmethod
    def of(cls, stored: StoredUser) -> Self:
        return cls.model_validate(vars(stored))


class NodeContent(BaseModel):
    """A node of the store's own browse tree. Without a parent it is at the top."""

    model_config = _config(NODE)

    name: Name
    parent: Id | None = None


class NodeChanges(BaseModel):
    """Only what is named is changed; the parent null moves a node to the top."""

    model_config = _config({"name": "Berries"}, {"parent": "PRODUCE"})

    name: Name | SkipJsonSchema[None] = None
    parent: Id | None = None

    @field_validator("name")
    @classmethod
    def _nodes_have_names(cls, name: str | None) -> str:
        if name is None:
            raise ValueError("a browse node has a name")
        return name


class NodeReply(BaseModel):
    """A browse node as stored now; `level` 0 is the top."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": "PRODUCE/BERRIES", **NODE, "tree": "complete-journey", "level": 1}]}
    )

    id: str
    name: str
    parent: str | None
    tree: str
    level: int

    @classmethod
    def of(cls, stored: StoredNode) -> Self:
        return cls.model_validate(vars(stored))
