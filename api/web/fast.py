"""The short way for what is asked most: recommendations, without FastAPI's parameters, dependencies and models.

They cost a request some 0.7 ms, several times what its paths do in a projection. This takes only requests that need
none of them; whatever is unusual about one goes the ordinary way. Both ways give the same reply.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypedDict

from anyio.to_thread import run_sync
from fastapi import FastAPI
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.documents import RecommendationsDocument
from api.web.bodies import MEDIA_TYPE
from api.web.experiment import bucket
from api.web.observe import served
from api.web.problems import refusal
from cypher.recommend import recommend
from cypher.walk import NEIGHBOURS, TRIGGERS, shortlist_for
from graph.driver import Database
from graph.errors import TwohopError
from graph.keys import ApiKey

if TYPE_CHECKING:
    from graph.projection.follower import Projections

PATH = re.compile(r"/users/([^/\x00-\x1f\x7f]{1,256})/recommendations")
ASKED = re.compile(rb"(?:(?:k|m|neighbours)=[1-9][0-9]{0,2}|repeats=(?:true|false))")
LONGEST = 50_000  # paths: more of them would hold up the event loop, and are walked in a thread
HEADER = b"x-api-key"


class Walk(TypedDict):
    """What both engines are asked by name."""

    m: int
    k: int
    shortlist: int
    repeats: bool


@dataclass(frozen=True)
class Template:
    """What `api.web.observe` names these requests by."""

    path_format: str = "/users/{user}/recommendations"


TEMPLATE = Template()


class Fast:
    """ASGI middleware around the ordinary way.

    A projection answers within the event loop, the queries in a thread. Neither takes long bodies nor late ones, but
    queries have a deadline: there `api.web.limits.Limits` is around this.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = await self._reply(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (reply or self.app)(scope, receive, send)

    async def _reply(self, scope: Scope) -> ASGIApp | None:
        """None where it is for the ordinary way."""
        app: FastAPI = scope["app"]
        path, asked = PATH.fullmatch(scope["path"]), _asked(scope["query_string"])
        if path is None or asked is None or (key := _key(scope, app)) is None:
            return None
        n, walk = asked
        projections = app.state.projections
        if projections is not None and walk["m"] * walk["k"] > LONGEST:
            return None
        state = scope.setdefault("state", {})
        reply: ASGIApp | None
        try:
            await app.state.rates.count(key.id)
            state["counted"] = True
            if projections is not None:
                reply = _from_memory(projections, path[1], n, walk)
            else:
                with app.state.gate.enter():
                    reply = await run_sync(_by_query, app.state.connection.database, path[1], n, walk)
        except (HTTPException, TwohopError) as error:
            reply = refusal(error)
        if reply is not None:
            state["key"], scope["route"] = key.id, TEMPLATE
        return reply


@lru_cache(1_000)
def _asked(query: bytes) -> tuple[int, Walk] | None:
    """How many are asked for, and how; None for a query that is not as plain as this."""
    parts = [part for part in query.split(b"&") if part]
    given = dict(part.decode().split("=") for part in parts if ASKED.fullmatch(part))
    if len(given) < len(parts):  # another parameter, or one twice
        return None
    n = int(given.get("k", 10))
    return n, {
        "m": int(given.get("m", TRIGGERS)),
        "k": int(given.get("neighbours", NEIGHBOURS)),
        "shortlist": shortlist_for(n),
        "repeats": given.get("repeats") == "true",
    }


def _key(scope: Scope, app: FastAPI) -> ApiKey | None:
    """A key that is known to this process; any role may read."""
    texts = [value for name, value in scope["headers"] if name == HEADER]
    if len(texts) != 1:
        return None
    known: ApiKey | None = app.state.keys.known(texts[0].decode("latin-1"))
    return known


def _from_memory(projections: "Projections", user: str, n: int, walk: Walk) -> Response | None:
    """None where there is no projection yet, for unknown users, and where popular items are to fill the list."""
    chosen = projections.chosen(bucket(user))
    if chosen is None:
        return None
    projection, control = chosen
    try:
        found = projection.recommend(user, n, **walk)
    except KeyError:
        return None
    if len(found) < n:
        return None
    variant = "control" if control else "challenger"
    served(variant)
    items: list[dict[str, Any]] = [
        {"id": item.id, "title": item.title, "score": item.score, "direct": item.direct, "source": "paths"}
        for item in found
    ]  # as `RecommendationsDocument`, which takes longer to make than the items to find
    document = {"user": user, "generation": projection.served.generation, "variant": variant, "items": items}
    return Response(to_json(document), media_type=MEDIA_TYPE)


def _by_query(database: Database, user: str, n: int, walk: Walk) -> Response:
    answer = recommend(database, user, n, **walk, bucket=bucket(user))
    served(answer.variant)
    document = RecommendationsDocument.of(answer, explain=False)
    return Response(document.model_dump_json(exclude_unset=True), media_type=MEDIA_TYPE)
