"""Raw data in: each source is a map of columns; checks, quarantine and hold-out are the same for all."""

from pathlib import Path

from graph.errors import SourceError
from graph.settings import Settings
from loaders import amazon_beauty, complete_journey, generated, movielens_1m, tables
from loaders.generated import Shape
from loaders.pipeline import Count, Loaded, build

__all__ = ["SOURCES", "Count", "Loaded", "Shape", "load"]

_BUILT_IN = {
    "complete-journey": complete_journey.prepare,
    "movielens-1m": movielens_1m.prepare,
    "amazon-beauty": amazon_beauty.prepare,
}
SOURCES = (*_BUILT_IN, "tables", "generated")


def load(
    name: str,
    settings: Settings,
    *,
    mapping: Path | None = None,
    hold_out: str | None = None,
    shape: Shape | None = None,
) -> Loaded:
    """Read, check and split the source `name`.

    Args:
        name: one of `SOURCES`.
        mapping: the mapping file, for `tables` only.
        hold_out: `none`, `last`, `marked` or `days:N` instead of the source's own protocol.
        shape: for `generated` only; None takes its defaults.

    Raises `SourceError` for an unknown name, missing or damaged data and a mapping that does not fit; single bad rows
    go to `Loaded.quarantine` instead.
    """
    if name == "tables":
        return build(tables.prepare(mapping), settings, hold_out)
    if name == "generated":
        with generated.prepare(settings, shape or Shape()) as recipe:
            return build(recipe, settings, hold_out)
    if name not in _BUILT_IN:
        raise SourceError(f"source {name!r} is not known: use one of {', '.join(SOURCES)}")
    if mapping is not None:
        raise SourceError(f"source {name} takes no mapping file: use the source tables")
    return build(_BUILT_IN[name](settings), settings, hold_out)
