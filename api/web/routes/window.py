"""The window: a page that shows what the graph says of one shopper. It asks the API like any other client."""

import zipfile
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from threading import Lock
from typing import Annotated, Literal

from cachetools import TTLCache, cached
from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.web.keys import needs
from graph.errors import DownloadFailed
from graph.jars import CYTOSCAPE, WINDOW_LOCK, fetch, read_lock

router = APIRouter(include_in_schema=False)

PAGE = "index.html"
LIBRARY = "cytoscape.js"
IN_JAR = f"META-INF/resources/webjars/cytoscape/{CYTOSCAPE}/dist/cytoscape.min.js"
AGAIN = 60  # seconds until a library that could not be fetched is asked for again
TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
HEADERS = {
    "Cache-Control": "no-cache",  # kept, and asked about by its ETag
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class OwnKey(BaseModel):
    """What the key of the request may do."""

    role: Literal["read", "write", "admin"] = Field(examples=["read"])


def _read_files() -> dict[str, bytes]:
    folder = files("api.web").joinpath("window")
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.rpartition(".")[2] in TYPES}


FILES = _read_files()


@router.get("/")
async def page(if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The page itself; open to anybody, as it holds no data."""
    return _answer(PAGE, FILES[PAGE], if_none_match)


@router.get("/window/key", dependencies=[needs("read")])
async def own_key(request: Request) -> OwnKey:
    """The role of the key that is sent, so that the page can say beforehand what it may not do."""
    found = await request.app.state.keys.check(request.headers.get("X-API-Key"))
    return OwnKey(role=found.role)


@router.get(f"/window/{LIBRARY}")
def library(request: Request, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Cytoscape.js, out of the jar that holds it; 503 where that can't be had: the page then draws nothing."""
    found = read_library(request.app.state.connection.settings.maven_url)
    if isinstance(found, str):
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, found)
    return _answer(LIBRARY, found, if_none_match)


@router.get("/window/{name}")
async def file(name: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """A style, a module or a picture of the page."""
    if name not in FILES or name == PAGE:
        raise HTTPException(HTTPStatus.NOT_FOUND, "no such file of the window")
    return _answer(name, FILES[name], if_none_match)


@cached(TTLCache(1, AGAIN), lock=Lock())
def read_library(repository: str | None) -> bytes | str:
    """The text of the library, or one line that says why there is none; remembered for a minute."""
    try:
        (jar,) = fetch(repository, jars=read_lock(WINDOW_LOCK), what=f"Cytoscape.js {CYTOSCAPE}")
        with zipfile.ZipFile(jar) as opened:
            return opened.read(IN_JAR)
    except DownloadFailed as error:
        return str(error)


def _answer(name: str, content: bytes, known: str | None) -> Response:
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = HEADERS | {"ETag": tag}
    if known is not None and tag in (part.strip().removeprefix("W/") for part in known.split(",")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, media_type=TYPES[name.rpartition(".")[2]], headers=headers)
