"""What all benchmarks share: full or small, and where figures are kept.

A small run, which `python -m benchmarks.small` starts, sets `SMALL` in the environment: every benchmark then takes
minutes at most, and its figures, which say only that it works, go to `results/small`, which git ignores.
"""

import argparse
import json
import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from graph.driver import Database, connect
from graph.server import ManagedServer
from graph.settings import load_settings

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


def keep(file: Path, content: Any) -> None:
    """The whole file or the one before, never a part."""
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    partial.replace(file)


def kept(file: Path, default: Any) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else default


@contextmanager
def running(store: str) -> Iterator[Database]:
    settings = load_settings(store)
    server = ManagedServer(settings) if settings.managed else None
    started = server is not None and server.start()
    try:
        with connect(settings) as database:
            yield database
    finally:
        if server is not None and started:
            server.stop()


def alone(work: Any, *arguments: Any) -> Any:
    """Run this in a new process, whose memory is that of the work alone, and which ends when this one is killed."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _end_with_parent) as pool:
        return pool.submit(work, *arguments).result()


def _end_with_parent() -> None:
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)  # the main thread is in the midst of its work
