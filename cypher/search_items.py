"""Items by the words of their titles and brands."""

import re
from typing import Literal

from cypher.filters import NO_FILTERS, Filters
from cypher.popular import ListedItem
from graph.driver import Database
from graph.statements import statement

Order = Literal["match", "popular", "newest"]
WORD = re.compile(r"\w")
SPECIAL = re.compile(r"([^\w\s])")


def search_items(
    database: Database, text: str, n: int = 10, order: Order = "match", filters: Filters = NO_FILTERS
) -> list[ListedItem]:
    """The `n` first available items whose title or brand has all words of `text`; the last may be only begun.

    Any text may be given: what has no word in it finds nothing. Raises `NotFound` for an unknown category.
    """
    asked = lucene(text)
    given = {"text": asked, "n": n, "order": order, **filters.parameters()}
    rows = database.read(statement("search_items", "cypher"), given) if asked else []
    if not rows:
        filters.check(database)
    return [ListedItem.of(row) for row in rows]


def lucene(text: str) -> str:
    """The words of a text as a query of Lucene's that wants all of them; empty where there is none.

    Each is a phrase: what Lucene takes apart, such as 40-inch, stays together. Lower case, so that none is an operator;
    all that is no letter or digit escaped, so that none is syntax.
    """
    words = [SPECIAL.sub(r"\\\1", word) for word in text.lower().split() if WORD.search(word)]
    if not words:
        return ""
    *whole, last = words
    return " AND ".join([*(f'"{word}"' for word in whole), f'("{last}" OR {last}*)'])
