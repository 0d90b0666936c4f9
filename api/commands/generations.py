"""`twohop generations list|switch|drop|rollback|experiment`: the sets of weights that a store holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import AsJson, Store

if TYPE_CHECKING:
    from graph.driver import Database

app = typer.Typer(no_args_is_help=True, help="Look at the sets of weights, switch between them, drop them.")

experiment = typer.Typer(no_args_is_help=True, help="Give a share of the users another generation, and compare (A/B).")
app.add_typer(experiment, name="experiment")

Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="As twohop generations list shows it.")]


Share = Annotated[
    float, typer.Option("--share", min=0, max=1, metavar="PART", help="Part of the users that gets it, such as 0.1.")
]


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
    """Delete a generation that is neither live nor in an experiment."""
    from graph import generations

    with _database(store) as database:
        generations.drop(database, generation)
    typer.echo(f"Generation {generation} is dropped.")


@experiment.command()
def start(generation: Id, share: Share = 0.5, store: Store = None) -> None:
    """Give a share of the users this generation, the challenger; all others keep the live one, the control."""
    from graph.experiment import start_experiment

    with _database(store) as database:
        begun = start_experiment(database, generation, share)
    typer.echo(f"{begun.share:.2%} of the users get generation {begun.challenger}, the others {begun.control}.")


@experiment.command()
def stop(store: Store = None) -> None:
    """Give everybody the live generation again. See what came of it by `show` before."""
    from graph.experiment import stop_experiment

    with _database(store) as database:
        stop_experiment(database)
    typer.echo("The experiment is over: everybody gets the live generation.")


@experiment.command("show")
def show_experiment(as_json: AsJson = False, store: Store = None) -> None:
    """Show who gets what, and how often each variant's items were clicked."""
    from api.display import show_variants
    from api.web.documents.generations import ExperimentDocument
    from cypher.variants import variants
    from graph.experiment import running_experiment

    with _database(store) as database:
        running = running_experiment(database)
        found = ExperimentDocument.of(running, variants(database, running.began))
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        show_variants(found)


@contextmanager
def _database(store: str | None) -> "Iterator[Database]":
    from graph.driver import connect
    from graph.settings import load_settings

    with connect(load_settings(store), create=False) as database:
        yield database
