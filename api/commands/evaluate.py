"""`twohop evaluate`: how good the recommendations are on what was held out."""

from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.options import ArtefactName, AsJson, Data, Neighbours, Store, Triggers, Users
from cypher.walk import NEIGHBOURS, TRIGGERS

if TYPE_CHECKING:
    from graph.driver import Database
    from graph.settings import Settings
    from models.evaluation import Engine

app = typer.Typer()

RankingName = Literal["cypher", "projection", "network", "item-to-item"]
Ranking = Annotated[
    RankingName,
    typer.Option(
        "--engine",
        help="cypher, projection: as served; network: the model over all paths; item-to-item: SimNet alone.",
    ),
]
Negatives = Annotated[
    int | None,
    typer.Option("--negatives", min=1, metavar="N", help="Rank also among N drawn items that a user had not."),
]


@app.command()
def evaluate(
    engine: Ranking = "cypher",
    users: Users = None,
    negatives: Negatives = None,
    m: Triggers = TRIGGERS,
    k: Neighbours = NEIGHBOURS,
    artefact: ArtefactName = None,
    data: Data = None,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Rank for every user what was held out from training. With --json one line for each protocol (JSON Lines).

    Each metric comes with its 95% interval. The engines cypher and projection take -m and -k, network --artefact,
    item-to-item both --artefact and -k.
    MovieLens-1M is also ranked among 99 negatives where --data or TWOHOP_DATA has them.
    """
    from pydantic_core import to_json

    from api.display import show_evaluation, show_note
    from api.engines import open_engine
    from api.evaluation import as_served, drawn, store_protocols
    from cypher.catalogue import catalogue
    from graph.driver import connect
    from graph.settings import load_settings
    from graph.source import read_source
    from models.evaluation import Catalogue, Evaluation
    from models.evaluation import evaluate as run

    settings = load_settings(store)
    if data:
        settings = settings.model_copy(update={"data": data})
    with connect(settings, create=False) as database, ExitStack() as stack:
        source = read_source(database)
        shop = Catalogue.of(catalogue(database, source.min_buyers))
        protocols = store_protocols(database, source, settings, shop.items, negatives)
        if engine in ("cypher", "projection"):
            ranker = as_served(stack.enter_context(open_engine(engine, database, settings)), m, k)
        else:
            ranker = _computed(engine, database, settings, artefact, k)
        for protocol in protocols if users is None else drawn(protocols, users):
            result = Evaluation.of(source.id, protocol.name, engine, run(protocol, ranker, shop), source.note)
            if as_json:
                shown = asdict(result)
                del shown["note"]
                typer.echo(to_json(shown).decode())
            else:
                show_evaluation(result)
    show_note(source, to_stderr=as_json)


def _computed(
    engine: RankingName, database: "Database", settings: "Settings", artefact: str | None, k: int
) -> "Engine":
    from graph.snapshot import read_snapshot
    from models.artefacts import load
    from models.engines import network_engine
    from models.index import network_scores
    from models.item_to_item import item_engine

    model = load(settings.artefacts_folder, artefact)
    data = read_snapshot(database)
    scores = network_scores(model, data)
    users, items = list(data["user"].id), list(data["item"].id)
    if engine == "network":
        return network_engine(scores, users, items)
    return item_engine(scores.events, scores.similarity(k), users, items)
