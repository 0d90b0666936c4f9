"""`twohop evaluate`: how good the recommendations are on what was held out."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.options import ArtefactName, AsJson, Data, Neighbours, Store, Triggers

if TYPE_CHECKING:
    from graph.driver import Database
    from graph.schema import Source
    from graph.settings import Settings
    from models.evaluation import Evaluation, Protocol, Rank, Recommend

app = typer.Typer()

EngineName = Literal["cypher", "network"]
Engine = Annotated[EngineName, typer.Option("--engine", help="cypher: as served; network: the model over all paths.")]
Users = Annotated[int | None, typer.Option("--users", min=1, metavar="N", help="N random users, for a quick look.")]
SEED = 0  # of the random users


@app.command()
def evaluate(
    engine: Engine = "cypher",
    users: Users = None,
    m: Triggers = 300,
    k: Neighbours = 100,
    artefact: ArtefactName = None,
    data: Data = None,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Rank for every user what was held out from training. With --json one line for each protocol (JSON Lines).

    The engine cypher takes -m and -k, the engine network takes --artefact. MovieLens-1M is also ranked among 99
    negatives where --data or TWOHOP_DATA has them.
    """
    from pydantic_core import to_json

    from api.display import show_evaluation, show_note
    from graph.driver import connect
    from graph.settings import load_settings
    from graph.source import read_source

    settings = load_settings(store)
    if data:
        settings = settings.model_copy(update={"data": data})
    with connect(settings) as database:
        source = read_source(database)
        protocols = _protocols(database, source, settings, users)
        rankers = _served(database, m, k) if engine == "cypher" else _network(database, source, settings, artefact)
        for result in _evaluate(database, source, protocols, engine, rankers):
            if as_json:
                shown = asdict(result)
                del shown["note"]
                typer.echo(to_json(shown).decode())
            else:
                show_evaluation(result)
    show_note(source, to_stderr=as_json)


def _evaluate(
    database: "Database",
    source: "Source",
    protocols: "list[Protocol]",
    engine: EngineName,
    rankers: "tuple[Recommend, Rank]",
) -> "Iterator[Evaluation]":
    from cypher.catalogue import catalogue
    from models.evaluation import Evaluation, evaluate

    items = catalogue(database, source.min_buyers)
    for protocol in protocols:
        metrics = evaluate(protocol, *rankers)
        yield Evaluation(source.id, protocol.name, engine, len(protocol.truth), items, metrics, source.note)


def _protocols(database: "Database", source: "Source", settings: "Settings", users: int | None) -> "list[Protocol]":
    from cypher.held_out import held_out
    from models.evaluation import protocols

    found = protocols(source.protocol, held_out(database, source.min_buyers), _negatives(source, settings))
    return found if users is None else _draw(found, users)


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


def _negatives(source: "Source", settings: "Settings") -> dict[str, list[str]] | None:
    """MovieLens-1M's published negatives, where their file is at hand."""
    from loaders import movielens_1m

    folder = settings.data / source.id if settings.data else None
    if folder is None or source.id != "movielens-1m" or source.protocol != "marked":
        return None
    if not (folder / "ml-1m.test.negative.gz").is_file():
        return None
    rows = movielens_1m.negatives(folder).group_by("user").agg("item")
    return dict(rows.select("user", "item").iter_rows())


def _served(database: "Database", m: int, k: int) -> "tuple[Recommend, Rank]":
    """What a user of the live generation gets."""
    from collections.abc import Sequence

    from cypher import rank, recommend
    from cypher.live import live

    live(database)

    def recommended(user: str, n: int, repeats: bool) -> list[str]:
        return [item.id for item in recommend.recommend(database, user, n, m=m, k=k, repeats=repeats, fill=False).items]

    def ranked(user: str, items: Sequence[str]) -> dict[str, float]:
        return {item.id: item.score for item in rank.rank(database, user, items, m=m, k=k)}

    return recommended, ranked


def _network(
    database: "Database", source: "Source", settings: "Settings", artefact: str | None
) -> "tuple[Recommend, Rank]":
    from graph.snapshot import read_snapshot
    from models.artefacts import load
    from models.evaluation import network_engine
    from models.index import network_scores

    model = load(settings.artefacts_folder, artefact)
    data = read_snapshot(database)
    return network_engine(network_scores(model, data), list(data["user"].id), list(data["item"].id), source.min_buyers)
