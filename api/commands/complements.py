"""`twohop complements`: what completes an item, a category, or what a user is up to."""

from typing import Annotated

import typer

from api.options import AsJson, Number, Store

app = typer.Typer()

Subject = Annotated[str, typer.Argument(metavar="ITEM|CATEGORY", help="Id of an item or of a browse node.")]
OfUser = Annotated[bool, typer.Option("--user", help="The id is a user's: what the user still needs.")]
Why = Annotated[bool, typer.Option("--why", help="Show what business rules dropped, and why.")]


@app.command()
def complements(
    subject: Subject,
    n: Number = 10,
    user: OfUser = False,
    why: Why = False,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Show what completes an item or a category, each with its reason; with --user what a user still needs."""
    from pydantic_core import to_json

    from api.display_intents import (
        show_category_complements,
        show_dropped,
        show_item_complements,
        show_user_complements,
    )
    from api.web.experiment import bucket
    from cypher.category_complements import category_complements
    from cypher.dropped_complements import dropped_complements
    from cypher.item_complements import item_complements
    from cypher.user_complements import user_complements
    from graph.driver import connect
    from graph.errors import NotFound
    from graph.settings import load_settings

    with connect(load_settings(store), create=False) as database:
        if user:
            needed = user_complements(database, subject, n, bucket=bucket(subject))
            if as_json:
                typer.echo(to_json(needed).decode())
            else:
                show_user_complements(database, subject, needed.items)
            return
        try:
            found = category_complements(database, subject, n)
        except NotFound:
            try:
                items = item_complements(database, subject, n)
            except NotFound:
                raise NotFound(f"{subject!r} is neither an item nor a browse node of this store") from None
            if as_json:
                typer.echo(to_json({"item": subject, "items": items}).decode())
            else:
                show_item_complements(database, subject, items)
            return
        dropped = dropped_complements(database, subject) if why else []
        if as_json:
            shown = {"category": subject, "categories": found} | ({"dropped": dropped} if why else {})
            typer.echo(to_json(shown).decode())
        else:
            show_category_complements(database, subject, found)
            if why:
                show_dropped(dropped)
