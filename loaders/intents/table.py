"""The open table of shopping intents: what people set out to do, and the categories that it takes.

Written and reviewed by hand, one YAML file a theme in `open_table/`; `README.md` there has the rules and the licence.
Categories are paths of Google's product taxonomy (en-US, 2019-07-10).
"""

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from graph.errors import SourceError, one_line

FEWEST, MOST = 8, 20  # categories that an intent needs

Season = Literal[
    "spring", "summer", "autumn", "winter", "new-year", "valentine", "easter", "halloween", "thanksgiving", "christmas",
    "back-to-school",
]  # fmt: skip
Audience = Literal["babies", "children", "teens", "adults", "seniors", "women", "men", "pets"]
Path_ = Annotated[str, Field(pattern=r"^[^>]+( > [^>]+)*$")]


class ShoppingIntent(BaseModel):
    """One intent of the table.

    Attributes:
        id: lower-case words joined by `-`.
        sentence: what a person would say, from its verb on: `prepare for a grill party`.
        say: other ways to say it.
        department: top node of Google's taxonomy that it belongs to most.
        needs: paths of the categories that everybody would think of.
        forgotten: paths of the categories that it needs too, and that people forget.
        excludes: paths of categories that a search might bring but that do not belong.
        season, audience: where they matter.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)
    sentence: str = Field(pattern=r"^[a-z][^.!?]*$", max_length=80)
    say: tuple[str, ...] = Field(min_length=2, max_length=6)
    department: str
    needs: tuple[Path_, ...] = Field(min_length=4)
    forgotten: tuple[Path_, ...] = Field(min_length=1)
    excludes: tuple[Path_, ...] = Field(min_length=1)
    season: tuple[Season, ...] = ()
    audience: tuple[Audience, ...] = ()

    @property
    def categories(self) -> tuple[str, ...]:
        """All paths that it needs, the obvious ones first."""
        return self.needs + self.forgotten

    @field_validator("say")
    @classmethod
    def _plain(cls, say: tuple[str, ...]) -> tuple[str, ...]:
        for text in say:
            if not 3 <= len(text) <= 100 or text != " ".join(text.split()):
                raise ValueError(f"{text!r} is not 3 to 100 characters with single blanks")
        return say

    @model_validator(mode="after")
    def _adds_up(self) -> "ShoppingIntent":
        every = (*self.categories, *self.excludes)
        double = {path for path in every if every.count(path) > 1}
        if double:
            raise ValueError(f"category twice: {sorted(double)[0]}")
        if not FEWEST <= len(self.categories) <= MOST:
            raise ValueError(f"needs {len(self.categories)} categories, not {FEWEST} to {MOST}")
        texts = [text.lower() for text in (self.sentence, *self.say)]
        if len(set(texts)) < len(texts):
            raise ValueError("says the same twice")
        return self


ROWS = TypeAdapter(list[ShoppingIntent])


def read_file(file: Traversable | Path) -> list[ShoppingIntent]:
    """Read one file of the table. Raises `SourceError` with one line that names the file, the intent and the key."""
    given = read_yaml(file)
    try:
        return ROWS.validate_python(given)
    except ValidationError as error:
        raise SourceError(f"{file.name}: {_name_intent(one_line(error), given)}") from None


def read_yaml(file: Traversable | Path) -> object:
    """What a YAML file holds. Raises `SourceError`."""
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except OSError as error:
        raise SourceError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SourceError(f"{file.name} is not UTF-8 text: save it as UTF-8") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        raise SourceError(f"{file.name}{where}: not YAML: {why}") from None


def _name_intent(line: str, given: object) -> str:
    """The line with the intent's id where it has its number."""
    number = re.match(r"(\d+)(\.|: )", line)
    if number is None or not isinstance(given, list):
        return line
    place = int(number[1])
    own = given[place].get("id") if isinstance(given[place], dict) else None
    return f"{own or f'intent {place + 1}'}: {line[number.end() :]}"


def read_table(folder: Path | None = None) -> list[ShoppingIntent]:
    """All intents of the table, sorted by id; `folder` instead of the one that comes with the project.

    Raises `SourceError` where a file does not fit the schema, or an id or a sentence stands there twice.
    """
    found: dict[str, ShoppingIntent] = {}
    said: dict[str, str] = {}
    for file in _files(folder):
        for intent in read_file(file):
            text = re.sub(r"\W+", " ", intent.sentence.lower())
            if intent.id in found:
                raise SourceError(f"{file.name}: intent {intent.id} is there twice")
            if text in said:
                raise SourceError(f"{file.name}: {intent.id} says the same as {said[text]}: {intent.sentence}")
            found[intent.id], said[text] = intent, intent.id
    if not found:
        raise SourceError(f"no intent in {folder}: give a folder with YAML files as docs/intents.md shows")
    return [found[key] for key in sorted(found)]


def _files(folder: Path | None) -> Iterator[Traversable | Path]:
    place: Traversable | Path = folder or files("loaders.intents").joinpath("open_table")
    if not place.is_dir():
        raise SourceError(f"folder {place}: not there")
    yield from sorted((file for file in place.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
