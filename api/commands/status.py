"""`twohop status`: what a store holds, and what is live."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from api.options import AsJson, Store

if TYPE_CHECKING:
    from graph.settings import Settings

app = typer.Typer()


@app.command()
def status(as_json: AsJson = False, store: Store = None) -> None:
    """Show the store, its server, its data, the live generation and the latest model. Starts nothing."""
    from pydantic_core import to_json

    from api.display import show_status
    from graph.settings import load_settings

    settings = load_settings(store)
    found = describe(settings)
    if as_json:
        typer.echo(to_json(found).decode())
    else:
        show_status(found)


def describe(settings: "Settings") -> dict[str, Any]:
    """What is known of a store. `source`, `counts`, `generation`: None where the server does not run or has none."""
    found: dict[str, Any] = {
        "store": settings.store,
        "folder": str(settings.store_folder),
        "server": _server(settings),
        "source": None,
        "loading": False,
        "counts": None,
        "generation": None,
        "artefact": _artefact(settings),
    }
    if found["server"]["running"]:
        found |= _graph(settings)
    return found


def _server(settings: "Settings") -> dict[str, Any]:
    from graph.server import ManagedServer

    if not settings.managed:
        return {"managed": False, "running": True, "address": settings.neo4j_uri, "browser": None}
    known = ManagedServer(settings).status()
    return {"managed": True, "running": known.running, "address": known.bolt_uri, "browser": known.browser_uri}


def _graph(settings: "Settings") -> dict[str, Any]:
    from cypher.counts import counts
    from graph.driver import connect
    from graph.errors import StoreError
    from graph.generations import live_generation
    from graph.source import read_source, stored_source

    with connect(settings, start=False) as database:
        source, live = stored_source(database), live_generation(database)
        try:
            read_source(database)
            loading = False
        except StoreError:
            loading = source is not None
        return {
            "source": source and source.properties(),
            "loading": loading,
            "counts": asdict(counts(database)),
            "generation": live and asdict(live),
        }


def _artefact(settings: "Settings") -> dict[str, Any] | None:
    """The latest model's manifest in short; None before the first training."""
    if not settings.artefacts_folder.is_dir():
        return None
    from graph.errors import ArtefactError
    from models.artefacts import load

    try:
        latest = load(settings.artefacts_folder)
    except ArtefactError as error:
        return {"name": None, "problem": str(error)}
    manifest = latest.manifest
    return {"name": latest.id[:12]} | {name: manifest[name] for name in ("model", "created", "data", "metrics")}
