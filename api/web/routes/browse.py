"""The browse trees: what is where, and what completes it."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.web.documents.browse import CategoriesDocument, NodeDocument, NodesDocument
from api.web.keys import needs
from api.web.parameters import LONGEST_ID, K, Node, Opened, Plain
from api.web.problems import responses
from cypher.browse_node import ShownNode, browse_node
from cypher.category_complements import category_complements
from cypher.children import children
from cypher.roots import roots
from graph.errors import Invalid

router = APIRouter(tags=["browse"], dependencies=[needs("read")], responses=responses(404))

Parent = Annotated[
    str | None,
    Query(min_length=1, max_length=LONGEST_ID, examples=["GROCERY"], description="the nodes right below this one"),
    Plain,
]
Tree = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=LONGEST_ID,
        examples=["google"],
        description="the top nodes of this tree; without it, and without `parent`, of the store's own",
    ),
    Plain,
]
After = Annotated[
    str, Query(max_length=LONGEST_ID, description="id of the last node of the page before: its `next`"), Plain
]


@router.get("/browse", operation_id="list_nodes")
def nodes(database: Opened, parent: Parent = None, tree: Tree = None, k: K = 100, after: After = "") -> NodesDocument:
    """The top nodes of a browse tree, or the nodes below one, in the order of their ids, a page at a time."""
    if parent is not None and tree is not None:
        raise Invalid("parent and tree: give one of them, for a node is of one tree")
    found = roots(database, tree, k + 1, after) if parent is None else children(database, parent, k + 1, after)
    page = found[:k]
    return NodesDocument.model_validate(
        {"nodes": page, "next": page[-1].id if len(found) > k else None}, from_attributes=True
    )


@router.get("/browse/{node:path}/complements", operation_id="complete_node")
def complements(database: Opened, node: Node, k: K = 10) -> CategoriesDocument:
    """Categories that complete a category, each with the intent that both serve."""
    return CategoriesDocument(node=node, categories=category_complements(database, node, k))


@router.get("/browse/{node:path}", operation_id="show_node", response_model=NodeDocument)
def node(database: Opened, node: Node) -> ShownNode:
    """One browse node: its class, its place, how much is below it, and the intents that it serves."""
    return browse_node(database, node)
