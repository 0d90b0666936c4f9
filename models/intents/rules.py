"""Business rules over the PR-graph (section IV.C.2): data in `rules.yaml`; each names what it dropped, and why."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from graph.errors import SettingsError, one_line
from graph.intents import Intent
from models.intents.encoder import Floats
from models.intents.texts import lemmas

YOUNG = frozenset(("babies", "children", "teens"))


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    return pattern


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Apart(_Rule):
    rule: Literal["gender"]
    apart: dict[str, str] = Field(min_length=2)

    @field_validator("apart")
    @classmethod
    def _patterns(cls, given: dict[str, str]) -> dict[str, str]:
        return {name: _compiles(pattern) for name, pattern in given.items()}


class AgeRestricted(_Rule):
    rule: Literal["age-restricted"]
    groups: dict[str, str] = Field(min_length=1)
    children: str

    @field_validator("groups")
    @classmethod
    def _patterns(cls, given: dict[str, str]) -> dict[str, str]:
        return {name: _compiles(pattern) for name, pattern in given.items()}

    @field_validator("children")
    @classmethod
    def _pattern(cls, given: str) -> str:
        return _compiles(given)


class NearDuplicate(_Rule):
    rule: Literal["near-duplicate"]
    cosine: float = Field(default=0.8, gt=0, le=1)


class DoesNotBelong(_Rule):
    rule: Literal["does-not-belong"]


Rule = Annotated[Apart | AgeRestricted | NearDuplicate | DoesNotBelong, Field(discriminator="rule")]
RULES = TypeAdapter(list[Rule])


def read_rules(file: Path | None = None) -> list[Rule]:
    """The rules in `file`, or those of the project. Raises `SettingsError` with one line."""
    place = file or files("models.intents").joinpath("rules.yaml")
    try:
        return RULES.validate_python(yaml.safe_load(place.read_text(encoding="utf-8")) or [])
    except OSError as error:
        raise SettingsError(f"rules {place}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"rules {place}: not UTF-8 text") from None
    except yaml.YAMLError as error:
        said = " ".join(str(getattr(error, "problem", error)).split())
        raise SettingsError(f"rules {place}: not YAML: {said}") from None
    except ValidationError as error:
        raise SettingsError(f"rules {place}: {one_line(error)}") from None


@dataclass(frozen=True)
class Category:
    """What the rules see of a category: its `paths` (its own and Google's), ids `above` it, its name's vector."""

    id: str
    name: str
    paths: tuple[str, ...]
    above: frozenset[str]
    vector: Floats

    @property
    def text(self) -> str:
        return "\n".join(self.paths)


Check = Callable[[Category, Category, Intent], str | None]


def checks(rules: Sequence[Rule]) -> dict[str, Check]:
    """For each rule by name: (category, its complement, intent) → why it is dropped, or None. Of one name all hold."""
    made: dict[str, Check] = {}
    for rule in rules:
        check = _check(rule)
        made[rule.rule] = _either(made[rule.rule], check) if rule.rule in made else check
    return made


def _check(rule: Rule) -> Check:
    if isinstance(rule, Apart):
        return _apart(rule)
    if isinstance(rule, AgeRestricted):
        return _of_age(rule)
    return _near(rule) if isinstance(rule, NearDuplicate) else _belongs


def _either(one: Check, other: Check) -> Check:
    return lambda category, complement, intent: one(category, complement, intent) or other(category, complement, intent)


def _groups(patterns: dict[str, str]) -> Callable[[Category], set[str]]:
    compiled = {name: re.compile(pattern, re.MULTILINE) for name, pattern in patterns.items()}
    known: dict[str, set[str]] = {}

    def of(category: Category) -> set[str]:
        if category.id not in known:
            known[category.id] = {name for name, pattern in compiled.items() if pattern.search(category.text)}
        return known[category.id]

    return of


def _apart(rule: Apart) -> Check:
    of = _groups(rule.apart)

    def check(category: Category, complement: Category, intent: Intent) -> str | None:
        left, right = of(category), of(complement)
        audience = set(intent.audience) & set(rule.apart)
        if left and right and not left & right:
            return f"{_listed(left)} and {_listed(right)} are kept apart"
        if audience and right and not audience & right:
            return f"the intent is for {_listed(audience)}, this is for {_listed(right)}"
        return None

    return check


def _of_age(rule: AgeRestricted) -> Check:
    of, child = _groups(rule.groups), re.compile(rule.children, re.MULTILINE)

    def check(category: Category, complement: Category, intent: Intent) -> str | None:
        right = of(complement)
        if not right:
            return None
        if YOUNG & set(intent.audience):
            return f"{_listed(right)} is not for {_listed(YOUNG & set(intent.audience))}"
        if child.search(category.text):
            return f"{_listed(right)} is not shown beside what is for children"
        if not right & of(category):
            return f"{_listed(right)} only completes {_listed(right)}"
        return None

    return check


def _near(rule: NearDuplicate) -> Check:
    def check(category: Category, complement: Category, intent: Intent) -> str | None:  # noqa: ARG001
        if category.id in complement.above or complement.id in category.above:
            return "one is a part of the other"
        if set(category.paths) & set(complement.paths):
            return "both are the same in Google's words"
        if lemmas(category.name) == lemmas(complement.name):
            return "both have the same name"
        near = float(np.dot(category.vector, complement.vector))
        return f"nearly the same: cosine {near:.2f} of the names" if near >= rule.cosine else None

    return check


def _belongs(category: Category, complement: Category, intent: Intent) -> str | None:  # noqa: ARG001
    wrong = set(intent.excludes) & set(complement.paths)
    return f"the table of intents leaves it out of {intent.sentence!r}" if wrong else None


def _listed(names: set[str] | frozenset[str]) -> str:
    return " and ".join(sorted(names))
