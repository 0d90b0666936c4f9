"""`twohop index`: a model's weights into the graph."""

from typing import Annotated, Literal

import typer

from api.options import ArtefactName, Store

app = typer.Typer()

Similar = Annotated[int | None, typer.Option("-k", "--k", min=1, help="Similar items kept of each; else the recipe's.")]
Keep = Annotated[int, typer.Option("--keep", min=1, help="Generations that stay stored, the live one included.")]
Switch = Annotated[bool, typer.Option("--switch/--no-switch", help="Make the new generation live.")]

Engine = Annotated[
    Literal["local", "spark"], typer.Option("--engine", help="What makes the edges: this machine, or Apache Spark.")
]
Master = Annotated[
    str | None, typer.Option("--master", help="Address of the Spark cluster; unset: all cores of this machine.")
]
NetworksOnly = Annotated[
    bool,
    typer.Option("--networks-only", help="Only add the networks that stored generations of an older version lack."),
]


@app.command()
def index(
    artefact: ArtefactName = None,
    k: Similar = None,
    keep: Keep = 2,
    switch: Switch = True,
    networks_only: NetworksOnly = False,
    engine: Engine = "local",
    master: Master = None,
    store: Store = None,
) -> None:
    """Write a model's weights as a new generation and switch to it at once; older ones leave.

    A failure leaves the live generation as it is. `twohop generations rollback` takes the switch back.
    """
    from api.display import output
    from api.training import spread_index, write_index, write_networks
    from graph import generations
    from graph.driver import connect
    from graph.settings import load_settings
    from graph.snapshot import read_snapshot
    from graph.spread import LOCAL
    from models.artefacts import load

    if master and engine != "spark":
        raise typer.BadParameter("--master is for --engine spark", param_hint="--master")
    settings = load_settings(store)
    if networks_only:
        with connect(settings, create=False) as database:
            added = [one[:12] for one in write_networks(database, settings)]
        output().print(f"Networks are stored of: {', '.join(added)}." if added else "No networks are missing.")
        return
    model = load(settings.artefacts_folder, artefact)
    with connect(settings, create=False) as database:
        data = read_snapshot(database)
        if engine == "spark":
            made = spread_index(database, settings, model, data, k, master or LOCAL)
        else:
            made = write_index(database, model, data, k)
        if switch:
            generations.switch(database, made)
        dropped = generations.prune(database, keep)
    console = output()
    state = "is live" if switch else f"is ready: twohop generations switch {made}"
    console.print(f"Generation {made} of model {model.id[:12]} {state}.")
    if dropped:
        console.print(f"Dropped: {', '.join(map(str, dropped))}.")
