"""`twohop contents rank`: shelves and page slots in the order of what they mean to a user."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from api.options import AsJson, Number, Store, User

app = typer.Typer(no_args_is_help=True, help="Contents: sets of items, such as a shelf or the slots of a page.")

Contents = Annotated[
    Path | None,
    typer.Option("--contents", metavar="FILE", help='JSON: {"name": [item ids]}; else the shelves of the browse tree.'),
]
Embedding = Annotated[
    Literal["intent", "baseline"], typer.Option("--embedding", help="intent: by the tuned encoder; baseline: untuned.")
]


@app.callback()
def contents() -> None:
    """Keeps `rank` a word of its own while it is the only one."""


@app.command()
def rank(
    user: User,
    contents: Contents = None,
    embedding: Embedding = "intent",
    n: Number = 10,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Rank contents by the dot product of their products' mean embedding and that of the user's products."""
    from pydantic_core import to_json

    from api.contents import read_contents
    from api.display_intents import show_contents
    from cypher.contents import rank_contents
    from graph.driver import connect
    from graph.settings import load_settings

    given = read_contents(contents) if contents else None
    with connect(load_settings(store), create=False) as database:
        found = rank_contents(database, user, given, n, embedding)
    if as_json:
        typer.echo(to_json({"user": user, "embedding": embedding, "contents": found}).decode())
    else:
        show_contents(user, embedding, found)
