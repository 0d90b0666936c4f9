"""What an item leads to: similar items, and items that complete it."""

from fastapi import APIRouter

from api.documents import SimilarItemsDocument
from api.web.keys import needs
from api.web.parameters import Item, K, Opened
from api.web.problems import responses
from cypher.item_complements import ComplementaryItem, item_complements
from cypher.live import live
from cypher.similar import similar as read_similar

router = APIRouter(tags=["items"], dependencies=[needs("read")], responses=responses(404))


@router.get("/items/{item:path}/similar")
def similar(database: Opened, item: Item, k: K = 10) -> SimilarItemsDocument:
    """The items most similar to an item."""
    found = read_similar(database, item, k)
    return SimilarItemsDocument.of(item, found[0].generation if found else live(database).id, found)


@router.get("/items/{item:path}/complements")
def complements(database: Opened, item: Item, k: K = 10) -> list[ComplementaryItem]:
    """Items that complete an item, each with the intent that both serve."""
    return item_complements(database, item, k)
