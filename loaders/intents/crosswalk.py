"""Crosswalks: what a category of another tree is in Google's words, and which intents it serves, written by hand."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from graph.errors import SourceError, one_line
from loaders.intents.table import read_yaml

FEW = 3  # intents of a category, as in the paper


class Entry(BaseModel):
    """One category of a store or taxonomy.

    Attributes:
        google: paths that it stands for.
        intents: ids of those that it serves, the most typical first.
        optional_for: ids of intents that need a path which it stands for, but not from here: few would miss it.
        not_for: ids of intents that need such a path, of which this category holds another kind.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    node: str = Field(min_length=1)
    google: tuple[str, ...] = ()
    intents: tuple[str, ...] = Field((), max_length=FEW)
    optional_for: tuple[str, ...] = ()
    not_for: tuple[str, ...] = ()


class Crosswalk(BaseModel):
    """All entries of one `tree`, whose nodes have ids as the store or the taxonomy gives them (without `tree:`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tree: str
    categories: tuple[Entry, ...]

    @model_validator(mode="after")
    def _once(self) -> "Crosswalk":
        seen: set[str] = set()
        for entry in self.categories:
            if entry.node in seen:
                raise ValueError(f"node {entry.node!r} is there twice")
            seen.add(entry.node)
        return self


def read_crosswalk(tree: str, file: Path | None = None) -> Crosswalk | None:
    """The crosswalk of a tree, from `file` or of those that come with the project; None where there is none.

    Raises `SourceError` with one line.
    """
    place: Traversable | Path = file or files("loaders.intents").joinpath("crosswalks", f"{tree}.yaml")
    if file is None and not place.is_file():
        return None
    try:
        found = Crosswalk.model_validate(read_yaml(place))
    except ValidationError as error:
        raise SourceError(f"{place.name}: {one_line(error)}") from None
    if found.tree != tree:
        raise SourceError(f"{place.name}: is the crosswalk of {found.tree}, not of {tree}")
    return found
