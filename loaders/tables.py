"""Anyone's own files, described by a mapping file: see `docs/loading.md`."""

from pathlib import Path

from graph.errors import SourceError
from loaders.mapping import read_mapping
from loaders.pipeline import Recipe


def prepare(mapping: Path | None) -> Recipe:
    """Read the mapping; its files are relative to its folder. Raises `SourceError`."""
    if mapping is None:
        raise SourceError(
            "tables: no mapping file given: name one with --mapping (docs/loading.md shows how to write it)"
        )
    return Recipe(read_mapping(mapping), mapping.parent)
