"""`twohop serve`: the REST API and the window."""

import ipaddress
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import Engine, Store

if TYPE_CHECKING:
    from graph.settings import Settings

app = typer.Typer()

Host = Annotated[str, typer.Option("--host", help="Address to listen on. Others than your own want a stored key.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")]


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, engine: Engine = "cypher", store: Store = None) -> None:
    """Serve recommendations over HTTP, until Ctrl-C. The routes are described at /docs.

    On your own machine it prints the address of the window, with a key that may write and that ends with the process.
    Its database may come later: until then it answers 503.
    """
    from api.web.app import create_app
    from api.web.server import listen
    from api.web.server import serve as serve_app
    from graph.settings import load_settings

    settings = load_settings(store)
    bound = listen(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}"
    local = _is_local(bound)
    if not local:
        _see_a_key(host, settings)
    created = create_app(settings, engine)
    created.openapi()  # now, or the first request waits until all routes are built
    key = f"#key={created.state.keys.make_own('write')}" if local else ""
    serve_app(created, bound, settings.idle_timeout, lambda: typer.echo(f"Window: {address}/{key}"))


def _is_local(bound: socket.socket) -> bool:
    return ipaddress.ip_address(bound.getsockname()[0]).is_loopback


def _see_a_key(host: str, settings: "Settings") -> None:
    """Raises `SettingsError` where nobody could use the API at this address. A database that is away says nothing."""
    from graph.driver import connect
    from graph.errors import DatabaseUnavailable, SettingsError
    from graph.keys import list_keys

    try:
        with connect(settings) as database:
            stored = list_keys(database)
    except DatabaseUnavailable:
        return
    if not stored:
        raise SettingsError(
            f"no API key is stored, and {host} is not this machine's own address: "
            "make one first (twohop keys create --role read --name NAME)"
        )
