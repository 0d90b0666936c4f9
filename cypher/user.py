"""Who a user is to the model."""

from dataclasses import dataclass, field
from typing import Any

from cypher.variants import VariantName
from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


@dataclass(frozen=True)
class User:
    """`items` that the user had, `triggers` of them with a weight in the `generation` (None: none is live).

    `variant`: whether that is the live generation or the challenger; `profile`: the user's features.
    """

    id: str
    items: int
    triggers: int
    generation: int | None
    variant: VariantName | None = None
    profile: dict[str, Any] = field(default_factory=dict)


def user(database: Database, user: str, bucket: int | None = None) -> User:
    """`bucket` (0 to 9999) chooses between the live weights and a challenger's. Raises `NotFound`."""
    rows = database.read(statement("user", "cypher"), {"user": user, "bucket": bucket})
    if not rows:
        raise NotFound(f"user {user!r} is not in the graph")
    return User(**rows[0] | {"profile": dict(rows[0]["profile"])})
