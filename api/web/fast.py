"""The short way for what is asked most: recommendations from the projection, answered within the event loop.

FastAPI's parameters, dependencies, models and threads cost a request ten times what its paths do. This takes only
requests that need none of them; whatever is unusual about one, its errors above all, goes the ordinary way. Both ways
give the same reply.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.web.bodies import MEDIA_TYPE
from api.web.experiment import bucket
from api.web.observe import served
from api.web.problems import problem
from cypher.walk import NEIGHBOURS, TRIGGERS, shortlist_for
from graph.keys import ApiKey

if TYPE_CHECKING:
    from graph.projection.projection import FoundItem

PATH = re.compile(r"/users/([^/\x00-\x1f\x7f]{1,256})/recommendations")
ASKED = re.compile(rb"(?:(?:k|m|neighbours)=[1-9][0-9]{0,2}|repeats=(?:true|false))")
LONGEST = 50_000  # paths: more of them would hold up other requests, and are walked in a thread
HEADER = b"x-api-key"


@dataclass(frozen=True)
class Template:
    """What `api.web.observe` names these requests by."""

    path_format: str = "/users/{user}/recommendations"


TEMPLATE = Template()


class Fast:
    """ASGI middleware around the ordinary way."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = await self._reply(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (reply or self.app)(scope, receive, send)

    async def _reply(self, scope: Scope) -> ASGIApp | None:
        """None where it is for the ordinary way."""
        app: FastAPI = scope["app"]
        path, asked = PATH.fullmatch(scope["path"]), _asked(scope["query_string"])
        if app.state.projections is None or path is None or asked is None or (key := _key(scope, app)) is None:
            return None
        user = path[1]
        chosen = app.state.projections.chosen(bucket(user))
        if chosen is None:
            return None
        state = scope.setdefault("state", {})
        try:
            await app.state.rates.count(key.id)
        except HTTPException as refused:
            state["key"], scope["route"] = key.id, TEMPLATE
            return problem(refused.status_code, refused.detail, headers=dict(refused.headers or {}))
        state["counted"] = True
        projection, control = chosen
        try:
            found = projection.recommend(user, asked["n"], **asked["walk"])
        except KeyError:
            return None
        if len(found) < asked["n"]:  # popular items fill the list, or say why there are none
            return None
        state["key"], scope["route"] = key.id, TEMPLATE
        variant = "control" if control else "challenger"
        served(variant)
        return Response(_document(user, projection.served.generation, variant, found), media_type=MEDIA_TYPE)


@lru_cache(1_000)
def _asked(query: bytes) -> dict[str, Any] | None:
    """Arguments of `Projection.recommend`; None for a query that is not as plain as this."""
    parts = [part for part in query.split(b"&") if part]
    given = dict(part.decode().split("=") for part in parts if ASKED.fullmatch(part))
    if len(given) < len(parts):  # another parameter, or one twice
        return None
    m, k = int(given.get("m", TRIGGERS)), int(given.get("neighbours", NEIGHBOURS))
    if m * k > LONGEST:
        return None
    n, repeats = int(given.get("k", 10)), given.get("repeats") == "true"
    return {"n": n, "walk": {"m": m, "k": k, "shortlist": shortlist_for(n), "repeats": repeats}}


def _key(scope: Scope, app: FastAPI) -> ApiKey | None:
    """A key that is known to this process; any role may read."""
    texts = [value for name, value in scope["headers"] if name == HEADER]
    if len(texts) != 1:
        return None
    known: ApiKey | None = app.state.keys.known(texts[0].decode("latin-1"))
    return known


def _document(user: str, generation: int, variant: str, items: "list[FoundItem]") -> bytes:
    """As `RecommendationsDocument`."""
    shown = [
        {"id": item.id, "title": item.title, "score": item.score, "direct": item.direct, "source": "paths"}
        for item in items
    ]
    return to_json({"user": user, "generation": generation, "variant": variant, "items": shown})
