"""Generations: sets of weights that one model run writes beside the live one, and that are switched at once.

A generation `g` is a `(:Generation {id: g})` node, the properties `weight_g` of `INTERACTED` (e^t) and `direct_g` of
`User` and `Item` (p_u and q_i), and the `SIMILAR` edges whose `generation` is g. `(:Serving {id: 'weights'})` names the
live one in one property, and the last id that was given. docs/queries.md tells why. `graph/experiment.py` serves a
second one beside it.
"""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self

from graph.constraints import create_constraints
from graph.driver import Database, Endpoint
from graph.errors import Conflict, NotFound, StoreError
from graph.networks import Network, write_network
from graph.progress import Step, step
from graph.statements import statement
from graph.weights import BATCHES, Batch, Weights

if TYPE_CHECKING:
    from graph.spread import SpreadEdges

SHOWN_EVERY = 1.0  # seconds, of what others write
DROPPED_NODES = 100  # whose edges leave in one transaction
KINDS = {
    "users": "write_user_direct",
    "items": "write_item_direct",
    "interactions": "write_interactions",
    "similar": "write_similar",
}


@dataclass(frozen=True)
class Generation:
    """One set of weights. `served` counts switches: the greatest but the live one's is the previous generation.

    `challenger` is true for the one that an experiment serves beside the live one.
    """

    id: int
    live: bool
    state: Literal["writing", "ready", "dropping"]
    model: str
    data: str
    artefact: str
    metrics: dict[str, Any]
    created: datetime
    weight_property: str
    direct_property: str
    users: int
    items: int
    interactions: int
    similar: int
    digest: str
    missing: int
    served: int | None = None
    challenger: bool = False

    @classmethod
    def of(cls, properties: dict[str, Any], live: bool, challenger: bool = False) -> Self:
        known = {field.name: properties[field.name] for field in fields(cls) if field.name in properties}
        known["metrics"] = json.loads(properties["metrics"])
        known["created"] = properties["created"].to_native()
        return cls(**known, live=live, challenger=challenger)


def write_generation(
    database: Database,
    weights: Weights,
    *,
    model: str,
    data: str,
    artefact: str,
    metrics: dict[str, Any],
    network: Network | None = None,
    spread: "SpreadEdges | None" = None,
    endpoint: Endpoint | None = None,
) -> int:
    """Write `weights` as a new generation that is ready but not live, and give its id.

    Args:
        model, data: names of what computed them and from what.
        artefact: SHA-256 of the model file.
        metrics: what was measured, kept as JSON.
        network: what computed them, for the web server. It is stored before the generation is ready.
        spread, endpoint: the `SIMILAR` edges where a cluster keeps them, instead of those in `weights`, and where its
            workers write them.

    An interrupted write of the same artefact and weights goes on where it stood; any other unfinished generation is
    dropped first. Raises `ArtefactError` for impossible weights, `StoreError` where they are of another graph, and
    `DatabaseError`; the live generation stays as it is.
    """
    weights.check()
    create_constraints(database)
    digest = weights.digest() if spread is None else f"{weights.digest()} {spread.digest}"
    for old in list_generations(database):
        if old.state == "dropping" or (old.state == "writing" and (old.artefact, old.digest) != (artefact, digest)):
            drop(database, old.id)
    described = {"model": model, "data": data, "artefact": artefact, "digest": digest, "metrics": json.dumps(metrics)}
    numbers = {"repeat_power": weights.repeat_power}
    counts = {
        "users": len(weights.users),
        "items": len(weights.items),
        "interactions": len(weights.trigger_user),
        "similar": len(weights.similar_source) if spread is None else spread.count,
    }
    [begun] = database.write(statement("begin_generation"), described | numbers | counts)
    generation = int(begun["id"])
    with step(f"write generation {generation}", sum(counts.values())) as shown:
        for kind, name in KINDS.items():
            shown.describe(kind)
            shown.advance(begun[kind])
            if kind == "similar" and spread is not None and endpoint is not None:
                if begun[kind] < spread.count:
                    _write_spread(database, generation, spread, endpoint, shown)
                continue
            _write(database, generation, name, BATCHES[kind](weights, begun[kind]), shown)
    if network is not None:
        write_network(database, network)
    if not database.write(statement("finish_generation"), {"generation": generation}):
        _refuse(database, generation)
    return generation


def switch(database: Database, generation: int) -> None:
    """Make a ready generation the live one, in one small transaction. What was live stays stored.

    That ends an experiment. Raises `NotFound` and, where it is not ready, `Conflict`.
    """
    if not database.write(statement("switch_generation"), {"generation": generation}):
        state = _find(database, generation).state
        raise Conflict(f"generation {generation} is {state}, not ready: choose another (twohop generations list)")


