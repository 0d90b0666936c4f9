"""What a web process asks the trained networks, without torch: types of the answers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SessionEvent:
    """One event of somebody unknown. `time`: seconds since 1970 UTC; None where only the order is known."""

    item: str
    time: int | None = None
    session: str | None = None
    quantity: float | None = None
    value: float | None = None


@dataclass(frozen=True)
class Trigger:
    """An item of a session and its e^t."""

    id: str
    weight: float


@dataclass(frozen=True)
class Session:
    """What the networks of one generation say of a session: triggers, the strongest first, and p_u (maybe empty)."""

    generation: int
    triggers: list[Trigger]
    direct: list[float]
