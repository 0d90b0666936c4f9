"""What somebody gets whom the graph does not know, by what they did in a session."""

from fastapi import APIRouter

from api.documents import RecommendedDocument
from api.web.documents.sessions import SessionDocument, SessionRequest
from api.web.keys import needs
from api.web.live import LiveNetworks
from api.web.parameters import Live, Opened
from api.web.problems import responses
from cypher.known_items import known_items
from cypher.recommend_session import recommend_session
from graph.errors import StoreError
from models.serving import Session, SessionEvent

router = APIRouter(tags=["sessions"], dependencies=[needs("read")], responses=responses(404, 413))


@router.post("/sessions/recommendations", operation_id="recommend_to_session", response_model_exclude_unset=True)
def recommendations(database: Opened, live: Live, asked: SessionRequest) -> SessionDocument:
    """The best items for somebody unknown, by what they did so far. Nothing is stored."""
    did = asked.served()
    known = known_items(database, [event.item for event in did])
    unknown = list(dict.fromkeys(event.item for event in did if event.item not in known))
    filters = asked.filters.checked()
    session = _weigh(live, [event for event in did if event.item in known])
    answer = recommend_session(
        database,
        {trigger.id: trigger.weight for trigger in session.triggers} if session else dict.fromkeys(sorted(known), 1.0),
        session.direct if session else (),
        asked.k,
        m=asked.m,
        k=asked.neighbours,
        explain=asked.explain,
        filters=filters if asked.repeats else filters.without(*known),
        generation=session.generation if session else None,
    )
    document = SessionDocument(
        generation=answer.generation,
        variant="control",
        weights="network" if session else "uniform",
        unknown=unknown,
        items=[RecommendedDocument.of(item, asked.explain) for item in answer.items],
    )
    if answer.fallback:
        document.fallback = answer.fallback
    return document


def _weigh(live: LiveNetworks, events: list[SessionEvent]) -> Session | None:
    """What the networks say of it; None where the graph has none."""
    try:
        return live.session(events)
    except StoreError:
        return None
