"""A shopper's intents: engagements cut into intent clusters, ranked by recency and activeness (section IV.D)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import e, exp, log

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from graph.errors import SettingsError, one_line

DAY = 86_400  # seconds
MOST = 12  # intents kept of a user
LARGEST = 709.0  # exp of more overflows
PLATEAU = 10  # days, the constant of eq. 3: a cluster this old has half of the reward


class RankerOptions(BaseModel):
    """Parameters of eq. 2 and 3.

    Attributes:
        recency_power: λ, amplifies the reward of recency above 1.
        activeness_power: τ, amplifies the activeness above 1.
        leniency: α, 0 < α < ε. The paper's words ("as α increases the decay happens faster") contradict its formula, in
            which ε/α shrinks as α grows, so a greater α decays slower. The formula is kept.
        base: ε, Euler's number in the paper.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recency_power: float = Field(default=1.0, ge=0, le=100, allow_inf_nan=False)
    activeness_power: float = Field(default=1.0, ge=0, le=100, allow_inf_nan=False)
    leniency: float = Field(default=2.0, gt=0, allow_inf_nan=False)
    base: float = Field(default=e, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _decays(self) -> "RankerOptions":
        if self.leniency >= self.base:
            raise ValueError(
                f"leniency (α) {self.leniency:g} must be below base (ε) {self.base:g}: else nothing decays"
            )
        return self

    def stored(self, now: float) -> dict[str, float]:
        """As the state of the intents keeps them, with η."""
        return {
            "lambda": self.recency_power,
            "tau": self.activeness_power,
            "alpha": self.leniency,
            "epsilon": self.base,
            "now": float(now),
        }

    @classmethod
    def of_stored(cls, state: Mapping[str, float]) -> "RankerOptions":
        return cls.of(
            recency_power=state["lambda"],
            activeness_power=state["tau"],
            leniency=state["alpha"],
            base=state["epsilon"],
        )

    @classmethod
    def of(cls, **given: float | None) -> "RankerOptions":
        """With those that are given. Raises `SettingsError` with one line."""
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsError(one_line(error)) from None


def recency(age: float, options: RankerOptions) -> float:
    """R_t of eq. 3 for an age η − t in days: 1 / (1 + (ε/α)^(η − t − 10)). Years ago it is 0, and never overflows.

    Raises `SettingsError` for a negative age: the paper has t ≤ η.
    """
    return exp(_log_recency(age, options))


def _log_recency(age: float, options: RankerOptions) -> float:
    if age < 0:
        raise SettingsError(f"an engagement lies {-age:g} days in the future: give a later time by --now")
    x = (age - PLATEAU) * (log(options.base) - log(options.leniency))  # the quotient may be too large for a number
    return -(x + log(1 + exp(-x)) if x > 0 else log(1 + exp(x)))


def log_score(age: float, activeness: float, options: RankerOptions) -> float:
    """log R_tc of eq. 2: λ log R_t + τ log E. It orders clusters whose R_tc is too small for a number.

    Args:
        age: η − t in days, t the last engagement of the cluster.
        activeness: E, clicks + views of all its categories; above 0.
    """
    return options.recency_power * _log_recency(age, options) + options.activeness_power * log(activeness)


def links_state(links: int, parameters: Mapping[str, float]) -> str:
    """What a user's intents were worked out from, beside the user's events: the number of the linking, and settings."""
    return json.dumps([links, dict(parameters)], sort_keys=True)


@dataclass(frozen=True)
class Engagement:
    """A category that was engaged with at a time (seconds since 1970 UTC), so many times at once."""

    category: str
    time: float
    count: int = 1


@dataclass
class Cluster:
    """The engagements of one intent.

    Attributes:
        activeness: E, the number of engagements.
        first, last: seconds since 1970 UTC.
        categories: in the order in which they were last engaged with, the newest first.
    """

    intent: str
    activeness: int = 0
    first: float = float("inf")
    last: float = float("-inf")
    times: dict[str, float] = field(default_factory=dict)
    log_score: float = float("-inf")

    @property
    def score(self) -> float:
        """R_tc; what is too large for a number is the largest one."""
        return exp(min(self.log_score, LARGEST))

    @property
    def categories(self) -> list[str]:
        return sorted(self.times, key=lambda category: (-self.times[category], category))

    def add(self, engagement: Engagement) -> None:
        self.activeness += engagement.count
        self.first, self.last = min(self.first, engagement.time), max(self.last, engagement.time)
        self.times[engagement.category] = max(self.times.get(engagement.category, engagement.time), engagement.time)


def segment(engagements: Iterable[Engagement], intents: Mapping[str, Sequence[str]]) -> list[Cluster]:
    """Cut a sequence into clusters: each engagement belongs to the most confident intent of its category.

    Intents may interleave and overlap in time, and the order of the engagements does not matter. What serves no intent
    is in no cluster.
    """
    found: dict[str, Cluster] = {}
    for engagement in engagements:
        served = intents.get(engagement.category)
        if served:
            found.setdefault(served[0], Cluster(served[0])).add(engagement)
    return list(found.values())


def rank(clusters: Iterable[Cluster], now: float, options: RankerOptions) -> list[Cluster]:
    """Clusters with their scores, the best first; at equal scores the one engaged with last, then by id.

    `now`: η, seconds since 1970 UTC. Raises `SettingsError` where a cluster lies after it.
    """
    ranked = list(clusters)
    for cluster in ranked:
        cluster.log_score = log_score((now - cluster.last) / DAY, cluster.activeness, options)
    return sorted(ranked, key=lambda cluster: (-cluster.log_score, -cluster.last, cluster.intent))


def pursued(
    rows: Iterable[Mapping[str, object]],
    category_of: Mapping[str, Sequence[str]],
    intents: Mapping[str, Sequence[str]],
    now: float,
    options: RankerOptions,
    most: int,
) -> Iterable[dict[str, object]]:
    """Rows for `graph.intents.write_pursues` from rows of `user_engagements`.

    Args:
        category_of: the linked categories of an item, the nearest one at or above each of its browse nodes.
        intents: those of a category, the most confident first.
        most: intents kept of a user.

    Where a source knows only the order of events, one step back counts as a day.
    """
    for row in rows:
        clusters = rank(segment(_engagements(row, category_of, now), intents), now, options)
        yield {
            "user": row["user"],
            "state": row["state"],
            "clusters": [
                {
                    "intent": cluster.intent,
                    "score": cluster.score,
                    "recency": recency((now - cluster.last) / DAY, options),
                    "rank": place,
                    "activeness": cluster.activeness,
                    "first": int(cluster.first),
                    "last": int(cluster.last),
                    "categories": cluster.categories,
                }
                for place, cluster in enumerate(clusters[:most], start=1)
            ],
        }


def _engagements(row: Mapping[str, object], category_of: Mapping[str, Sequence[str]], now: float) -> list[Engagement]:
    items, counts, times, positions = (row[name] for name in ("items", "counts", "times", "positions"))
    newest = max((max(one) for one in positions if one), default=0)  # type: ignore[attr-defined]
    found = []
    for item, count, moments, places in zip(items, counts, times, positions, strict=True):  # type: ignore[call-overload]
        categories = category_of.get(item, ())
        if not categories:
            continue
        known = [moment for moment in moments if moment >= 0]
        if known:  # events without a time count too, at the oldest that is known
            known += [min(known)] * (count - len(known))
        else:
            known = [now - (newest - place) * DAY for place in places if place >= 0] or [now] * count
        for category in categories:
            found.extend(Engagement(category, moment) for moment in known)
    return found


def nearest_linked(parents: Mapping[str, str | None], linked: Iterable[str]) -> dict[str, str]:
    """{node: the nearest node at or above it that is linked}"""
    chosen = set(linked)
    found: dict[str, str] = {}
    for node in parents:
        key: str | None = node
        steps = 0
        while key is not None and key not in chosen and steps < len(parents):
            key, steps = parents.get(key), steps + 1
        if key is not None and key in chosen:
            found[node] = key
    return found
