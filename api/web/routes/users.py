"""What a user gets: recommendations with their paths, intents, complements."""

from fastapi import APIRouter

from api.documents import RecommendationsDocument
from api.web.keys import needs
from api.web.parameters import Item, K, M, Neighbours, Opened, User
from api.web.problems import responses
from cypher.explain import Explanation, explain
from cypher.pursued import PursuedIntent, pursued
from cypher.recommend import recommend
from cypher.user_complements import NeededItem
from cypher.user_complements import user_complements as read_complements

router = APIRouter(tags=["users"], dependencies=[needs("read")], responses=responses(404))


# Plain functions run in FastAPI's pool of threads, so a slow query holds up no other request.


@router.get("/users/{user:path}/recommendations", response_model_exclude_unset=True)
def recommendations(
    database: Opened,
    user: User,
    k: K = 10,
    m: M = 300,
    neighbours: Neighbours = 100,
    explain: bool = False,
    repeats: bool = False,
) -> RecommendationsDocument:
    """The best items for a user; `explain` adds the paths of each."""
    answer = recommend(database, user, k, m=m, k=neighbours, repeats=repeats, explain=explain)
    return RecommendationsDocument.of(answer, explain)


@router.get("/users/{user:path}/explanations/{item:path}")
def explanation(database: Opened, user: User, item: Item, m: M = 300, neighbours: Neighbours = 100) -> Explanation:
    """Every path from a user to an item, and its share of the score."""
    return explain(database, user, item, m, neighbours)


@router.get("/users/{user:path}/intents")
def intents(database: Opened, user: User, k: K = 5, needs: K = 5) -> list[PursuedIntent]:
    """What a user is up to: ranked intents, what each has had already and what it still needs."""
    return pursued(database, user, k, needs=needs)


@router.get("/users/{user:path}/complements")
def complements(database: Opened, user: User, k: K = 10) -> list[NeededItem]:
    """Items that a user still needs for what the user is up to, each with its reason."""
    return read_complements(database, user, k)
