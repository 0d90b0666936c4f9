"""Parameters that several routes share, with their bounds."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import AfterValidator

from api.web.live import LiveNetworks
from graph.driver import Database

LONGEST_ID = 256  # characters


def _plain(text: str) -> str:
    """Text that may be stored and told back: no control characters."""
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("control characters are not allowed")
    return text


Plain = AfterValidator(_plain)

User = Annotated[str, Path(min_length=1, max_length=LONGEST_ID, examples=["1"], description="id of a user"), Plain]
Item = Annotated[
    str, Path(min_length=1, max_length=LONGEST_ID, examples=["1082185"], description="id of an item"), Plain
]
Node = Annotated[
    str, Path(min_length=1, max_length=LONGEST_ID, examples=["GROCERY"], description="id of a browse node"), Plain
]
K = Annotated[int, Query(ge=1, le=1000, description="items to return")]
M = Annotated[int, Query(ge=1, le=1000, description="triggers: the user's interactions with the greatest weights")]
Neighbours = Annotated[int, Query(ge=1, le=1000, description="neighbours of each trigger: PDN's k")]


def _database(request: Request) -> Database:
    database: Database = request.app.state.connection.database
    return database


Opened = Annotated[Database, Depends(_database)]


def _live(request: Request) -> LiveNetworks:
    live: LiveNetworks = request.app.state.live
    return live


Live = Annotated[LiveNetworks, Depends(_live)]
