"""The REST API from Python: `with Client("http://127.0.0.1:8000", key) as client: client.recommend("1")`.

There is a method for each route, of the name that the route has in the OpenAPI document; docs/rest.md shows them side
by side. All raise `ProblemError` where the server refuses, and `Unreachable` where no answer comes. It never imports
torch.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, NotRequired, Self, TypedDict, TypeVar, Unpack
from uuid import uuid4

from pydantic import BaseModel
from pydantic_core import to_json

from api.documents import RecommendationsDocument, SimilarItemsDocument
from api.transport import ProblemError, Transport, Unreachable, part
from api.web.documents.browse import CategoriesDocument, NodeDocument, NodesDocument
from api.web.documents.catalogue import (
    ItemChanges,
    ItemContent,
    ItemReply,
    NodeChanges,
    NodeContent,
    NodeReply,
    UserChanges,
    UserContent,
    UserReply,
)
from api.web.documents.contents import RankedContentsDocument
from api.web.documents.events import EventDocument, EventsReply, StreamReply
from api.web.documents.generations import ExperimentDocument, GenerationDocument, GenerationsDocument
from api.web.documents.intents import FoundIntentsDocument, IntentDocument, IntentsDocument
from api.web.documents.items import ComplementsDocument, ItemDocument, ItemsDocument
from api.web.documents.sessions import SessionDocument
from api.web.documents.users import (
    ExplanationDocument,
    HistoryDocument,
    NeededDocument,
    PursuedDocument,
    TriggersDocument,
    UserDocument,
    UsersDocument,
)
from cypher.walk import NEIGHBOURS, TRIGGERS

__all__ = ["Client", "Event", "Filters", "ProblemError", "Unreachable"]

T = TypeVar("T", bound=BaseModel)

LINES, BYTES = 10_000, 4_000_000  # events of one request of a stream, and its size
TOLD = 100  # rejected lines that are named

Fields = Mapping[str, Any]  # a document by its fields
Event = EventDocument | Fields


class Filters(TypedDict):
    """Conditions that all items fulfil. `category`: id of a browse node, with all below it."""

    category: NotRequired[str]
    min_price: NotRequired[float]
    max_price: NotRequired[float]
    exclude: NotRequired[Sequence[str]]


class Client:
    """One server and one key. Safe for threads; close it, or use it by `with`.

    Args:
        base_url: such as `http://127.0.0.1:8000`.
        key: as `twohop keys create` shows it.
        timeout: seconds that the server may be silent.
        retries: how often a request is sent again that got no answer, or 429 or 503. It takes effect once all the same.
    """

    def __init__(self, base_url: str, key: str | None = None, *, timeout: float = 30.0, retries: int = 5) -> None:
        self._transport = Transport(base_url, key, timeout, retries)

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # Users

    def list_users(self, q: str = "", k: int = 10) -> UsersDocument:
        return self._get("/users", UsersDocument, q=q, k=k)

    def show_user(self, user: str) -> UserDocument:
        return self._get(f"/users/{part(user)}", UserDocument)

    def put_user(self, user: str, content: UserContent | Fields) -> UserReply:
        return self._transport.request("PUT", f"/users/{part(user)}", UserReply, body=content)

    def patch_user(self, user: str, changes: UserChanges | Fields) -> UserReply:
        return self._transport.request("PATCH", f"/users/{part(user)}", UserReply, body=changes)

    def delete_user(self, user: str) -> None:
        self._transport.send("DELETE", f"/users/{part(user)}")

    def recommend(
        self,
        user: str,
        k: int = 10,
        *,
        m: int = TRIGGERS,
        neighbours: int = NEIGHBOURS,
        repeats: bool = False,
        explain: bool = False,
        **filters: Unpack[Filters],
    ) -> RecommendationsDocument:
        given = {"k": k, "m": m, "neighbours": neighbours, "repeats": repeats, "explain": explain, **filters}
        return self._get(f"/users/{part(user)}/recommendations", RecommendationsDocument, **given)

    def show_triggers(self, user: str, m: int = TRIGGERS) -> TriggersDocument:
        return self._get(f"/users/{part(user)}/triggers", TriggersDocument, m=m)

    def show_history(self, user: str, k: int = 10) -> HistoryDocument:
        return self._get(f"/users/{part(user)}/history", HistoryDocument, k=k)

    def show_user_intents(
        self,
        user: str,
        k: int = 5,
        *,
        needs: int = 5,
        recency_power: float | None = None,
        tau: float | None = None,
        alpha: float | None = None,
        epsilon: float | None = None,
    ) -> PursuedDocument:
        """`recency_power` is the parameter `lambda`, a word that Python keeps for itself."""
        given = {"k": k, "needs": needs, "lambda": recency_power, "tau": tau, "alpha": alpha, "epsilon": epsilon}
        return self._get(f"/users/{part(user)}/intents", PursuedDocument, **given)

    def complete_user(self, user: str, k: int = 10, **filters: Unpack[Filters]) -> NeededDocument:
        return self._get(f"/users/{part(user)}/complements", NeededDocument, k=k, **filters)

    def explain(self, user: str, item: str, m: int = TRIGGERS, neighbours: int = NEIGHBOURS) -> ExplanationDocument:
        path = f"/users/{part(user)}/explanations/{part(item)}"
        return self._get(path, ExplanationDocument, m=m, neighbours=neighbours)

    # Items

    def list_items(
        self,
        q: str | None = None,
        k: int = 10,
        *,
        order: Literal["popular", "newest"] | None = None,
        **filters: Unpack[Filters],
    ) -> ItemsDocument:
        return self._get("/items", ItemsDocument, q=q, k=k, order=order, **filters)

    def show_item(self, item: str) -> ItemDocument:
        return self._get(f"/items/{part(item)}", ItemDocument)

    def put_item(self, item: str, content: ItemContent | Fields) -> ItemReply:
        return self._transport.request("PUT", f"/items/{part(item)}", ItemReply, body=content)

    def patch_item(self, item: str, changes: ItemChanges | Fields) -> ItemReply:
        return self._transport.request("PATCH", f"/items/{part(item)}", ItemReply, body=changes)

    def delete_item(self, item: str) -> None:
        self._transport.send("DELETE", f"/items/{part(item)}")

    def show_similar_items(self, item: str, k: int = 10, **filters: Unpack[Filters]) -> SimilarItemsDocument:
        return self._get(f"/items/{part(item)}/similar", SimilarItemsDocument, k=k, **filters)

    def complete_item(self, item: str, k: int = 10, **filters: Unpack[Filters]) -> ComplementsDocument:
        return self._get(f"/items/{part(item)}/complements", ComplementsDocument, k=k, **filters)

    # Sessions

    def recommend_to_session(
        self,
        items: Sequence[str] | None = None,
        events: Sequence[Fields] | None = None,
        *,
        k: int = 10,
        m: int = TRIGGERS,
        neighbours: int = NEIGHBOURS,
        repeats: bool = False,
        explain: bool = False,
        **filters: Unpack[Filters],
    ) -> SessionDocument:
        """For somebody unknown: give the `items`, the oldest first, or the `events`. Nothing is stored."""
        did: dict[str, Any] = {"items": items} if events is None else {"events": events}
        size = {"k": k, "m": m, "neighbours": neighbours, "repeats": repeats, "explain": explain}
        body = did | size | {"filters": filters}
        return self._transport.request("POST", "/sessions/recommendations", SessionDocument, body=body)

    # Intents

    def list_intents(
        self,
        k: int = 10,
        after: str = "",
        *,
        department: str | None = None,
        source: Literal["table", "mined"] | None = None,
    ) -> IntentsDocument:
        return self._get("/intents", IntentsDocument, k=k, after=after, department=department, source=source)

    def search_intents(self, q: str, k: int = 10) -> FoundIntentsDocument:
        return self._get("/intents/search", FoundIntentsDocument, q=q, k=k)

    def show_intent(self, intent: str) -> IntentDocument:
        return self._get(f"/intents/{part(intent)}", IntentDocument)

    # The browse trees

    def list_nodes(
        self, parent: str | None = None, *, tree: str | None = None, k: int = 100, after: str = ""
    ) -> NodesDocument:
        return self._get("/browse", NodesDocument, parent=parent, tree=tree, k=k, after=after)

    def show_node(self, node: str) -> NodeDocument:
        return self._get(f"/browse/{part(node)}", NodeDocument)

    def put_node(self, node: str, content: NodeContent | Fields) -> NodeReply:
        return self._transport.request("PUT", f"/browse/{part(node)}", NodeReply, body=content)

    def patch_node(self, node: str, changes: NodeChanges | Fields) -> NodeReply:
        return self._transport.request("PATCH", f"/browse/{part(node)}", NodeReply, body=changes)

    def delete_node(self, node: str, *, cascade: bool = False) -> None:
        self._transport.send("DELETE", f"/browse/{part(node)}", query={"cascade": cascade})

    def complete_node(self, node: str, k: int = 10) -> CategoriesDocument:
        return self._get(f"/browse/{part(node)}/complements", CategoriesDocument, k=k)

    # Contents

    def rank_contents(
        self,
        user: str,
        contents: Mapping[str, Sequence[str]] | None = None,
        *,
        k: int = 10,
        embedding: Literal["intent", "baseline"] = "intent",
    ) -> RankedContentsDocument:
        """`contents`: item ids by a name of your own; None: the shelves of the store's browse tree."""
        body = {"user": user, "contents": contents, "k": k, "embedding": embedding}
        return self._transport.request("POST", "/contents/rank", RankedContentsDocument, body=body)

    # Events

    def send_event(self, event: Event) -> EventsReply:
        """Store one event. Without a `key` it gets one, and takes effect once however often it has to be sent."""
        return self._transport.request("POST", "/events", EventsReply, body=_keyed(event))

    def send_events(self, events: Iterable[Event]) -> EventsReply:
        """Store 1,000 events at most, all or none of them; keys as in `send_event`."""
        return self._transport.request("POST", "/events", EventsReply, body=[_keyed(event) for event in events])

    def stream_events(self, events: Iterable[Event]) -> StreamReply:
        """Store any number of events, as they come; those that are no good are left out and told by their number.

        They go in requests of 10,000 lines, each of which can be sent again.
        """
        whole, before = StreamReply(accepted=0, repeated=0, refused=0), 0
        for lines in _parts(events):
            reply = self._transport.send_lines("/events", b"".join(lines), StreamReply)
            whole.accepted += reply.accepted
            whole.repeated += reply.repeated
            whole.refused += reply.refused
            for one in reply.rejected[: TOLD - len(whole.rejected)]:
                whole.rejected.append(one.model_copy(update={"line": before + one.line}))
            before += len(lines)
        return whole

    # Generations and the experiment

    def list_generations(self) -> GenerationsDocument:
        return self._get("/generations", GenerationsDocument)

    def activate_generation(self, generation: int) -> GenerationDocument:
        return self._transport.request("POST", f"/generations/{generation}/activate", GenerationDocument)

    def roll_back(self) -> GenerationDocument:
        """Never sent again by itself: two are none."""
        return self._transport.request("POST", "/generations/rollback", GenerationDocument, once=True)

    def show_experiment(self) -> ExperimentDocument:
        return self._get("/experiment", ExperimentDocument)

    def start_experiment(self, challenger: int, share: float) -> ExperimentDocument:
        body = {"challenger": challenger, "share": float(share)}
        return self._transport.request("PUT", "/experiment", ExperimentDocument, body=body)

    def stop_experiment(self) -> ExperimentDocument:
        return self._transport.request("DELETE", "/experiment", ExperimentDocument)

    # The process

    def check_live(self) -> None:
        self._transport.send("GET", "/health/live")

    def check_ready(self) -> None:
        self._transport.send("GET", "/health/ready")

    def show_metrics(self) -> str:
        """As Prometheus reads them."""
        return self._transport.send("GET", "/metrics").text

    def _get(self, path: str, kind: type[T], **query: Any) -> T:
        return self._transport.request("GET", path, kind, query=query)


def _keyed(event: Event) -> Fields:
    """An event as JSON takes it, with a key that it keeps when it is sent again."""
    fields = event.model_dump(mode="json", exclude_none=True) if isinstance(event, EventDocument) else event
    return {"key": uuid4().hex, **fields}


def _parts(events: Iterable[Event]) -> Iterator[list[bytes]]:
    """JSON Lines, as many as one request takes."""
    lines: list[bytes] = []
    size = 0
    for event in events:
        lines.append(to_json(_keyed(event)) + b"\n")
        size += len(lines[-1])
        if len(lines) == LINES or size > BYTES:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines
