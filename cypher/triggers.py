"""What a user's recommendations start from."""

from dataclasses import dataclass
from datetime import datetime

from cypher.live import live
from cypher.user import user as find_user
from cypher.variants import VariantName
from cypher.walk import TRIGGERS
from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class Trigger:
    """An interaction by its `weight` = e^t: how often, and when or at which place in the user's order last."""

    id: str
    title: str | None
    weight: float
    count: int | None
    last_time: datetime | None
    last_position: int | None


@dataclass(frozen=True)
class Triggers:
    """A user's triggers by the weights of `generation`, the strongest first."""

    user: str
    generation: int
    variant: VariantName
    triggers: tuple[Trigger, ...]


def triggers(database: Database, user: str, m: int = TRIGGERS, *, bucket: int | None = None) -> Triggers:
    """The `m` interactions with the greatest weights; none for a user who came after the generation.

    `bucket` (0 to 9999) chooses between the live weights and a challenger's. Raises `NotFound` for an unknown user and
    `StoreError` where no generation is live.
    """
    rows = database.read(statement("triggers", "cypher"), {"user": user, "m": m, "bucket": bucket})
    if not rows:
        known = find_user(database, user, bucket)
        return Triggers(user, known.generation or live(database).id, known.variant or "control", ())
    generation, variant = rows[0]["generation"], rows[0]["variant"]
    for row in rows:
        row["last_time"] = row["last_time"] and row["last_time"].to_native()
    found = tuple(Trigger(**{name: row[name] for name in Trigger.__dataclass_fields__}) for row in rows)
    return Triggers(user, generation, variant, found)
