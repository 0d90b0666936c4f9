"""The JSON that the command and the REST API answer with: what others write scripts against."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from cypher.recommend import Recommendations, RecommendedItem
from cypher.similar import SimilarItem
from cypher.variants import VariantName

PATH: JsonDict = {
    "trigger": "1029743",
    "trigger_title": "Milk, 1 gal",
    "trigger_weight": 0.1875,
    "similar_weight": 0.75,
    "path": 0.1316,
}
BY_PATHS: JsonDict = {"id": "1127831", "title": "Strawberries, 16 oz", "score": 0.3361, "direct": 0.2045}
POPULAR: JsonDict = {"id": "1082185", "title": "Bananas", "score": 0.0, "direct": 0.0}
RECOMMENDED: list[JsonDict] = [
    {**BY_PATHS, "source": "paths", "paths": [PATH]},
    {**POPULAR, "source": "popular", "paths": []},
]
SIMILAR: JsonDict = {"id": "1029743", "title": "Milk, 1 gal", "weight": 0.75, "rank": 1}


def shown(*examples: JsonDict) -> ConfigDict:
    """A model's config with these examples."""
    return ConfigDict(json_schema_extra={"examples": list(examples)})


class PathDocument(BaseModel):
    """user → trigger → item: `path` = log(1 + `trigger_weight` * `similar_weight`)."""

    model_config = shown(PATH)

    trigger: str
    trigger_title: str | None
    trigger_weight: float
    similar_weight: float
    path: float


class RecommendedDocument(BaseModel):
    """`score` = `direct` + the sum of its `paths`; they are there where they were asked for.

    An item whose `source` is `popular` fills the list: no path leads to it, and its score is 0.
    """

    model_config = shown(*RECOMMENDED)

    id: str
    title: str | None
    score: float
    direct: float
    source: Literal["paths", "popular"]
    paths: list[PathDocument] = []

    @classmethod
    def of(cls, item: RecommendedItem, explain: bool) -> Self:
        document = cls(id=item.id, title=item.title, score=item.score, direct=item.direct, source=item.source)
        if explain:
            document.paths = [
                PathDocument(
                    trigger=path.trigger,
                    trigger_title=path.trigger_title,
                    trigger_weight=path.trigger_weight,
                    similar_weight=path.similar_weight,
                    path=path.path,
                )
                for path in item.paths
            ]
        return document


class RecommendationsDocument(BaseModel):
    """`variant`: whether `generation` is the live one or an experiment's challenger.

    `fallback` is there for a user without triggers only: then all `items` are the most popular ones, unscored.
    """

    model_config = shown({"user": "1", "generation": 3, "variant": "control", "items": [*RECOMMENDED]})

    user: str
    generation: int
    variant: VariantName
    items: list[RecommendedDocument]
    fallback: Literal["popular"] | None = None

    @classmethod
    def of(cls, answer: Recommendations, explain: bool) -> Self:
        items = [RecommendedDocument.of(item, explain) for item in answer.items]
        document = cls(user=answer.user, generation=answer.generation, variant=answer.variant, items=items)
        if answer.fallback:
            document.fallback = answer.fallback
        return document


class SimilarDocument(BaseModel):
    """`weight` = e^s; `rank` counts unavailable items too."""

    model_config = shown(SIMILAR)

    id: str
    title: str | None
    weight: float
    rank: int


class SimilarItemsDocument(BaseModel):
    """Neighbours of an item, the strongest first."""

    model_config = shown({"item": "1082185", "generation": 3, "items": [SIMILAR]})

    item: str
    generation: int
    items: list[SimilarDocument]

    @classmethod
    def of(cls, item: str, generation: int, found: list[SimilarItem]) -> Self:
        items = [SimilarDocument(id=one.id, title=one.title, weight=one.weight, rank=one.rank) for one in found]
        return cls(item=item, generation=generation, items=items)
