"""Intents by the words of a text."""

import re

from cypher.intents_by_meaning import FoundIntent
from graph.driver import Database
from graph.statements import statement

SYNTAX = re.compile(r'[-+&|!(){}\[\]^"~*?:\\/<>=]|\b(?:AND|OR|NOT|TO)\b')  # what is no word in Lucene's query language


def intents_by_words(database: Database, text: str, k: int = 10) -> list[FoundIntent]:
    """The `k` best; none where the text has no word. A text is only words here: Lucene's own syntax means nothing."""
    words = " ".join(SYNTAX.sub(" ", text).split())
    if not words:
        return []
    return [
        FoundIntent(**row) for row in database.read(statement("intents_by_words", "cypher"), {"words": words, "k": k})
    ]
