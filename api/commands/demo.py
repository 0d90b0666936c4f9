"""`twohop demo`: the whole line on real shopping data."""

import typer

app = typer.Typer()

STORE = SOURCE = "complete-journey"


@app.command()
def demo() -> None:
    """Start Neo4j, load The Complete Journey, train, link intents, and show what comes of it with the reasons.

    What is done already is skipped, so an interrupted demo goes on and a second one takes seconds.
    """
    from api.demo import prepare, prepare_intents, show
    from graph.driver import connect
    from graph.settings import load_settings

    settings = load_settings(STORE)
    with connect(settings) as database:
        prepare(settings, database, SOURCE)
        prepare_intents(settings, database)
        show(settings, database)
