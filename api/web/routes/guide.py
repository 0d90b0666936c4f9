"""The guide, style and saved scripts for a Neo4j Browser on another server: open to anybody, as they hold no data."""

import mimetypes
from contextlib import suppress
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from api.browser import style
from graph.browser import PAGES, read_page
from graph.errors import TwohopError
from graph.generations import live_generation

router = APIRouter(prefix="/browser", include_in_schema=False)

# Browser asks from its own origin, and says with headers of its own that it wants nothing out of a cache.
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "pragma, cache-control",
}


@router.options("/{name}")
async def allow(name: str) -> Response:
    """What a page of another origin asks before it reads one."""
    return Response(status_code=HTTPStatus.NO_CONTENT if name in PAGES else HTTPStatus.NOT_FOUND, headers=CORS)


@router.get("/{name}")
def page(name: str, request: Request) -> Response:
    """A file for Browser; the style shows the live generation's weights, while the database answers."""
    if name not in PAGES:
        raise HTTPException(HTTPStatus.NOT_FOUND, "no such file for Neo4j Browser")
    try:
        content = read_page(name, f"{request.base_url}browser")
    except OSError:
        raise HTTPException(HTTPStatus.NOT_FOUND, "the documents are not installed here") from None
    if name == "style.grass":
        with suppress(TwohopError):
            if found := live_generation(request.app.state.connection.database):
                content = style(found.weight_property).encode()
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    return Response(content, media_type=kind, headers=CORS | {"X-Content-Type-Options": "nosniff"})
