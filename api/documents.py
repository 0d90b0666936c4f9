"""The JSON that the command and the REST API answer with: what others write scripts against."""

from typing import Literal, Self

from pydantic import BaseModel

from cypher.recommend import Recommendations, RecommendedItem
from cypher.similar import SimilarItem


class PathDocument(BaseModel):
    """user → trigger → item: `path` = log(1 + `trigger_weight` * `similar_weight`)."""

    trigger: str
    trigger_weight: float
    similar_weight: float
    path: float


class RecommendedDocument(BaseModel):
    """`score` = `direct` + the sum of its `paths`; they are there where they were asked for."""

    id: str
    title: str | None
    score: float
    direct: float
    paths: list[PathDocument] = []

    @classmethod
    def of(cls, item: RecommendedItem, explain: bool) -> Self:
        document = cls(id=item.id, title=item.title, score=item.score, direct=item.direct)
        if explain:
            document.paths = [
                PathDocument(
                    trigger=path.trigger,
                    trigger_weight=path.trigger_weight,
                    similar_weight=path.similar_weight,
                    path=path.path,
                )
                for path in item.paths
            ]
        return document


class RecommendationsDocument(BaseModel):
    """`fallback` is there for a user without triggers only: then `items` are the most popular ones, unscored."""

    user: str
    generation: int
    items: list[RecommendedDocument]
    fallback: Literal["popular"] | None = None

    @classmethod
    def of(cls, answer: Recommendations, explain: bool) -> Self:
        items = [RecommendedDocument.of(item, explain) for item in answer.items]
        document = cls(user=answer.user, generation=answer.generation, items=items)
        if answer.fallback:
            document.fallback = answer.fallback
        return document


class SimilarDocument(BaseModel):
    """`weight` = e^s; `rank` counts unavailable items too."""

    id: str
    title: str | None
    weight: float
    rank: int


class SimilarItemsDocument(BaseModel):
    item: str
    generation: int
    items: list[SimilarDocument]

    @classmethod
    def of(cls, item: str, generation: int, found: list[SimilarItem]) -> Self:
        items = [SimilarDocument(id=one.id, title=one.title, weight=one.weight, rank=one.rank) for one in found]
        return cls(item=item, generation=generation, items=items)
