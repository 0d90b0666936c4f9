"""An experiment: a part of the users gets a second generation, the challenger, beside the live one, the control.

It is three properties of `(:Serving {id: 'weights'})`: `challenger`, `share` and `experiment_began`, set in one
transaction. It is over when another generation goes live; its challenger cannot be dropped.
"""

from dataclasses import dataclass
from datetime import datetime

from graph.driver import Database
from graph.errors import Conflict, Invalid, NotFound, StoreError
from graph.generations import list_generations
from graph.statements import statement

STEPS = 10_000  # parts that users are told apart in: a share is a whole number of them


@dataclass(frozen=True)
class Experiment:
    """`share` of the users, from 0 to 1, get the generation `challenger`; the others get `control`, the live one."""

    control: int
    challenger: int
    share: float
    began: datetime


def start_experiment(database: Database, challenger: int, share: float) -> Experiment:
    """Give a share of the users another ready generation. The same experiment again changes nothing, not when it began.

    Raises `Invalid` for an impossible share, `NotFound` for an unknown generation, `Conflict` for one that is live or
    not ready, and `StoreError` where none is live.
    """
    if not 1 <= round(share * STEPS) < STEPS:
        raise Invalid(f"share {share:g} of the users: give one from {1 / STEPS} to {1 - 1 / STEPS}")
    if not database.write(statement("start_experiment"), {"challenger": challenger, "share": share}):
        stored = {one.id: one for one in list_generations(database)}
        if challenger not in stored:
            raise NotFound(f"generation {challenger} does not exist: see twohop generations list")
        if stored[challenger].state != "ready":
            raise Conflict(f"generation {challenger} is {stored[challenger].state}, not ready: choose another")
        if not any(one.live for one in stored.values()):
            raise StoreError("the graph has no live weights: make a generation live first (twohop generations switch)")
        # It was the live one in the transaction, whatever has gone live since.
        raise Conflict(f"generation {challenger} is live: an experiment needs another one beside it")
    return running_experiment(database)


def stop_experiment(database: Database) -> None:
    """Give everybody the live generation again; both generations stay. Raises `NotFound` where none is running."""
    if not database.write(statement("stop_experiment")):
        raise _none()


def running_experiment(database: Database) -> Experiment:
    """Raises `NotFound` where none is running."""
    rows = database.read(statement("experiment"))
    if not rows:
        raise _none()
    return Experiment(**rows[0] | {"began": rows[0]["began"].to_native()})


def _none() -> NotFound:
    return NotFound("no experiment is running: start one (twohop generations experiment start)")
