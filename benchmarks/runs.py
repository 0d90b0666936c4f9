"""What all benchmarks share: full or small, and where figures are kept.

A small run, which `python -m benchmarks.small` starts, sets `SMALL` in the environment: every benchmark then takes
minutes at most, and its figures, which say only that it works, go to `results/small`, which git ignores.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

SMALL = "TWOHOP_BENCH_SMALL"
FOLDER = Path(__file__).parent / "results"
STORE = "generated"  # of small runs
RECIPE = {"pairs": {"candidates": 50}, "sampling": {"examples": 2_560}, "epochs": 1, "similar": 20}  # and theirs

T = TypeVar("T")


def sized(full: T, small: T) -> T:
    """One of the two, by what is run."""
    return small if os.environ.get(SMALL) else full


def results(name: str) -> Path:
    """The file of these figures."""
    folder = sized(FOLDER, FOLDER / "small")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.json"


def command(about: str | None, stores: Sequence[str] = ()) -> argparse.ArgumentParser:
    """A benchmark's command line, with its docstring as help. With `stores` it takes names of others, as `stores`."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    if stores:
        parser.add_argument("stores", nargs="*", metavar="STORE", default=stores, help=f"else {', '.join(stores)}")
    return parser
