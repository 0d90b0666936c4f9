"""What answers: the Cypher queries, or the same paths in memory. One contract, the same answers."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from math import log
from typing import TYPE_CHECKING, Protocol, Unpack

from api.options import EngineName
from cypher import rank as ranking
from cypher import recommend as recommending
from cypher.filters import NO_FILTERS, Filters
from cypher.paths import Path
from cypher.rank import RankedItem
from cypher.recommend import Asked, Recommendations, RecommendedItem, popular_items
from cypher.walk import NEIGHBOURS, TRIGGERS, shortlist_for
from graph.driver import Database
from graph.errors import SettingsError, StoreError
from graph.settings import Settings

if TYPE_CHECKING:
    from graph.projection.follower import Projections
    from graph.projection.projection import Projection


class Engine(Protocol):
    """Recommendations and scores, as the functions of `cypher/` with the same names describe them."""

    def recommend(self, user: str, n: int = 10, **asked: Unpack[Asked]) -> Recommendations: ...

    def rank(
        self, user: str, items: Sequence[str], m: int = TRIGGERS, k: int = NEIGHBOURS, bucket: int | None = None
    ) -> list[RankedItem]: ...


@dataclass(frozen=True)
class CypherEngine:
    """The reference: every answer is a query."""

    database: Database

    def recommend(self, user: str, n: int = 10, **asked: Unpack[Asked]) -> Recommendations:
        return recommending.recommend(self.database, user, n, **asked)

    def rank(
        self, user: str, items: Sequence[str], m: int = TRIGGERS, k: int = NEIGHBOURS, bucket: int | None = None
    ) -> list[RankedItem]:
        return ranking.rank(self.database, user, items, m, k, bucket)


@dataclass(frozen=True)
class ProjectionEngine:
    """Paths in memory. What a projection does not hold is asked of Neo4j: popular items, unknown names, other trees."""

    database: Database
    projections: "Projections"

    def recommend(self, user: str, n: int = 10, **asked: Unpack[Asked]) -> Recommendations:
        items: list[RecommendedItem] = []
        if (chosen := self.projections.chosen(asked.get("bucket"))) is not None:
            projection, control = chosen
            with suppress(KeyError):  # of a user or a category
                items = _items(projection, user, n, **asked)
        if not items:
            return CypherEngine(self.database).recommend(user, n, **asked)
        if asked.get("fill", True):
            had_by = None if asked.get("repeats") else user
            items += popular_items(self.database, n, items, had_by, asked.get("filters", NO_FILTERS))
        return Recommendations(user, projection.served.generation, "control" if control else "challenger", tuple(items))

    def rank(
        self, user: str, items: Sequence[str], m: int = TRIGGERS, k: int = NEIGHBOURS, bucket: int | None = None
    ) -> list[RankedItem]:
        if (chosen := self.projections.chosen(bucket)) is not None:
            projection, _ = chosen
            try:
                found = projection.rank(user, items, m=m, k=k)
            except KeyError:
                found = []
            if len(found) == len(set(items)):
                generation = projection.served.generation
                return [RankedItem(one.id, one.score, one.direct, generation) for one in found]
        return CypherEngine(self.database).rank(user, items, m, k, bucket)


def _items(
    projection: "Projection",
    user: str,
    n: int,
    *,
    m: int = TRIGGERS,
    k: int = NEIGHBOURS,
    shortlist: int | None = None,
    repeats: bool = False,
    explain: bool = False,
    filters: Filters = NO_FILTERS,
    **_: object,
) -> list[RecommendedItem]:
    """Raises `KeyError` for a user or a category that the projection has not."""
    found = projection.recommend(
        user, n, m=m, k=k, shortlist=shortlist_for(n, shortlist), repeats=repeats, category=filters.category,
        min_price=filters.min_price, max_price=filters.max_price, exclude=filters.exclude,
    )  # fmt: skip
    reasons: defaultdict[str, list[Path]] = defaultdict(list)
    if explain:
        for path in projection.reasons(user, [item.id for item in found], m=m, k=k):
            value = log(1 + path.trigger_weight * path.similar_weight)
            reasons[path.item].append(
                Path(path.trigger, path.trigger_title, path.trigger_weight, path.similar_weight, value)
            )
        for paths in reasons.values():
            paths.sort(key=lambda path: (-path.path, path.trigger))
    return [
        RecommendedItem(item.id, item.title, item.score, item.direct, paths=tuple(reasons.get(item.id, ())))
        for item in found
    ]


@contextmanager
def open_engine(name: EngineName, database: Database, settings: Settings) -> Iterator[Engine]:
    """An engine over the store; a projection is built where its files are not there, and followed meanwhile.

    Raises `StoreError` where no generation is live, `SettingsError` where the extra `projection` is not installed, and
    `DatabaseError`.
    """
    if name == "cypher":
        yield CypherEngine(database)
        return
    projections = open_projections(lambda: database, settings)
    projections.look()
    if projections.chosen() is None:
        raise StoreError("the graph has no live weights: run twohop train pdn, then twohop index")
    projections.start()
    try:
        yield ProjectionEngine(database, projections)
    finally:
        projections.stop()


def open_projections(database: Callable[[], Database], settings: Settings) -> "Projections":
    """The projections of a store, not looked at yet. Raises `SettingsError` where their extra is not installed."""
    if find_spec("numba") is None:
        raise SettingsError("the engine projection wants the extra: pip install 'twohop[projection]'")
    from graph.projection.follower import Projections  # noqa: PLC0415  numba takes a second to import

    return Projections(database, settings.projection_folder)
