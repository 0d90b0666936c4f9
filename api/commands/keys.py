"""`twohop keys create|list|revoke`: who may use the REST API."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.options import AsJson, Store

if TYPE_CHECKING:
    from graph.keys import ApiKey

app = typer.Typer(no_args_is_help=True, help="Make API keys, look at them, revoke them.")

# As graph.keys.Role has them; spelled here so that the command starts without the driver.
Role = Annotated[
    Literal["read", "write", "admin"], typer.Option("--role", help="What it may do; each may what those before it may.")
]
Name = Annotated[str, typer.Option("--name", help="Whose it is, or what for.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="As twohop keys list shows it.")]


@app.command()
def create(role: Role, name: Name, as_json: AsJson = False, store: Store = None) -> None:
    """Make a key. It is shown once and kept as a hash: nobody can read it again."""
    from pydantic_core import to_json

    from graph.driver import connect
    from graph.keys import create_key
    from graph.settings import load_settings

    with connect(load_settings(store)) as database:
        key_id, key = create_key(database, name, role)
    if as_json:
        typer.echo(to_json({"id": key_id, "role": role, "name": name, "key": key}).decode())
    else:
        typer.echo(f"Key {key_id} for {name} ({role}). Send it as X-API-Key; it is not shown again:\n{key}")


@app.command("list")
def show_list(as_json: AsJson = False, store: Store = None) -> None:
    """All keys, the oldest first, without the keys themselves."""
    from pydantic_core import to_json

    from graph.driver import connect
    from graph.keys import list_keys
    from graph.settings import load_settings

    with connect(load_settings(store)) as database:
        found = [_row(key) for key in list_keys(database)]
    if as_json:
        typer.echo(to_json(found).decode())
    else:
        _show(found)


@app.command()
def revoke(key_id: Id, store: Store = None) -> None:
    """Take a key back. A process that serves forgets it within 5 seconds."""
    from graph.driver import connect
    from graph.keys import revoke_key
    from graph.settings import load_settings

    with connect(load_settings(store)) as database:
        revoke_key(database, key_id)
    typer.echo(f"Key {key_id} is revoked.")


def _row(key: "ApiKey") -> dict[str, str]:
    created = key.created.strftime("%Y-%m-%dT%H:%M:%SZ") if key.created else ""
    return {"id": key.id, "name": key.name, "role": key.role, "created": created}


def _show(rows: list[dict[str, str]]) -> None:
    from rich.table import Table

    from api.display import name, output

    if not rows:
        typer.echo("No keys yet: twohop keys create --role read --name NAME")
        return
    table = Table(*rows[0], box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(name(text, None) for text in row.values()))
    output().print(table)
