"""A source into the graph, as the command and the demo load it."""

from pathlib import Path
from typing import Literal

from graph.driver import Database
from graph.settings import Settings
from graph.writers import write
from loaders import Loaded, Shape, load


def load_source(
    name: str,
    settings: Settings,
    database: Database,
    *,
    mapping: Path | None = None,
    hold_out: str | None = None,
    writer: Literal["auto", "bulk", "incremental"] = "auto",
    shape: Shape | None = None,
) -> tuple[Loaded, str]:
    """Read a source and write it into the graph. Gives what was read and the writer's name."""
    loaded = load(name, settings, mapping=mapping, hold_out=hold_out, shape=shape)
    return loaded, write(loaded.tables, settings, database, writer)
