"""From an assortment's name to a sentence that a person would say (section IV.B): by a grammar or a language model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

import yaml

from graph.errors import ArtefactError
from models.intents.texts import plain_name

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
        """The kind of activity and the sentence: empty for what is no goal."""
        *above, name = (plain_name(part) if part.isupper() else part for part in assortment.path)
        name = re.sub(r"\s*\([^)]*\)", "", name)
        place = " > ".join(above) or name
        for rule in _rules():
            match = rule.name.fullmatch(name)
            if match and rule.place.search(place):
                if rule.say is None:
                    return rule.kind, ""
                groups = [_Words(lower(group or "")) for group in match.groups()]
                parent = _Words(lower(above[-1] if above else name))
                said = rule.say.format(_Words(lower(name)), *groups, name=_Words(lower(name)), parent=parent)
                return rule.kind, " ".join(said.split())
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
    say: str | None  # None: no goal
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
    return " ".join(word if word in PROPER else re.sub(r"[^\W_]+", _lower_part, word) for word in text.split())


PROPER = {
    *("Christmas", "Halloween", "Easter", "Thanksgiving", "Hanukkah", "Diwali", "Valentine", "Japanese", "Chinese"),
    *("American", "English", "French", "Pilates"),
}


def _lower_part(part: re.Match[str]) -> str:
    capitals = sum(map(str.isupper, part[0]))
    return part[0] if capitals > 1 or (capitals and part[0][0].isdigit()) else part[0].lower()


class _Words(str):
    """Words of a name in a rule's sentence: {1} as they are, {1:a} with an article, {1:s} in the plural."""

    def __format__(self, form: str) -> str:
        text = re.sub(r",? & ", " and ", self)
        noun = text.split()[-1] if text else ""
        activity = noun.endswith("ing") and noun not in COUNTED | MASS
        many = MANY.search(noun) or noun in MASS
        if form == "s" and not many and not activity:
            return " and ".join(map(_plural, text.split(" and ")))
        if form == "a" and not many and not activity:
            sound = "[AEFHILMNORSX]" if text.split()[0].isupper() else r"(?i)(?!uni|use|eur|one\b)[aeiou]"
            article = "an" if re.match(sound, text) else "a"
            return f"{article} {text.replace(' and ', ' or ')}"
        return f"your {text}" if form in ("a", "your") and not activity else text


MANY = re.compile(r"(?<![su])s$|ware$")  # a plural, or a mass such as cookware
# Nouns in -ing that are things, not activities, and nouns that take no article.
COUNTED = {
    *("ring", "earring", "spring", "string", "swing", "wing", "awning", "binding", "bearing", "ceiling", "fitting"),
    *("building", "painting", "railing", "wedding"),
}
MASS = {
    *("accessibility", "apparel", "audio", "bedding", "clothing", "decor", "equipment", "fish", "furniture", "gear"),
    *("jewelry", "lighting", "luggage", "makeup", "percussion", "plumbing", "storage", "tack", "tackle", "upholstery"),
    *("video",),
}


def _plural(noun: str) -> str:
    if MANY.search(noun) or noun in MASS:
        return noun
    return re.sub(r"([^aeiou])y$", r"\1ie", re.sub(r"(s|x|z|ch|sh)$", r"\1e", noun)) + "s"


def _tidy(text: str) -> str | None:
    words = " ".join(text.strip().strip(".!?\"'").split())
    words = re.sub(r"^(to|they want to|the shopper wants to|i want to)\s+", "", words, flags=re.IGNORECASE)
    if not 5 <= len(words) <= LONGEST or len(words.split()) < 2 or not words[0].isalpha():
        return None
    return words[0].lower() + words[1:]
