"""Items: popular, new and found ones, what each is, what is similar, and what completes it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.documents import SimilarItemsDocument
from api.web.documents.items import ComplementsDocument, ItemDocument, ItemsDocument
from api.web.keys import needs
from api.web.parameters import Filtered, Item, K, Opened
from api.web.problems import responses
from cypher.item import Item as FoundItem
from cypher.item import item as read_item
from cypher.item_complements import item_complements
from cypher.live import live
from cypher.newest import newest
from cypher.popular import popular
from cypher.search_items import search_items
from cypher.similar import similar as read_similar

router = APIRouter(tags=["items"], dependencies=[needs("read")], responses=responses(404))

LONGEST_TEXT = 200
Order = Annotated[
    Literal["popular", "newest"] | None,
    Query(description="most buyers, or created last, first; else the most popular, or with q the best matches"),
]
Words = Annotated[
    str | None,
    Query(max_length=LONGEST_TEXT, description="words of the title and the brand; the last may be only begun"),
]


@router.get("/items", operation_id="list_items")
def items(database: Opened, filters: Filtered, order: Order = None, q: Words = None, k: K = 10) -> ItemsDocument:
    """Available items: popular or new ones, or those with all the words of `q`."""
    if q is not None:
        found = search_items(database, q, k, order or "match", filters)
    elif order == "newest":
        found = newest(database, k, filters)
    else:
        found = popular(database, k, filters=filters)
    return ItemsDocument(items=found)


@router.get("/items/{item:path}/similar", operation_id="show_similar_items")
def similar(database: Opened, item: Item, filters: Filtered, k: K = 10) -> SimilarItemsDocument:
    """The items most similar to an item."""
    found = read_similar(database, item, k, filters)
    return SimilarItemsDocument.of(item, found[0].generation if found else live(database).id, found)


@router.get("/items/{item:path}/complements", operation_id="complete_item")
def complements(database: Opened, item: Item, filters: Filtered, k: K = 10) -> ComplementsDocument:
    """Items that complete an item, each with the intent that both serve."""
    return ComplementsDocument(item=item, items=item_complements(database, item, k, filters=filters))


@router.get("/items/{item:path}", operation_id="show_item", response_model=ItemDocument)
def item(database: Opened, item: Item) -> FoundItem:
    """An item and the browse nodes that it is in."""
    return read_item(database, item)
