"""What requests are answered by, and the state of the store that a projection of it is of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from graph.driver import Database
from graph.statements import statement


@dataclass(frozen=True)
class Served:
    """One generation. A projection of it holds as long as all of this is the same, and follows what else changes.

    Attributes:
        digest, created: of the weights; a store that is loaded anew counts its generations from 1 again.
        weight_property, direct_property: where edges and nodes have e^t, and p_u or q_i.
        repeat_power: of e^t on the path of a trigger to itself.
        loads, tree_version: counters of loads and of changes of the browse tree.
    """

    generation: int
    digest: str
    created: str
    weight_property: str
    direct_property: str
    repeat_power: float
    loads: int
    tree_version: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Serving:
    """The live generation, an experiment's challenger, and the server's clock in ms.

    `loading`: a load is not finished, so nothing is to be built now.
    """

    live: Served | None
    challenger: Served | None
    share: float
    loading: bool
    now: int


def read_serving(database: Database) -> Serving:
    rows = database.read(statement("serving"))
    if not rows:
        return Serving(None, None, 0.0, False, 0)
    live, *others = (Served.of(row) for row in rows)
    first = rows[0]
    return Serving(live, others[0] if others else None, first["share"] or 0.0, first["loading"], first["now"])
