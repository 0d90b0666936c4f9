"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

User = Annotated[str, typer.Argument(metavar="USER", help="Id of a user.")]
Item = Annotated[str, typer.Argument(metavar="ITEM", help="Id of an item.")]
Store = Annotated[str | None, typer.Option("--store", help="Name of the store; else TWOHOP_STORE.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Number = Annotated[int, typer.Option("-n", "--number", min=1, help="How many to show.")]
Triggers = Annotated[int, typer.Option("-m", "--triggers", min=1, help="Triggers: the user's strongest interactions.")]
Neighbours = Annotated[int, typer.Option("-k", "--neighbours", min=1, help="Neighbours of each trigger.")]
ArtefactName = Annotated[
    str | None, typer.Option("--artefact", metavar="NAME", help="A trained model; else the latest.", show_default=False)
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FOLDER", help="Folder with raw data sets; else TWOHOP_DATA.", show_default=False),
]
Users = Annotated[int | None, typer.Option("--users", min=1, metavar="N", help="N random users, for a quick look.")]
EngineName = Literal["cypher", "projection"]
Engine = Annotated[
    EngineName,
    typer.Option("--engine", help="cypher: a query; projection: the same in memory, built where it is not there."),
]
