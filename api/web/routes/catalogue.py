"""Items, users and browse nodes written while the store serves."""

import logging
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.web.documents.catalogue import (
    ItemChanges,
    ItemContent,
    ItemReply,
    NodeChanges,
    NodeContent,
    NodeReply,
    UserChanges,
    UserContent,
    UserReply,
)
from api.web.keys import needs
from api.web.parameters import Item, Node, Opened, User
from api.web.problems import responses
from graph.catalogue import (
    StoredItem,
    StoredUser,
    delete_item,
    delete_node,
    delete_user,
    patch_item,
    patch_node,
    patch_user,
    put_item,
    put_node,
    put_user,
    set_placed,
)
from graph.driver import Database
from graph.errors import DatabaseError, TwohopError

log = logging.getLogger(__name__)
router = APIRouter(dependencies=[needs("write")])
GONE = HTTPStatus.NO_CONTENT


def _made(reply: type) -> dict[int | str, dict[str, Any]]:
    return {201: {"model": reply, "description": "Created"}}


@router.put("/items/{item:path}", operation_id="put_item", tags=["items"], responses=_made(ItemReply))
def put_one_item(request: Request, response: Response, database: Opened, item: Item, content: ItemContent) -> ItemReply:
    """Make an item, or replace all that it is. It has similar items at once, from its title, brand and categories."""
    return _stored_item(request, response, database, put_item(database, item, content.model_dump()))


@router.patch("/items/{item:path}", operation_id="patch_item", tags=["items"], responses=responses(404))
def patch_one_item(
    request: Request, response: Response, database: Opened, item: Item, changes: ItemChanges
) -> ItemReply:
    """Change some of what an item is, such as its price, or whether it is available."""
    stored = patch_item(database, item, changes.model_dump(exclude_unset=True))
    return _stored_item(request, response, database, stored)


@router.delete(
    "/items/{item:path}", operation_id="delete_item", tags=["items"], status_code=GONE, responses=responses(404)
)
def delete_one_item(request: Request, database: Opened, item: Item) -> None:
    """Delete an item, from the histories of its users too. To sell it no longer, set `available` to false instead."""
    delete_item(database, item)
    request.app.state.live.forget_item(item)


@router.put("/users/{user:path}", operation_id="put_user", tags=["users"], responses=_made(UserReply))
def put_one_user(request: Request, response: Response, database: Opened, user: User, content: UserContent) -> UserReply:
    """Make a user, or replace the user's profile."""
    return _stored_user(request, response, put_user(database, user, content.model_dump()))


@router.patch("/users/{user:path}", operation_id="patch_user", tags=["users"], responses=responses(404))
def patch_one_user(
    request: Request, response: Response, database: Opened, user: User, changes: UserChanges
) -> UserReply:
    """Change some fields of a user's profile."""
    return _stored_user(request, response, patch_user(database, user, changes.model_dump(exclude_unset=True)))


@router.delete(
    "/users/{user:path}", operation_id="delete_user", tags=["users"], status_code=GONE, responses=responses(404)
)
def delete_one_user(database: Opened, user: User) -> None:
    """Delete every trace of a user in the graph: profile, history, intents, events, the id in the networks."""
    delete_user(database, user)


@router.put(
    "/browse/{node:path}", operation_id="put_node", tags=["browse"], responses=responses(409) | _made(NodeReply)
)
def put_one_node(request: Request, response: Response, database: Opened, node: Node, content: NodeContent) -> NodeReply:
    """Make a node of the store's own tree, or rename it and move it with all below it."""
    stored = put_node(database, node, content.name, content.parent)
    request.app.state.live.forget_nodes()
    response.status_code = HTTPStatus.CREATED if stored.made else HTTPStatus.OK
    return NodeReply.of(stored)


@router.patch("/browse/{node:path}", operation_id="patch_node", tags=["browse"], responses=responses(404, 409))
def patch_one_node(request: Request, database: Opened, node: Node, changes: NodeChanges) -> NodeReply:
    """Rename a node of the store's own tree, or move it with all below it."""
    stored = patch_node(database, node, changes.model_dump(exclude_unset=True))
    request.app.state.live.forget_nodes()
    return NodeReply.of(stored)


@router.delete(
    "/browse/{node:path}", operation_id="delete_node", tags=["browse"], status_code=GONE, responses=responses(404, 409)
)
def delete_one_node(
    request: Request,
    database: Opened,
    node: Node,
    cascade: Annotated[bool, Query(description="with all below it; their items stay, without it")] = False,
) -> None:
    """Delete a node of the store's own tree that has neither children nor items, or with `cascade` any."""
    delete_node(database, node, cascade=cascade)
    request.app.state.live.forget_nodes()


def _stored_item(request: Request, response: Response, database: Database, stored: StoredItem) -> ItemReply:
    """After the commit: similar items for what is new. Until then the item is marked, so the next write does it."""
    request.app.state.live.forget_item(stored.id)
    if stored.unplaced:
        try:
            request.app.state.live.place_items([stored.id])
            set_placed(database, stored.id)
        except DatabaseError:
            raise
        except TwohopError as error:  # no weights yet, so no neighbours to have: the next `twohop index` gives them
            log.info("item %r has no neighbours yet: %s", stored.id, error)
    response.status_code = HTTPStatus.CREATED if stored.made else HTTPStatus.OK
    return ItemReply.of(stored)


def _stored_user(request: Request, response: Response, stored: StoredUser) -> UserReply:
    request.app.state.refresher.wake([stored.id])
    response.status_code = HTTPStatus.CREATED if stored.made else HTTPStatus.OK
    return UserReply.of(stored)
