"""The trained networks in the web process: weights of users, new items and sessions, without torch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graph.driver import Database
from models.serving import Session, SessionEvent


class LiveNetworks:
    """Networks of the served generations, read from the graph once and kept. Safe for threads.

    Args:
        database: gives the database, or raises `DatabaseUnavailable`.
        encoders: folder of the encoders of shopping intents (`Settings.intents_folder`).
    """

    def __init__(self, database: Callable[[], Database], encoders: Path) -> None:
        self._database, self._encoders = database, encoders

    def refresh_users(self, users: Sequence[str]) -> None:
        """Work out the weights, p_u and the intents of users anew, and take `stale` off them."""
        raise NotImplementedError

    def place_items(self, items: Sequence[str]) -> None:
        """Give new items their vectors and similar items, from the profile alone."""
        raise NotImplementedError

    def session(self, events: Sequence[SessionEvent], generation: int | None = None) -> Session:
        """Triggers and vector of somebody unknown; by the live generation, or by another served one."""
        raise NotImplementedError

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors [n, d] of texts, by the encoder that linked the graph."""
        raise NotImplementedError
