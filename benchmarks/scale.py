"""Loading generated shops of growing size by the bulk writer: `python -m benchmarks.scale`.

Each size gets a store of its own in a temporary folder. Peak memory is the sum over this process, the server and the
import tool, sampled every 0.2 s. Writes `benchmarks/results/scale.json`.
"""

import json
import platform
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.writers import measured
from graph.driver import connect
from graph.jars import NEO4J
from graph.server import ManagedServer
from graph.settings import Settings
from graph.statements import statement
from graph.writers import write
from loaders import Shape, load

RESULTS = Path(__file__).parent / "results" / "scale.json"
SHAPES = (Shape(10_000, 10_000, 100_000), Shape(100_000, 100_000, 1_000_000))


def run(shape: Shape, settings: Settings) -> dict[str, Any]:
    server = ManagedServer(settings)
    try:
        with connect(settings) as database:
            with measured(server) as reading:
                loaded = load("generated", settings, shape=shape)
            with measured(server) as writing:
                write(loaded.tables, settings, database, "bulk")
            [edges] = database.read(statement("count_edges"))
    finally:
        server.stop()
    wall = reading["wall_s"] + writing["wall_s"]
    stored = edges["interacted"] + edges["held_out"]
    return {
        "items": shape.items,
        "users": shape.users,
        "interactions": stored,
        "generate_and_check": reading,
        "import": writing,
        "wall_s": round(wall, 2),
        "edges_per_s": round(stored / wall),
        "peak_mib": max(reading["peak_mib"], writing["peak_mib"]),
    }


def main() -> None:
    results: dict[str, Any] = {
        "neo4j": NEO4J,
        "python": platform.python_version(),
        "cores": psutil.cpu_count(),
        "processes_running_before": psutil.getloadavg()[0],
        "runs": [],
    }
    for shape in SHAPES:
        with TemporaryDirectory() as home:
            settings = Settings(_env_file=None, home=Path(home), store="scale", neo4j_uri=None)
            results["runs"].append(run(shape, settings))
            print(json.dumps(results["runs"][-1]))
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
