"""`twohop load`: raw data into the graph of a store."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from api.options import Data, Store

if TYPE_CHECKING:
    from graph.settings import Settings

app = typer.Typer()

TABLES, GENERATED = "tables", "generated"
SourceName = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="complete-journey, movielens-1m, amazon-beauty, tables: your own, or generated: made up, of any size.",
    ),
]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", metavar="FILE", help="For tables: what is in your files (docs/loading.md).")
]
HoldOut = Annotated[
    str | None,
    typer.Option(
        "--hold-out", metavar="none|last|days:N|marked", help="What to keep from training; else the source's own."
    ),
]
Writer = Annotated[
    Literal["auto", "bulk", "incremental"], typer.Option("--writer", help="auto: bulk into an empty managed store.")
]
Items = Annotated[int | None, typer.Option("--items", help="For generated: how many; 10,000 if left out.")]
Users = Annotated[int | None, typer.Option("--users", help="For generated: how many; 10,000 if left out.")]
Interactions = Annotated[
    int | None, typer.Option("--interactions", help="For generated: how many; 100,000 if left out.")
]
Exponent = Annotated[
    float | None, typer.Option("--exponent", help="For generated: of the power law of popularity; 2.2 if left out.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="For generated: the same seed, the same shop; 0 if left out.")]


@app.command()
def load(
    source: SourceName,
    mapping: MappingFile = None,
    hold_out: HoldOut = None,
    writer: Writer = "auto",
    items: Items = None,
    users: Users = None,
    interactions: Interactions = None,
    exponent: Exponent = None,
    seed: Seed = None,
    data: Data = None,
    store: Store = None,
) -> None:
    """Check a source row by row and write the good ones into the graph; the others go to a quarantine file.

    The store has the source's name, unless --store or TWOHOP_STORE names another. The same data again changes nothing.
    """
    from api.display import show_load
    from api.loading import load_source
    from graph.driver import connect
    from loaders import Shape

    sizes = {"items": items, "users": users, "interactions": interactions, "exponent": exponent, "seed": seed}
    given: dict[str, Any] = {name: value for name, value in sizes.items() if value is not None}
    _check_usage(source, mapping, hold_out, list(given))
    settings = _choose_store(source, mapping, store)
    if data:
        settings = settings.model_copy(update={"data": data})
    with connect(settings) as database:
        loaded, used = load_source(
            source, settings, database, mapping=mapping, hold_out=hold_out, writer=writer, shape=Shape(**given)
        )
    show_load(loaded, used, settings.store)
    typer.echo(f"Next: twohop train pdn --store {settings.store}")


def _check_usage(source: str, mapping: Path | None, hold_out: str | None, sizes: list[str]) -> None:
    from loaders import SOURCES
    from loaders.mapping import HOLD_OUT

    if source not in SOURCES:
        raise typer.BadParameter(f"{source!r} is none of {', '.join(SOURCES)}", param_hint="SOURCE")
    if (source == TABLES) != (mapping is not None):
        said = "tables needs a mapping file" if mapping is None else f"{source} takes none, only tables does"
        raise typer.BadParameter(said, param_hint="--mapping")
    if sizes and source != GENERATED:
        raise typer.BadParameter(f"{source} takes none, only {GENERATED} does", param_hint=f"--{sizes[0]}")
    if hold_out is not None and not re.fullmatch(HOLD_OUT, hold_out):
        raise typer.BadParameter(f"{hold_out!r} is none of none, last, marked, days:28", param_hint="--hold-out")


def _choose_store(source: str, mapping: Path | None, store: str | None) -> "Settings":
    """A managed store that nobody named gets the name of its source; a server of your own is the one store."""
    from graph.settings import load_settings
    from loaders.mapping import read_mapping

    settings = load_settings(store)
    if "store" in settings.model_fields_set or not settings.managed:
        return settings
    return load_settings(read_mapping(mapping).source.id if mapping else source)
