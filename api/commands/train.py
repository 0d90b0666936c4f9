"""`twohop train pdn`: a model from the graph."""

from pathlib import Path
from typing import Annotated

import typer

from api.options import Store

app = typer.Typer(no_args_is_help=True, help="Train a model on the graph of a store.")

RecipeFile = Annotated[Path | None, typer.Option("--recipe", metavar="FILE", help="Recipe; else the source's own.")]
Epochs = Annotated[int | None, typer.Option("--epochs", min=1, help="Passes over the examples; else the recipe's.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Fixes every draw; else the recipe's.")]


@app.callback()
def models() -> None:
    """Keeps `pdn` a word of its own while it is the only model."""


@app.command()
def pdn(recipe: RecipeFile = None, epochs: Epochs = None, seed: Seed = None, store: Store = None) -> None:
    """Train the Path-based Deep Network. Interrupted, the same command goes on at the last checkpoint."""
    from api.display import show_artefact
    from api.training import choose_recipe, train_pdn
    from graph.driver import connect
    from graph.settings import load_settings
    from graph.snapshot import read_snapshot
    from graph.source import read_source

    settings = load_settings(store)
    with connect(settings, create=False) as database:
        chosen = choose_recipe(read_source(database).id, recipe, epochs, seed)
        data = read_snapshot(database)
    show_artefact(train_pdn(settings, data, chosen), settings)
    typer.echo(f"Next: twohop index --store {settings.store}")
