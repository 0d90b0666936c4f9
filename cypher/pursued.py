"""What a user is up to."""

from dataclasses import dataclass
from datetime import datetime

from cypher.user import user as find_user
from graph.driver import Database
from graph.errors import StoreError
from graph.statements import statement

LEAST = (
    0.75  # between what everybody thinks of (0.8 to 1) and what people forget (up to 0.74): see models.intents.links
)


@dataclass(frozen=True)
class NamedCategory:
    id: str
    name: str


@dataclass(frozen=True)
class NeededCategory:
    """`score`: how much the intent needs it, 0 to 1."""

    id: str
    name: str
    score: float


@dataclass(frozen=True)
class PursuedIntent:
    """`score` = R_tc (eq. 2), `recency` = R_t (eq. 3), `activeness` = E, the number of engagements.

    `had`: categories that were engaged with, the newest first; `needs`: the first that are not covered.
    """

    id: str
    sentence: str
    score: float
    recency: float
    activeness: int
    first_time: datetime
    last_time: datetime
    had: tuple[NamedCategory, ...]
    needs: tuple[NeededCategory, ...]


def pursued(
    database: Database,
    user: str,
    n: int = 5,
    *,
    needs: int = 5,
    least: float = LEAST,
    now: float | None = None,
    recency_power: float | None = None,
    activeness_power: float | None = None,
    leniency: float | None = None,
    base: float | None = None,
    covered_days: int | None = None,
) -> list[PursuedIntent]:
    """The `n` intents of a user with the greatest R_tc; none for a user whose items serve no intent.

    Args:
        needs: categories shown that each intent still needs.
        least: score that a need has at least.
        now, recency_power (λ), activeness_power (τ), leniency (α), base (ε), covered_days: instead of the stored ones.

    Raises `NotFound` for an unknown user and `StoreError` where intents were never linked.
    """
    given = {
        "user": user, "n": n, "needs": needs, "least": least, "now": now, "lambda": recency_power,
        "tau": activeness_power, "alpha": leniency, "epsilon": base, "covered_days": covered_days,
    }  # fmt: skip
    rows = database.read(statement("pursued", "cypher"), given)
    if not rows:
        find_user(database, user)
        if not database.read(statement("intents_state")):
            raise StoreError("the intents of users are not worked out: run twohop intents link")
    return [
        PursuedIntent(
            **{name: row[name] for name in ("id", "sentence", "score", "recency", "activeness")},
            first_time=row["first_time"].to_native(),
            last_time=row["last_time"].to_native(),
            had=tuple(NamedCategory(**one) for one in row["had"]),
            needs=tuple(NeededCategory(**one) for one in row["needs"]),
        )
        for row in rows
    ]
