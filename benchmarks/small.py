"""Every benchmark, small: `python -m benchmarks.small [NAME …]`, which is `make bench`.

It loads a generated store into a temporary folder, trains and indexes it, and runs one benchmark after the other on
it, or on data that it makes itself. No other data is wanted. Figures go to `benchmarks/results/small`: they say that
all of it works, and no more. The numbers of the documents come from `python -m benchmarks.NAME` on full stores.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from benchmarks.runs import RECIPE, SMALL, STORE, command
from graph.server import ManagedServer
from graph.settings import Settings

# What runs, in this order, and the words that make it shorter still.
RUN: dict[str, Sequence[str]] = {
    "index": (),
    "training": (),
    "debiasing": (),
    "quality": ("--models", "pdn", "popularity"),
    "queries": (),
    "in_process": (),
    "serving": (),
    "setups": (),
    "freshness": (),
    "writers": (),
    "scale": (),
    "columns": (),
}
LEFT_OUT = {
    "gds": "fetches the library's 129 jars and wants MovieLens-1M with its published negatives",
    "encoder": "wants The Complete Journey with taxonomies, mined intents and a query table (docs/intents.md)",
    "intents": "wants The Complete Journey and Amazon Beauty, linked to intents",
    "audit": "wants The Complete Journey, linked to intents, and judgments",
}
SHAPE = {"--items": 2_000, "--users": 2_000, "--interactions": 40_000}


def prepare(home: Path) -> None:
    """A store that is loaded, trained and indexed."""
    recipe = home / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    sizes = [word for name, size in SHAPE.items() for word in (name, str(size))]
    for words in (["load", "generated", *sizes], ["train", "pdn", "--recipe", str(recipe)], ["index"]):
        subprocess.run([sys.executable, "-m", "api", *words], check=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="else all that are run small")
    names: list[str] = parser.parse_args(arguments).names
    if unknown := sorted(set(names) - set(RUN)):
        sys.exit(f"benchmarks.small: no benchmark {unknown[0]}: choose from {', '.join(RUN)}")
    failed, begun = [], time.monotonic()
    with TemporaryDirectory(prefix="twohop-") as home:
        os.environ |= {SMALL: "1", "TWOHOP_HOME": home, "TWOHOP_STORE": STORE}
        os.environ.pop("NEO4J_URI", None)
        try:
            prepare(Path(home))
            for name in names or RUN:
                since = time.monotonic()
                words = [sys.executable, "-m", f"benchmarks.{name}", *RUN[name]]
                if subprocess.run(words, check=False).returncode:
                    failed.append(name)
                print(f"== {name}: {time.monotonic() - since:.0f} s", flush=True)
        finally:
            ManagedServer(Settings(_env_file=None, home=Path(home), store=STORE, neo4j_uri=None)).stop()
    for name, why in LEFT_OUT.items():
        print(f"== {name}: left out: {why}")
    print(f"== {time.monotonic() - begun:.0f} s in all")
    if failed:
        sys.exit(f"benchmarks.small: failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
