"""How names of browse nodes become words that a sentence encoder understands, and how texts are compared by words."""

import re
from collections.abc import Sequence
from functools import lru_cache

import simplemma

# Abbreviations of supermarkets' own trees; the first word that fits is taken.
ABBREVIATIONS = {
    "frzn": "frozen", "frz": "frozen", "refrgratd": "refrigerated", "refrig": "refrigerated", "pkgd": "packaged",
    "pckgd": "packaged", "brkfst": "breakfast", "whlsm": "wholesome", "bkd": "baked", "fd": "food", "dshs": "dishes",
    "dsh": "dish", "veg": "vegetable", "pnt": "peanut", "btr": "butter", "pwdr": "powder", "crystl": "crystal",
    "drnk": "drink", "drnks": "drinks", "mx": "mix", "mxs": "mixes", "sald": "salad", "drsng": "dressing",
    "sndwch": "sandwich", "sprd": "spread", "wtr": "water", "bn": "beans", "clng": "cleaning", "cleang": "cleaning",
    "tiss": "tissue", "dnr": "dinner", "bg": "bags", "trsh": "trash", "sply": "supplies", "hbc": "health and beauty",
    "snks": "snacks", "ckys": "cookies", "crkr": "crackers", "cndy": "candy", "flvrd": "flavored", "sherbts": "sherbet",
    "pkld": "pickled", "gm": "general merchandise", "misc": "miscellaneous", "cnd": "canned", "prod": "produce",
    "sw": "sweet", "gds": "goods", "chix": "chicken", "sal": "salad", "chs": "cheese", "disposible": "disposable",
    "btl": "bottle", "hygn": "hygiene", "fem": "feminine", "choc": "chocolate", "prep": "prepared",
}  # fmt: skip
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
STOP = {
    *(
        "a",
        "an",
        "and",
        "at",
        "by",
        "for",
        "from",
        "in",
        "into",
        "of",
        "on",
        "or",
        "the",
        "to",
        "up",
        "with",
        "without",
    ),
    *("your", "my", "our", "their", "its", "it", "all"),
}


@lru_cache(maxsize=200_000)
def plain_name(name: str) -> str:
    """A node's name in plain words: no capitals throughout, common abbreviations spelled out."""
    text = name
    if text.upper() == text and text.lower() != text:
        text = text.lower()
        text = WORD.sub(lambda word: ABBREVIATIONS.get(word[0], word[0]), text)
    return " ".join(text.replace("/", " / ").split())


def category_text(names: Sequence[str]) -> str:
    """What the encoder reads of a category: its own name, and for its sense the name above it."""
    own = plain_name(names[-1])
    if len(names) < 2:
        return own
    return f"{own} ({plain_name(names[-2])})"


@lru_cache(maxsize=200_000)
def lemmas(text: str, language: str = "en") -> frozenset[str]:
    """The content words of a text, each as its dictionary form."""
    return frozenset(
        simplemma.lemmatize(word, lang=language) for word in WORD.findall(text.lower()) if word not in STOP
    )
