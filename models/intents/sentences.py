"""From an assortment's name to a sentence that a person would say (section IV.B): by a grammar or a language model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

import yaml

from graph.errors import ArtefactError

PROMPT = (
    "A store groups these products: {names}. The group is called {name}. "
    "What does a shopper want to do who needs them together? Answer with a short phrase that starts with a verb."
)
LONGEST = 80  # characters of a sentence


@dataclass(frozen=True)
class Assortment:
    """What is rewritten: names from the top of the tree down to the node's own, and the names of its children."""

    path: tuple[str, ...]
    children: tuple[str, ...]


class SentenceEngine(Protocol):
    """Gives one sentence for each assortment, starting with a verb in lower case."""

    def rewrite(self, assortments: Sequence[Assortment]) -> list[str]: ...


class Grammar:
    """The default: `grammar.yaml` over the node's name, what stands above it, and the kind of activity."""

    def rewrite(self, assortments: Sequence[Assortment]) -> list[str]:
        return [self.sentence(assortment)[1] for assortment in assortments]

    def sentence(self, assortment: Assortment) -> tuple[str, str]:
        """The kind of activity and the sentence."""
        *above, name = assortment.path
        place = " > ".join(above) or name
        for rule in _rules():
            match = rule.name.fullmatch(name)
            if match and rule.place.search(place):
                groups = [lower(group or "") for group in match.groups()]
                said = rule.say.format(lower(name), *groups, name=lower(name))
                return rule.kind, _article(" ".join(said.replace("&", "and").split()))
        raise AssertionError("the last rule matches every name")


class Instructed:
    """Any instruction model of `transformers` by name, such as bigscience/T0pp, which the paper used."""

    def __init__(self, model: str = "bigscience/T0pp") -> None:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer  # noqa: PLC0415  only where it is asked for

        try:
            self.tokenizer = AutoTokenizer.from_pretrained(model)
            self.model: Any = AutoModelForSeq2SeqLM.from_pretrained(model).eval()
        except (OSError, ValueError) as error:
            raise ArtefactError(
                f"model {model} cannot be loaded ({str(error).splitlines()[0]}): give the name or the folder of a "
                "sequence-to-sequence model, or use --rewriter grammar"
            ) from None

    def rewrite(self, assortments: Sequence[Assortment]) -> list[str]:
        """One beam search each; what is no phrase of its own is replaced by the grammar's sentence."""
        grammar = Grammar()
        found = []
        for assortment in assortments:
            text = PROMPT.format(name=assortment.path[-1], names=", ".join(assortment.children[:12]))
            tokens = self.tokenizer(text, return_tensors="pt", truncation=True)
            made = self.model.generate(**tokens, max_new_tokens=16, num_beams=4)
            said = _tidy(self.tokenizer.decode(made[0], skip_special_tokens=True))
            found.append(said or grammar.sentence(assortment)[1])
        return found


@dataclass(frozen=True)
class _Rule:
    kind: str
    say: str
    name: re.Pattern[str]
    place: re.Pattern[str]


@cache
def _rules() -> tuple[_Rule, ...]:
    given = yaml.safe_load(files("models.intents").joinpath("grammar.yaml").read_text(encoding="utf-8"))
    return tuple(
        _Rule(rule["kind"], rule["say"], re.compile(rule["name"]), re.compile(rule.get("place", ""))) for rule in given
    )


def lower(text: str) -> str:
    """Lower case, but for words such as TV, 3D and DIY."""
    return " ".join(
        word if sum(map(str.isupper, word)) > 1 or word in PROPER else word.lower() for word in text.split()
    )


PROPER = {"Christmas", "Halloween", "Easter", "Thanksgiving", "Hanukkah", "Diwali", "Valentine", "Japanese", "Chinese"}
PLURAL = re.compile(r"(?<!s)s$|\band\b|\bing$")


def _article(text: str) -> str:
    """`a` before a vowel becomes `an`; before a plural, a list or an activity it goes."""
    match = re.search(r"\b(?:for|up|out|of|upgrade) a ([\w'-]+(?: .*)?)$", text)
    if match:
        noun = match[1]
        if PLURAL.search(noun) or noun.split()[-1].endswith("ing") or " and " in noun:
            return text[: match.start(1) - 2] + noun
        if noun[0] in "aeiou":
            return text[: match.start(1) - 2] + "an " + noun
    return text


def _tidy(text: str) -> str | None:
    words = " ".join(text.strip().strip(".!?\"'").split())
    words = re.sub(r"^(to|they want to|the shopper wants to|i want to)\s+", "", words, flags=re.IGNORECASE)
    if not 5 <= len(words) <= LONGEST or len(words.split()) < 2 or not words[0].isalpha():
        return None
    return words[0].lower() + words[1:]
