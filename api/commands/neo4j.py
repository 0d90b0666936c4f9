"""`twohop neo4j start|stop|status`: the managed server of a store."""

from typing import TYPE_CHECKING

import typer

from api.options import AsJson, Store

if TYPE_CHECKING:
    from graph.server import ManagedServer, Status

app = typer.Typer(no_args_is_help=True, help="Start, stop and look at the managed Neo4j server of a store.")


@app.command()
def start(store: Store = None) -> None:
    """Start the server, wait until it answers, and leave it running. The first start fetches Neo4j (150 MB)."""
    server = _server(store)
    started = server.start()
    status = server.status()
    typer.echo(f"Neo4j of store {status.store} {'runs' if started else 'already runs'} (pid {status.pid}).")
    _print_addresses(status)


@app.command()
def stop(store: Store = None) -> None:
    """Stop the server; the data stays."""
    server = _server(store)
    stopped = server.stop()
    typer.echo(f"Neo4j of store {server.settings.store} {'is stopped' if stopped else 'did not run'}.")


@app.command("status")
def show_status(store: Store = None, as_json: AsJson = False) -> None:
    """Say whether the server runs, where it answers, and where its data, password and log are."""
    from pydantic_core import to_json

    status = _server(store).status()
    if as_json:
        typer.echo(to_json(status).decode())
        return
    if status.running:
        typer.echo(f"Neo4j {status.version} of store {status.store} runs (pid {status.pid}).")
    elif status.crashed:
        typer.echo(f"Neo4j of store {status.store} crashed; the data is kept. Start it again: twohop neo4j start")
    else:
        typer.echo(f"Neo4j of store {status.store} does not run. Start it: twohop neo4j start")
    _print_addresses(status)


def _server(store: str | None) -> "ManagedServer":
    from graph.server import ManagedServer
    from graph.settings import load_settings

    return ManagedServer(load_settings(store))


def _print_addresses(status: "Status") -> None:
    from graph.browser import guide_uri

    rows = (
        ("Browser", status.browser_uri),
        ("guide", status.browser_uri and f":guide {guide_uri(status.browser_uri)}"),
        ("Bolt", status.bolt_uri),
        ("user", "neo4j"),
        ("password", f"in {status.password_file}"),
        ("data", status.data_folder),
        ("log", status.log),
    )
    for name, value in rows:
        if value is not None:
            typer.echo(f"  {name:<9} {value}")
