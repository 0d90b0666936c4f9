"""All intents, a page at a time."""

from dataclasses import dataclass
from typing import Literal

from graph.driver import Database
from graph.statements import statement

IntentSource = Literal["table", "mined"]


@dataclass(frozen=True)
class ListedIntent:
    """`source`: the open table of intents, or mined from a browse tree."""

    id: str
    sentence: str
    source: IntentSource
    department: str | None


def intents(
    database: Database, k: int = 10, after: str = "", *, department: str | None = None, source: str | None = None
) -> list[ListedIntent]:
    """The next `k` intents by their ids, after the id `after`."""
    given = {"k": k, "after": after, "department": department, "source": source}
    return [ListedIntent(**row) for row in database.read(statement("intents", "cypher"), given)]