def rollback(database: Database) -> int:
    """Switch back to the generation that was live before, and give its id. Raises `Conflict` where none is stored."""
    before = [old for old in list_generations(database) if old.state == "ready" and not old.live and old.served]
    if not before:
        raise Conflict("no earlier generation is stored: see twohop generations list")
    previous = max(before, key=lambda old: old.served or 0)
    switch(database, previous.id)
    return previous.id


def list_generations(database: Database) -> list[Generation]:
    """All that are stored, the newest first."""
    return [Generation.of(**row) for row in database.read(statement("generations"))]


def live_generation(database: Database) -> Generation | None:
    return next((stored for stored in list_generations(database) if stored.live), None)


def prune(database: Database, keep: int = 2) -> list[int]:
    """Drop all ready generations but the live one and `keep` - 1 more, and give the dropped ids.

    The challenger of an experiment stays too, uncounted. Of the others those that were never live stay first (they are
    new), then those that were live last.
    """
    if keep < 1:
        raise StoreError(f"keep = {keep}: the live generation always stays, so keep 1 or more")
    ready = [stored for stored in list_generations(database) if stored.state == "ready"]
    others = [stored for stored in ready if not stored.live and not stored.challenger]
    others.sort(key=lambda stored: (stored.served is not None, -(stored.served or 0), -stored.id))
    surplus = [stored.id for stored in others[keep - 1 :]]
    for generation in surplus:
        drop(database, generation)
    return surplus


def drop(database: Database, generation: int) -> None:
    """Delete a generation that is not served, in batches; an interrupted drop is finished by the next.

    Raises `NotFound`, and `Conflict` for the live one and for the challenger of an experiment.
    """
    begun = database.write(statement("begin_drop"), {"generation": generation})
    if not begun:
        if _find(database, generation).challenger:
            advice = "end that first (twohop generations experiment stop)"
            raise Conflict(f"generation {generation} is in an experiment: {advice}")
        raise Conflict(f"generation {generation} is live: switch to another one before you drop it")
    properties = {"generation": generation, **begun[0]}
    with step(f"drop generation {generation}") as shown:
        for name in ("drop_items", "drop_users"):
            after: str | None = ""
            while after is not None:
                paging = {"after": after, "limit": DROPPED_NODES}
                [dropped] = database.write(statement(name), properties | paging)
                after = dropped["last"]
                shown.advance(dropped["nodes"])
    database.write(statement("end_drop"), {"generation": generation})


def _find(database: Database, generation: int) -> Generation:
    for stored in list_generations(database):
        if stored.id == generation:
            return stored
    raise NotFound(f"generation {generation} does not exist: see twohop generations list")


def _write(database: Database, generation: int, name: str, batches: Iterable[Batch], shown: Step) -> None:
    """Run the statement `name` over `batches`. A batch that was written before gives no row and changes nothing."""
    for batch in batches:
        numbers = {"generation": generation, "start": batch.start, "end": batch.end}
        rows = database.write(statement(name), batch.parameters | numbers)
        if not rows:
            stored = _find(database, generation)
            if stored.state == "dropping":
                raise StoreError(f"generation {generation} was dropped by another process during its write")
        elif rows[0]["missing"]:
            _refuse(database, generation)
        shown.advance(batch.end - batch.start)


def _write_spread(database: Database, generation: int, spread: "SpreadEdges", endpoint: Endpoint, shown: Step) -> None:
    """Have a cluster write the edges of those triggers that have not all of theirs yet, then count all."""
    found = database.stream(statement("written_triggers"), {"generation": generation})
    written = {row["source"]: row["written"] for row in found}
    shown.advance(sum(written.values()))
    stored = before = database.read(statement("stored_similar"))[0]["similar"]
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(spread.write, endpoint, generation, written)
        while wait([writing], SHOWN_EVERY).not_done:
            stored = max(stored, database.read(statement("stored_similar"))[0]["similar"])
            shown.advance(stored - before)
            before = stored
        writing.result()
    rows = database.write(statement("count_similar"), {"generation": generation})
    if not rows or rows[0]["missing"]:
        _refuse(database, generation)


def _refuse(database: Database, generation: int) -> None:
    """End the write of weights that name what the graph has not; an other process may also have finished it."""
    stored = _find(database, generation)
    if stored.state == "ready":
        return
    if stored.missing:
        drop(database, generation)
        raise StoreError(
            f"the weights name {stored.missing} users, items or interactions that the graph has not, so they are of "
            "other data: train again (twohop train pdn)"
        )
    raise StoreError(f"generation {generation} is {stored.state}: another process dropped it during its write")
