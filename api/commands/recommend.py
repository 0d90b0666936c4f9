"""`twohop recommend|similar|explain`: what the live generation says."""

from typing import Annotated

import typer

from api.options import AsJson, Engine, Item, Neighbours, Number, Store, Triggers, User
from cypher.walk import NEIGHBOURS, TRIGGERS

app = typer.Typer()

Explain = Annotated[bool, typer.Option("--explain", help="With each item the paths that made its score.")]
Repeats = Annotated[bool, typer.Option("--repeats", help="Also what the user had already.")]
Category = Annotated[
    str | None, typer.Option("--category", metavar="NODE", help="Only items in or below this browse node.")
]
MinPrice = Annotated[float | None, typer.Option("--min-price", min=0, help="Only items that cost so much or more.")]
MaxPrice = Annotated[float | None, typer.Option("--max-price", min=0, help="Only items that cost so much or less.")]
Exclude = Annotated[list[str] | None, typer.Option("--exclude", metavar="ITEM", help="Not this item; may be repeated.")]


@app.command()
def recommend(
    user: User,
    n: Number = 10,
    m: Triggers = TRIGGERS,
    k: Neighbours = NEIGHBOURS,
    explain: Explain = False,
    repeats: Repeats = False,
    category: Category = None,
    min_price: MinPrice = None,
    max_price: MaxPrice = None,
    exclude: Exclude = None,
    engine: Engine = "cypher",
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Recommend items to a user, with the reasons on demand."""
    from api.display import show_recommendations
    from api.documents import RecommendationsDocument
    from api.engines import open_engine
    from api.web.experiment import bucket
    from cypher.filters import Filters
    from graph.driver import connect
    from graph.settings import load_settings

    settings = load_settings(store)
    with connect(settings, create=False) as database, open_engine(engine, database, settings) as opened:
        answer = opened.recommend(
            user,
            n,
            m=m,
            k=k,
            repeats=repeats,
            explain=explain,
            filters=Filters(category, min_price, max_price, tuple(exclude or ())),
            bucket=bucket(user),
        )
        if as_json:
            typer.echo(RecommendationsDocument.of(answer, explain).model_dump_json(exclude_unset=True))
        else:
            show_recommendations(database, answer, explain)


@app.command()
def similar(item: Item, n: Number = 10, as_json: AsJson = False, store: Store = None) -> None:
    """Show the items most similar to an item."""
    from api.display import show_similar
    from api.documents import SimilarItemsDocument
    from cypher import similar as query
    from cypher.live import live
    from graph.driver import connect
    from graph.settings import load_settings

    with connect(load_settings(store), create=False) as database:
        found = query.similar(database, item, n)
        generation = found[0].generation if found else live(database).id
        if as_json:
            typer.echo(SimilarItemsDocument.of(item, generation, found).model_dump_json())
        else:
            show_similar(database, item, generation, found)


@app.command()
def explain(
    user: User,
    item: Item,
    m: Triggers = TRIGGERS,
    k: Neighbours = NEIGHBOURS,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Show every path from a user to an item, and each one's share of the score."""
    from pydantic_core import to_json

    from api.display import show_explanation
    from api.web.experiment import bucket
    from cypher import explain as query
    from graph.driver import connect
    from graph.settings import load_settings

    with connect(load_settings(store), create=False) as database:
        answer = query.explain(database, user, item, m, k, bucket(user))
        if as_json:
            typer.echo(to_json(answer).decode())
        else:
            show_explanation(database, answer)
