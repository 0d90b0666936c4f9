"""`twohop evaluate`: how good the recommendations are on what was held out."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.options import ArtefactName, AsJson, Data, Neighbours, Store, Triggers

if TYPE_CHECKING:
    from graph.driver import Database
    from graph.schema import Source
    from graph.settings import Settings
    from models.evaluation import Engine
    from models.protocols import Items, Protocol

app = typer.Typer()

EngineName = Literal["cypher", "network"]
Ranking = Annotated[EngineName, typer.Option("--engine", help="cypher: as served; network: the model over all paths.")]
Users = Annotated[int | None, typer.Option("--users", min=1, metavar="N", help="N random users, for a quick look.")]
Negatives = Annotated[
    int | None,
    typer.Option("--negatives", min=1, metavar="N", help="Rank also among N drawn items that a user had not."),
]
SEED = 0  # of the random users and negatives


@app.command()
def evaluate(
    engine: Ranking = "cypher",
    users: Users = None,
    negatives: Negatives = None,
    m: Triggers = 300,
    k: Neighbours = 100,
    artefact: ArtefactName = None,
    data: Data = None,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Rank for every user what was held out from training. With --json one line for each protocol (JSON Lines).

    Each metric comes with its 95% interval. The engine cypher takes -m and -k, the engine network takes --artefact.
    MovieLens-1M is also ranked among 99 negatives where --data or TWOHOP_DATA has them.
    """
    from pydantic_core import to_json

    from api.display import show_evaluation, show_note
    from cypher.catalogue import catalogue
    from graph.driver import connect
    from graph.settings import load_settings
    from graph.source import read_source
    from models.evaluation import Catalogue, Evaluation
    from models.evaluation import evaluate as run

    settings = load_settings(store)
    if data:
        settings = settings.model_copy(update={"data": data})
    with connect(settings) as database:
        source = read_source(database)
        shop = Catalogue.of(catalogue(database, source.min_buyers))
        protocols = _protocols(database, source, settings, shop.items, negatives)
        ranker = _served(database, m, k) if engine == "cypher" else _network(database, settings, artefact)
        for protocol in protocols if users is None else _draw(protocols, users):
            result = Evaluation.of(source.id, protocol.name, engine, run(protocol, ranker, shop), source.note)
            if as_json:
                shown = asdict(result)
                del shown["note"]
                typer.echo(to_json(shown).decode())
            else:
                show_evaluation(result)
    show_note(source, to_stderr=as_json)


def _protocols(
    database: "Database", source: "Source", settings: "Settings", items: "Sequence[str]", negatives: int | None
) -> "list[Protocol]":
    from cypher.held_out import held_out
    from models.protocols import drawn_negatives, protocols

    rows = held_out(database, source.min_buyers)
    samples: dict[str, Items] = {}
    if published := _published_negatives(source, settings):
        samples["negatives"] = published
    if negatives:
        truth, seen = {row.user: row.new for row in rows}, {row.user: row.had for row in rows}
        samples["drawn negatives"] = drawn_negatives(truth, items, seen, negatives, SEED)
    return protocols(source.protocol, rows, samples)


def _draw(protocols: "list[Protocol]", users: int) -> "list[Protocol]":
    """The same random users for every protocol; its name says that these are not all."""
    import numpy as np

    every = sorted({user for protocol in protocols for user in protocol.truth})
    if users >= len(every):
        return protocols
    drawn = {str(user) for user in np.random.default_rng(SEED).choice(every, users, replace=False)}
    return [
        replace(
            protocol,
            name=f"{protocol.name}, {users} random users",
            truth={user: items for user, items in protocol.truth.items() if user in drawn},
        )
        for protocol in protocols
    ]


def _published_negatives(source: "Source", settings: "Settings") -> dict[str, list[str]] | None:
    """MovieLens-1M's published negatives, where their file is at hand."""
    from loaders import movielens_1m

    folder = settings.data / source.id if settings.data else None
    if folder is None or source.id != "movielens-1m" or source.protocol != "marked":
        return None
    if not (folder / "ml-1m.test.negative.gz").is_file():
        return None
    rows = movielens_1m.negatives(folder).group_by("user").agg("item")
    return dict(rows.select("user", "item").iter_rows())


def _served(database: "Database", m: int, k: int) -> "Engine":
    """What a user of the live generation gets."""
    from cypher import rank, recommend
    from cypher.live import live
    from models.engines import served_engine

    live(database)

    def recommended(user: str, n: int, repeats: bool) -> list[str]:
        return [item.id for item in recommend.recommend(database, user, n, m=m, k=k, repeats=repeats, fill=False).items]

    def ranked(user: str, items: Sequence[str]) -> dict[str, float]:
        return {item.id: item.score for item in rank.rank(database, user, items, m=m, k=k)}

    return served_engine(recommended, ranked)


def _network(database: "Database", settings: "Settings", artefact: str | None) -> "Engine":
    from graph.snapshot import read_snapshot
    from models.artefacts import load
    from models.engines import network_engine
    from models.index import network_scores

    model = load(settings.artefacts_folder, artefact)
    data = read_snapshot(database)
    return network_engine(network_scores(model, data), list(data["user"].id), list(data["item"].id))
