"""How the two variants of an experiment do."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt
from statistics import NormalDist
from typing import Literal, get_args

from graph.driver import Database
from graph.statements import statement

VariantName = Literal["control", "challenger"]
VARIANTS: tuple[VariantName, ...] = get_args(VariantName)
Z = NormalDist().inv_cdf(0.975)  # 95%, both sides


@dataclass(frozen=True)
class Variant:
    """Counts of the events that name this variant: all the users of them, and the events of two kinds."""

    variant: VariantName
    users: int
    impressions: int
    clicks: int

    @property
    def click_through(self) -> float | None:
        """Clicks by impressions; None where more was clicked than shown: then not all impressions were sent."""
        return self.clicks / self.impressions if 0 < self.impressions >= self.clicks else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95% interval of the click-through (Wilson's), as if every impression were drawn by itself."""
        p, n = self.click_through, self.impressions
        if p is None:
            return None
        middle, half = p + Z**2 / (2 * n), Z * sqrt(p * (1 - p) / n + (Z / (2 * n)) ** 2)
        low, high = ((middle + sign * half) / (1 + Z**2 / n) for sign in (-1, 1))
        return max(0.0, min(p, low)), min(1.0, max(p, high))  # rounding leaves p in it, and it in 0 to 1


def variants(database: Database, began: datetime) -> list[Variant]:
    """Control, then challenger, by their events from `began` on."""
    # Neo4j orders equal moments by their zones, and the driver's UTC comes after the events' Z: they would be left out.
    given = {"variants": list(VARIANTS), "began": began.astimezone(UTC)}
    return [Variant(**row) for row in database.read(statement("variants", "cypher"), given)]
