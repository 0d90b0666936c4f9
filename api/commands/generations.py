"""`twohop generations list|switch|drop|rollback`: the sets of weights that a store holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import AsJson, Store

if TYPE_CHECKING:
    from graph.driver import Database

app = typer.Typer(no_args_is_help=True, help="Look at the sets of weights, switch between them, drop them.")

Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="As twohop generations list shows it.")]


@app.command("list")
def show_list(as_json: AsJson = False, store: Store = None) -> None:
    """All generations, the newest first."""
    from pydantic_core import to_json

    from api.display import show_generations
    from graph.generations import list_generations

    with _database(store) as database:
        found = list_generations(database)
    if as_json:
        typer.echo(to_json(found).decode())
    else:
        show_generations(found)


@app.command()
def switch(generation: Id, store: Store = None) -> None:
    """Make a generation the live one; readers see the old weights or the new ones, never a mix."""
    from graph import generations

    with _database(store) as database:
        generations.switch(database, generation)
    typer.echo(f"Generation {generation} is live.")


@app.command()
def rollback(store: Store = None) -> None:
    """Switch back to the generation that was live before."""
    from graph import generations

    with _database(store) as database:
        typer.echo(f"Generation {generations.rollback(database)} is live.")


@app.command()
def drop(generation: Id, store: Store = None) -> None:
    """Delete a generation that is not live."""
    from graph import generations

    with _database(store) as database:
        generations.drop(database, generation)
    typer.echo(f"Generation {generation} is dropped.")


@contextmanager
def _database(store: str | None) -> "Iterator[Database]":
    from graph.driver import connect
    from graph.settings import load_settings

    with connect(load_settings(store)) as database:
        yield database
