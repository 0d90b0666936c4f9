"""Shopping intents: all of them, one, and those like a text."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.web.documents.intents import FoundIntentsDocument, IntentDocument, IntentsDocument
from api.web.keys import needs
from api.web.live import LiveNetworks
from api.web.parameters import LONGEST_ID, K, Live, Opened, Plain
from api.web.problems import responses
from cypher.intent import ShownIntent
from cypher.intent import intent as read_intent
from cypher.intents import IntentSource
from cypher.intents import intents as read_intents
from cypher.intents_by_meaning import intents_by_meaning
from cypher.intents_by_words import intents_by_words
from graph.errors import ArtefactError, StoreError

router = APIRouter(tags=["intents"], dependencies=[needs("read")])

Intent = Annotated[
    str,
    Path(min_length=1, max_length=LONGEST_ID, examples=["grill-party"], description="id of a shopping intent"),
    Plain,
]
After = Annotated[
    str, Query(max_length=LONGEST_ID, description="id of the last intent of the page before: its `next`"), Plain
]
Department = Annotated[
    str | None,
    Query(min_length=1, max_length=LONGEST_ID, description="only the intents of this department"),
    Plain,
]
OfSource = Annotated[
    IntentSource | None, Query(description="only those of the open table, or only those mined from browse trees")
]
Text = Annotated[
    str, Query(min_length=1, max_length=2000, examples=["barbecue with friends"], description="any text"), Plain
]


@router.get("/intents", operation_id="list_intents")
def intents(
    database: Opened, k: K = 10, after: After = "", department: Department = None, source: OfSource = None
) -> IntentsDocument:
    """All intents in the order of their ids, a page at a time."""
    found = read_intents(database, k + 1, after, department=department, source=source)
    page = found[:k]
    return IntentsDocument(intents=page, next=page[-1].id if len(found) > k else None)


@router.get("/intents/search", operation_id="search_intents")
def search(database: Opened, live: Live, q: Text, k: K = 10) -> FoundIntentsDocument:
    """Intents that mean what a text means, or where no encoder is at hand, those that share words with it."""
    vector = _meaning(live, q)
    found = intents_by_words(database, q, k) if vector is None else intents_by_meaning(database, vector, k)
    return FoundIntentsDocument(q=q, by="words" if vector is None else "meaning", intents=found)


@router.get(
    "/intents/{intent:path}", operation_id="show_intent", response_model=IntentDocument, responses=responses(404)
)
def intent(database: Opened, intent: Intent) -> ShownIntent:
    """One intent: how it is said, what it needs in the store's own browse tree, and what serves it there."""
    return read_intent(database, intent)


def _meaning(live: LiveNetworks, text: str) -> list[float] | None:
    """None where the graph's encoder is not at hand."""
    try:
        return [float(value) for value in live.encode([text])[0]]
    except (ArtefactError, StoreError):
        return None
