"""What a training runs on: a GPU when there is one, else the cores that are free."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch


def device() -> torch.device:
    """The GPU when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def shared_threads() -> Iterator[None]:
    """Use the cores that are free now.

    Torch's threads wait for each other in a busy loop: on a machine that is already loaded, as many threads as cores
    are many times slower than one.
    """
    before = torch.get_num_threads()
    if before > 1:
        busy = psutil.cpu_percent(interval=0.5) / 100 * before
        torch.set_num_threads(max(1, min(before, round(before - busy))))
    try:
        yield
    finally:
        torch.set_num_threads(before)
