"""Progress bars that name each step and its time left; silent where stderr is no terminal but for one line a step."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Row = TypeVar("Row")
console = Console(stderr=True)


class Step:
    """One named step: call `advance` as work gets done. `total` may be unknown (None)."""

    def __init__(self, name: str, total: float | None, bar: Progress | None) -> None:
        self.name, self.total, self._bar = name, total, bar
        self._task = bar.add_task(name, total=total) if bar else None
        self.done = 0.0

    def advance(self, amount: float = 1) -> None:
        self.done += amount
        if self._bar and self._task is not None:
            self._bar.advance(self._task, amount)

    def describe(self, text: str) -> None:
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=f"{self.name}: {text}")


@contextmanager
def step(name: str, total: float | None = None) -> Iterator[Step]:
    """Show one step. On a terminal a bar with the time left; else a line when it starts and one when it ends."""
    start = time.monotonic()
    if not sys.stderr.isatty():
        console.print(f"{name} …", highlight=False, soft_wrap=True)
        yield Step(name, total, None)
        console.print(f"{name}: done in {time.monotonic() - start:.1f} s", highlight=False, soft_wrap=True)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        yield Step(name, total, bar)


def track(rows: Iterable[Row], name: str, total: int) -> Iterator[Row]:
    """Iterate over `rows` as one step."""
    with step(name, total) as shown:
        for row in rows:
            yield row
            shown.advance()
