"""`twohop report`: the PDN paper's studies of a store, as tables and pictures."""

from pathlib import Path
from typing import Annotated

import typer

from api.options import ArtefactName, Data, Neighbours, Store, Users
from cypher.walk import NEIGHBOURS

app = typer.Typer()

Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for the pictures (PNG) and report.md.")]
Items = Annotated[
    list[str] | None, typer.Option("--item", metavar="ITEM", help="Show its neighbours; repeat for more items.")
]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="FIELD", help="Field of users' profiles; else the first.")
]
Edges = Annotated[
    list[int] | None,
    typer.Option("--edge", min=0, metavar="N", help="Longest history of a group, repeated; else four equal groups."),
]


@app.command()
def report(
    out: Out = Path("report"),
    item: Items = None,
    profile: Profile = None,
    edge: Edges = None,
    k: Neighbours = NEIGHBOURS,
    users: Users = None,
    artefact: ArtefactName = None,
    data: Data = None,
    store: Store = None,
) -> None:
    """Repeat the PDN paper's studies: quality with and without the user, by length of history, and what weights say.

    Prints tables 2 and 4 and figure 9, draws figures 7, 8 and 9, and writes a page with all of it. It wants the extra
    `report`, and takes minutes.
    """
    from models.baselines.extra import extra

    for module in ("matplotlib", "implicit"):
        extra(module, "report")

    from api.display import show_note
    from api.evaluation import drawn, store_protocols
    from api.report import Asked, Report
    from cypher.catalogue import catalogue
    from graph.driver import connect
    from graph.settings import load_settings
    from graph.snapshot import read_snapshot
    from graph.source import read_source
    from models.artefacts import load
    from models.evaluation import Catalogue
    from models.index import check_scalar, network_scores

    settings = load_settings(store)
    if data:
        settings = settings.model_copy(update={"data": data})
    asked = Asked(out, tuple(dict.fromkeys(item or ())), profile, tuple(sorted(set(edge or ()))), k)
    with connect(settings, create=False) as database:
        source = read_source(database)
        shop = Catalogue.of(catalogue(database, source.min_buyers))
        protocols = store_protocols(database, source, settings, shop.items)
        model = load(settings.artefacts_folder, artefact)
        check_scalar(model)
        snapshot = read_snapshot(database)
    asked.prepare(snapshot)
    scores = network_scores(model, snapshot)
    title = f"Studies of {source.id}: model {model.id[:12]}"
    Report(asked, snapshot, scores, shop, protocols if users is None else drawn(protocols, users), title).write()
    show_note(source)
