"""The browse tree."""

from fastapi import APIRouter

from api.web.keys import needs
from api.web.parameters import K, Node, Opened
from api.web.problems import responses
from cypher.category_complements import ComplementaryCategory, category_complements

router = APIRouter(tags=["browse"], dependencies=[needs("read")], responses=responses(404))


@router.get("/browse/{node:path}/complements")
def complements(database: Opened, node: Node, k: K = 10) -> list[ComplementaryCategory]:
    """Categories that complete a category, each with the intent that both serve."""
    return category_complements(database, node, k)
