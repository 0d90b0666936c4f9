"""Intents by what a text means."""

from collections.abc import Sequence
from dataclasses import dataclass

from cypher.intents import ListedIntent
from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class FoundIntent(ListedIntent):
    """`score`: cosine of the vectors where the search was by meaning, Lucene's score where it was by words."""

    score: float


def intents_by_meaning(database: Database, vector: Sequence[float], k: int = 10) -> list[FoundIntent]:
    """The `k` nearest; `vector` [d] is the text's, by the encoder that linked the graph."""
    rows = database.read(statement("intents_by_meaning", "cypher"), {"vector": list(vector), "k": k})
    return [FoundIntent(**row) for row in rows]
