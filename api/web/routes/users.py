"""Who users are, what they get and why: recommendations with their paths, intents, complements."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.documents import RecommendationsDocument
from api.web.documents.users import (
    ExplanationDocument,
    HistoryDocument,
    NeededDocument,
    PursuedDocument,
    TriggersDocument,
    UserDocument,
    UsersDocument,
)
from api.web.experiment import bucket
from api.web.keys import needs
from api.web.observe import served
from api.web.parameters import LONGEST_ID, Asked, Filtered, Item, K, M, Neighbours, Opened, Plain, User
from api.web.problems import responses
from cypher.explain import Explanation
from cypher.explain import explain as read_explanation
from cypher.history import history as read_history
from cypher.pursued import pursued
from cypher.ranker import ranker
from cypher.triggers import Triggers
from cypher.triggers import triggers as read_triggers
from cypher.user import User as FoundUser
from cypher.user import user as read_user
from cypher.user_complements import NeededItems
from cypher.user_complements import user_complements as read_complements
from cypher.users import users as read_users
from cypher.walk import NEIGHBOURS, TRIGGERS
from graph.driver import Database
from models.intents.clusters import RankerOptions

router = APIRouter(tags=["users"], dependencies=[needs("read")])

Explain = Annotated[bool, Query(description="with every item its paths")]
Repeats = Annotated[bool, Query(description="also what the user had already")]
Prefix = Annotated[str, Query(max_length=LONGEST_ID, description="how the ids begin"), Plain]
Needs = Annotated[int, Query(ge=0, le=1000, description="categories that each intent still needs")]
Power = Annotated[float | None, Query(ge=0, le=100, allow_inf_nan=False)]
Lambda = Annotated[Power, Query(alias="lambda", description="amplifies recency; else as it was stored")]
Tau = Annotated[Power, Query(description="amplifies activeness; else as it was stored")]
Base = Annotated[float | None, Query(ge=1e-6, le=1e6, allow_inf_nan=False)]
Alpha = Annotated[Base, Query(description="leniency, below epsilon: the greater, the slower the decay")]
Epsilon = Annotated[Base, Query(description="base of the decay")]


# Plain functions run in FastAPI's pool of threads, so a slow query holds up no other request. An id may hold slashes:
# the route of a whole user comes last.


@router.get("/users", operation_id="list_users")
def users(database: Opened, q: Prefix = "", k: K = 10) -> UsersDocument:
    """Users in the order of their ids, all of them or those whose ids begin with `q`."""
    return UsersDocument(users=read_users(database, q, k))


@router.get(
    "/users/{user:path}/recommendations",
    operation_id="recommend",
    response_model_exclude_unset=True,
    responses=responses(404),
)
def recommendations(
    engine: Asked,
    user: User,
    filters: Filtered,
    k: K = 10,
    m: M = TRIGGERS,
    neighbours: Neighbours = NEIGHBOURS,
    explain: Explain = False,
    repeats: Repeats = False,
) -> RecommendationsDocument:
    """The best items for a user, and after them popular ones where no more paths lead anywhere."""
    answer = engine.recommend(
        user,
        k,
        m=m,
        k=neighbours,
        repeats=repeats,
        explain=explain,
        filters=filters,
        bucket=bucket(user),
    )
    served(answer.variant, sum(len(item.paths) for item in answer.items) if explain else None)
    return RecommendationsDocument.of(answer, explain)


@router.get(
    "/users/{user:path}/triggers",
    operation_id="show_triggers",
    response_model=TriggersDocument,
    responses=responses(404),
)
def triggers(database: Opened, user: User, m: M = TRIGGERS) -> Triggers:
    """What a user's recommendations start from: the interactions with the greatest weights."""
    return read_triggers(database, user, m, bucket=bucket(user))


@router.get("/users/{user:path}/history", operation_id="show_history", responses=responses(404))
def history(database: Opened, user: User, k: K = 10) -> HistoryDocument:
    """What a user had last, the newest first."""
    return HistoryDocument(user=user, items=read_history(database, user, k))


@router.get("/users/{user:path}/intents", operation_id="show_user_intents", responses=responses(404))
def intents(
    database: Opened,
    user: User,
    k: K = 5,
    needs: Needs = 5,
    recency_power: Lambda = None,
    tau: Tau = None,
    alpha: Alpha = None,
    epsilon: Epsilon = None,
) -> PursuedDocument:
    """What a user is up to: ranked intents, what each has had already and what it still needs."""
    chosen = _ranker(database, recency_power, tau, alpha, epsilon)
    found = pursued(database, user, k, needs=needs, **chosen.model_dump())
    return PursuedDocument(user=user, intents=found)


@router.get(
    "/users/{user:path}/complements",
    operation_id="complete_user",
    response_model=NeededDocument,
    responses=responses(404),
)
def complements(database: Opened, user: User, filters: Filtered, k: K = 10) -> NeededItems:
    """Items that a user still needs for what the user is up to, each with its reason."""
    return read_complements(database, user, k, filters=filters, bucket=bucket(user))


@router.get(
    "/users/{user:path}/explanations/{item:path}",
    operation_id="explain",
    response_model=ExplanationDocument,
    responses=responses(404),
)
def explanation(
    database: Opened, user: User, item: Item, m: M = TRIGGERS, neighbours: Neighbours = NEIGHBOURS
) -> Explanation:
    """Every path from a user to an item, and its share of the score."""
    return read_explanation(database, user, item, m, neighbours, bucket(user))


@router.get("/users/{user:path}", operation_id="show_user", response_model=UserDocument, responses=responses(404))
def user(database: Opened, user: User) -> FoundUser:
    """A user: the profile, and how many items and triggers there are."""
    return read_user(database, user, bucket(user))


def _ranker(
    database: Database, recency_power: float | None, tau: float | None, alpha: float | None, epsilon: float | None
) -> RankerOptions:
    """What is given, and what was stored for the rest. Raises `SettingsError` where they do not go together."""
    stored = ranker(database)
    return RankerOptions.of(
        recency_power=stored.recency_power if recency_power is None else recency_power,
        activeness_power=stored.activeness_power if tau is None else tau,
        leniency=stored.leniency if alpha is None else alpha,
        base=stored.base if epsilon is None else epsilon,
    )
