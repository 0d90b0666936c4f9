"""The REST API: recommendations, explanations, similar items, intents and complements. It never imports torch."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.documents import RecommendationsDocument, SimilarItemsDocument
from cypher.category_complements import ComplementaryCategory
from cypher.category_complements import category_complements as read_category_complements
from cypher.explain import Explanation
from cypher.explain import explain as read_explanation
from cypher.item_complements import ComplementaryItem
from cypher.item_complements import item_complements as read_item_complements
from cypher.live import live
from cypher.pursued import PursuedIntent, pursued
from cypher.recommend import recommend as read_recommendations
from cypher.similar import similar as read_similar
from cypher.user_complements import NeededItem
from cypher.user_complements import user_complements as read_user_complements
from graph.driver import Database, connect
from graph.errors import DatabaseError, DatabaseUnavailable, NotFound, ServerError, StoreError, TwohopError
from graph.settings import Settings, load_settings

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"  # RFC 9457
RETRY_AFTER = 5  # seconds
# The nearest class of an error decides; what is not here is a 500.
STATUS: dict[type[Exception], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    ServerError: HTTPStatus.SERVICE_UNAVAILABLE,
    DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

N = Annotated[int, Query(ge=1, le=1000, description="items to return")]
M = Annotated[int, Query(ge=1, le=1000, description="triggers: the user's interactions with the greatest weights")]
K = Annotated[int, Query(ge=1, le=1000, description="neighbours of each trigger")]


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


Opened = Annotated[Database, Depends(_database)]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app; without `settings` they come from the environment. One database serves it for its whole life."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with connect(settings or load_settings()) as database:
            app.state.database = database
            yield

    app = FastAPI(title="Twohop", description=__doc__, lifespan=lifespan)
    app.add_api_route("/health", health)
    only_set = {"response_model_exclude_unset": True}
    app.add_api_route("/users/{user:path}/recommendations", recommendations, **only_set)  # type: ignore[arg-type]
    app.add_api_route("/users/{user:path}/explanations/{item:path}", explanation)
    app.add_api_route("/users/{user:path}/intents", user_intents)
    app.add_api_route("/users/{user:path}/complements", user_complements)
    app.add_api_route("/items/{item:path}/similar", similar)
    app.add_api_route("/items/{item:path}/complements", item_complements)
    app.add_api_route("/browse/{node:path}/complements", category_complements)
    app.add_exception_handler(TwohopError, _refuse)
    app.add_exception_handler(RequestValidationError, _reject)
    app.add_exception_handler(HTTPException, _answer)
    return app


# Plain functions run in FastAPI's pool of threads, so a slow query holds up no other request.


def health() -> dict[str, str]:
    """200 while the process is up, whatever its database does."""
    return {"status": "up"}


def recommendations(
    database: Opened, user: str, n: N = 10, m: M = 300, k: K = 100, explain: bool = False, repeats: bool = False
) -> RecommendationsDocument:
    """The best items for a user; `explain` adds the paths of each."""
    answer = read_recommendations(database, user, n, m=m, k=k, repeats=repeats, explain=explain)
    return RecommendationsDocument.of(answer, explain)


def explanation(database: Opened, user: str, item: str, m: M = 300, k: K = 100) -> Explanation:
    """Every path from a user to an item, and its share of the score."""
    return read_explanation(database, user, item, m, k)


def similar(database: Opened, item: str, n: N = 10) -> SimilarItemsDocument:
    """The items most similar to an item."""
    found = read_similar(database, item, n)
    return SimilarItemsDocument.of(item, found[0].generation if found else live(database).id, found)


def user_intents(database: Opened, user: str, n: N = 5, needs: N = 5) -> list[PursuedIntent]:
    """What a user is up to: ranked intents, what each has had already and what it still needs."""
    return pursued(database, user, n, needs=needs)


def user_complements(database: Opened, user: str, n: N = 10) -> list[NeededItem]:
    """Items that a user still needs for what the user is up to, each with its reason."""
    return read_user_complements(database, user, n)


def item_complements(database: Opened, item: str, n: N = 10) -> list[ComplementaryItem]:
    """Items that complete an item, each with the intent that both serve."""
    return read_item_complements(database, item, n)


def category_complements(database: Opened, node: str, n: N = 10) -> list[ComplementaryCategory]:
    """Categories that complete a category, each with the intent that both serve."""
    return read_category_complements(database, node, n)


def _refuse(_: Request, error: Exception) -> JSONResponse:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)
    detail = str(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s", error)
    if isinstance(error, DatabaseError):
        detail = "the database does not answer" if status == HTTPStatus.SERVICE_UNAVAILABLE else "the database failed"
    return _problem(status, detail)


def _reject(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this one
    first = error.errors()[0]
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{first['loc'][-1]}: {first['msg']}")


def _answer(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this one
    return _problem(HTTPStatus(error.status_code), error.detail)


def _problem(status: HTTPStatus, detail: str) -> JSONResponse:
    headers = {"Retry-After": str(RETRY_AFTER)} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return JSONResponse(body, status, headers, PROBLEM)
