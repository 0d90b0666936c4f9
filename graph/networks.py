"""`(:Network)`: what computed a generation, in a form that runs without the model's files and without torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from graph.constraints import create_constraints
from graph.driver import Database, Run
from graph.errors import StoreError
from graph.statements import statement

ADVICE = "run twohop index --networks-only"


@dataclass(frozen=True)
class Network:
    """One trained model.

    Attributes:
        artefact: SHA-256 of the model file, as `Generation.artefact` names it.
        source: id of the source that it was trained on.
        features: how raw columns become codes (`models.features.Features`).
        similar: neighbours of an item in the index.
        min_buyers: an item with fewer buyers is neither trigger nor candidate there.
        terms, idf: the words of profiles that count and the weight of each (`models.profiles.Terms`).
        graphs: the network's functions as ONNX, by name (`models.onnx_export.export`).
        trended: q_i ends with the item's trend, and p_u with a 1 (`models.pairs.trends`).
    """

    artefact: str
    source: str
    features: dict[str, Any]
    similar: int
    min_buyers: int
    terms: tuple[str, ...]
    idf: tuple[float, ...]
    graphs: Mapping[str, bytes]
    trended: bool = False

    def properties(self) -> dict[str, Any]:
        plain = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "graphs"}
        lists = {"features": json.dumps(self.features), "terms": list(self.terms), "idf": list(self.idf)}
        return plain | lists | {f"graph_{name}": graph for name, graph in self.graphs.items()}

    @classmethod
    def of(cls, properties: dict[str, Any]) -> Self:
        known = {field.name: properties[field.name] for field in fields(cls) if field.name in properties}
        known["features"] = json.loads(properties["features"])
        known |= {name: tuple(properties[name]) for name in ("terms", "idf")}
        graphs = {
            name.removeprefix("graph_"): bytes(value) for name, value in properties.items() if name.startswith("graph_")
        }
        return cls(**known, graphs=graphs)


@dataclass(frozen=True)
class ServedGeneration:
    """A generation that requests are answered by. `written`: when its Network was stored, None where it is not."""

    id: int
    artefact: str
    written: str | None


def write_network(database: Database, network: Network) -> None:
    """Store it in the place of what the artefact had."""
    create_constraints(database)
    parameters = {"artefact": network.artefact, "properties": network.properties()}
    database.write(statement("merge_network"), parameters)


def read_network(database: Database, artefact: str) -> Network:
    """Raises `StoreError` where it is not stored."""
    # By a transaction: `Database.read` copies values one by one, and the graphs have millions of bytes.
    rows = database.transact(lambda run: run(statement("network"), {"artefact": artefact}))
    if not rows:
        raise StoreError(f"the networks of model {artefact[:12]} are not in this store: {ADVICE}")
    return Network.of(rows[0]["properties"])


def served_generations(run: Run) -> list[ServedGeneration]:
    """The live one first, then the challenger of an experiment. Raises `StoreError` where none is live."""
    rows = run(statement("served_generations"), {})
    if not rows:
        raise StoreError("the graph has no live weights: run twohop train pdn, then twohop index")
    return [ServedGeneration(**row) for row in rows]


def artefacts_without_network(database: Database) -> list[str]:
    """Artefacts of stored generations that an older version wrote, without their networks."""
    return [row["artefact"] for row in database.read(statement("without_network"))]
