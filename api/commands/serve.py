"""`twohop serve`: the REST API."""

from typing import Annotated

import typer

from api.options import Store

app = typer.Typer()

Host = Annotated[str, typer.Option("--host", help="Address to listen on. It has no authentication: keep it local.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")]


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, store: Store = None) -> None:
    """Serve recommendations over HTTP, until Ctrl-C. The routes are described at /docs."""
    import uvicorn

    from api.web.app import create_app
    from graph.driver import connect
    from graph.settings import load_settings

    settings = load_settings(store)
    connect(settings).close()  # what is wrong gets its one line here, before the web server starts
    uvicorn.run(create_app(settings), host=host, port=port, log_level="info")
