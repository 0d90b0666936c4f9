"""The database of the web process: opened when it can be, and opened again after it went away."""

import logging
import threading

from graph.driver import Database, connect
from graph.errors import DatabaseUnavailable, TwohopError
from graph.settings import Settings

log = logging.getLogger(__name__)

PAUSE = 2.0  # seconds between two tries
DEADLINE = 5.0  # seconds that a statement of a request may take


class Connection:
    """One database for the whole life of the process. It may come late: until then every request is a 503."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._database: Database | None = None
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="connection", daemon=True)

    @property
    def database(self) -> Database:
        """Raises `DatabaseUnavailable` until it is there."""
        if self._database is None:
            raise DatabaseUnavailable("the database is not there yet: try again in a few seconds")
        return self._database

    def open(self) -> None:
        """Start to look for the database; returns at once."""
        self._watcher.start()

    def close(self) -> None:
        self._closing.set()
        self._watcher.join()
        if self._database is not None:
            self._database.close()

    def _watch(self) -> None:
        while not self._closing.is_set():
            if self._database is None:
                try:
                    self._database = connect(self.settings, timeout=DEADLINE)
                except TwohopError as error:
                    log.warning("%s", error)
            self._closing.wait(PAUSE)
