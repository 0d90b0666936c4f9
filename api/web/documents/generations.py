"""Generations of weights and the experiment between two of them, as the REST API takes and tells them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt
from pydantic.config import JsonDict

from api.documents import shown
from cypher.variants import Variant, VariantName
from graph.experiment import STEPS, Experiment

SECOND: JsonDict = {
    "id": 2,
    "live": True,
    "challenger": False,
    "state": "ready",
    "model": "pdn",
    "data": "complete-journey",
    "artefact": "b1946ac92492d2347c6235b4d2611184591b2f3c3d0e1a9c7d0f5e8a6b4c2d10",
    "metrics": {"ndcg@10": 0.045},
    "created": "2026-01-31T12:00:00Z",
    "users": 2469,
    "items": 24538,
    "interactions": 742028,
    "similar": 2453800,
}
GREATEST_ID = 2**53  # of a generation: what JSON's numbers hold exactly


class GenerationDocument(BaseModel):
    """One set of weights: what computed it, from what, and how much it holds.

    `live` serves all users, but for those who get the `challenger` of an experiment.
    """

    model_config = shown(SECOND)

    id: int
    live: bool
    challenger: bool
    state: Literal["writing", "ready", "dropping"]
    model: str
    data: str
    artefact: Annotated[str, Field(description="SHA-256 of the model file")]
    metrics: Annotated[dict[str, Any], Field(description="what was measured when it was trained")]
    created: datetime
    users: int
    items: int
    interactions: int
    similar: int


class GenerationsDocument(BaseModel):
    """All generations that are stored, the newest first."""

    model_config = shown({"generations": [SECOND]})

    generations: list[GenerationDocument]


class ExperimentRequest(BaseModel):
    """An A/B: this share of the users gets another generation than the live one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"challenger": 3, "share": 0.1}]})

    challenger: Annotated[StrictInt, Field(ge=1, le=GREATEST_ID, description="id of a ready generation")]
    share: Annotated[
        StrictFloat,
        Field(
            ge=1 / STEPS,
            le=1 - 1 / STEPS,
            allow_inf_nan=False,
            description="part of the users that gets the challenger",
        ),
    ]


class VariantDocument(BaseModel):
    """What the users of a variant did since the experiment began, by the events that name the variant.

    `click_through` = clicks / impressions, with its 95% interval (Wilson's); null without impressions, or where there
    are more clicks than impressions.
    """

    variant: VariantName
    generation: int
    share: float
    users: int
    impressions: int
    clicks: int
    click_through: float | None
    interval: tuple[float, float] | None


class ExperimentDocument(BaseModel):
    """The experiment that runs, and how its variants do."""

    model_config = shown(
        {
            "began": "2026-01-31T12:00:00Z",
            "variants": [
                {
                    "variant": "control",
                    "generation": 2,
                    "share": 0.9,
                    "users": 1800,
                    "impressions": 9000,
                    "clicks": 450,
                    "click_through": 0.05,
                    "interval": [0.0457, 0.0547],
                },
                {
                    "variant": "challenger",
                    "generation": 3,
                    "share": 0.1,
                    "users": 200,
                    "impressions": 1000,
                    "clicks": 62,
                    "click_through": 0.062,
                    "interval": [0.0487, 0.0787],
                },
            ],
        }
    )

    began: datetime
    variants: list[VariantDocument]

    @classmethod
    def of(cls, experiment: Experiment, variants: list[Variant]) -> Self:
        generations = {"control": experiment.control, "challenger": experiment.challenger}
        shares = {"control": 1 - experiment.share, "challenger": experiment.share}
        return cls(
            began=experiment.began,
            variants=[
                VariantDocument(
                    variant=one.variant,
                    generation=generations[one.variant],
                    share=round(shares[one.variant], 6),
                    users=one.users,
                    impressions=one.impressions,
                    clicks=one.clicks,
                    click_through=one.click_through,
                    interval=one.interval,
                )
                for one in variants
            ],
        )
