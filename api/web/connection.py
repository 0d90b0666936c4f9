"""The database of the web process: opened when it can be, watched, and opened again after it went away."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import neo4j

from api.web import observe
from api.web.traces import Traces
from graph.constraints import create_constraints
from graph.driver import Database, Parameters, Row, Run, connect
from graph.errors import DatabaseUnavailable, ServerError, TwohopError
from graph.server import ManagedServer
from graph.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")
PAUSE = 2.0  # seconds between two looks
LONGEST_PAUSE = 30.0  # where a managed server does not come up
STALE = 10.0  # seconds after the last good look, from which on requests are not sent to the database
DEADLINE = 5.0  # seconds that a statement of a request may take
# A request is worth little after a second or two, and a 503 that comes at once is worth more than one that comes late.
BUDGETS = {"acquire_timeout": 5.0, "retry_time": 1.0}  # seconds
CLOSING = 5.0  # seconds that the end of the process waits for a look


class WatchedDatabase(Database):
    """A database that times what it does for a request, and says when it was written to or does not answer."""

    def __init__(self, opened: Database, traces: Traces, lost: Callable[[], None], written: Callable[[], None]) -> None:
        super().__init__(opened.driver, opened.name, opened.address, opened.timeout)
        self._traces, self._lost, self._written = traces, lost, written

    def write(self, query: str, parameters: Parameters | None = None, timeout: float | None = None) -> list[Row]:
        rows = super().write(query, parameters, timeout)
        self._written()
        return rows

    def transact(self, work: Callable[[Run], T], timeout: float | None = None) -> T:
        result = self._watched(lambda: super(WatchedDatabase, self).transact(work, timeout))
        self._written()
        return result

    def read_graph(
        self, query: str, parameters: Parameters | None = None, timeout: float | None = None
    ) -> neo4j.graph.Graph:
        return self._watched(lambda: super(WatchedDatabase, self).read_graph(query, parameters, timeout))

    def stream(
        self, query: str, parameters: Parameters | None = None, timeout: float | None = None, fetch_size: int = 10_000
    ) -> Iterator[Row]:
        rows = super().stream(query, parameters, timeout, fetch_size)
        end = object()
        while (row := self._watched(lambda: next(rows, end))) is not end:
            yield row  # type: ignore[misc]

    def _execute(
        self, query: str, parameters: Parameters | None, timeout: float | None, routing: neo4j.RoutingControl
    ) -> list[Row]:
        return self._watched(lambda: super(WatchedDatabase, self)._execute(query, parameters, timeout, routing))

    def _watched(self, work: Callable[[], T]) -> T:
        try:
            with observe.statement_time(), self._traces.statement():
                return work()
        except DatabaseUnavailable as error:
            log.warning("%s", error)
            self._lost()
            raise


class Connection:
    """One database for the whole life of the process. It may come late, and go: meanwhile every request is a 503.

    A managed server that ended by itself is started again. One that was stopped (`twohop neo4j stop`) is not: it may
    be filled now. A server of your own is only waited for.

    Args:
        written: called after each transaction of this process that wrote something.
    """

    def __init__(self, settings: Settings, traces: Traces, written: Callable[[], None] = lambda: None) -> None:
        self.settings = settings.model_copy(
            update={name: min(seconds, getattr(settings, name)) for name, seconds in BUDGETS.items()}
        )
        self._traces, self._written = traces, written
        self._database: Database | None = None
        self._seen = float("-inf")  # the last good look
        self._told = ""
        self._pause = PAUSE
        self._closing = False
        self._wake = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="connection", daemon=True)

    @property
    def database(self) -> Database:
        """Raises `DatabaseUnavailable` while it is not there, at once."""
        if not self.up or self._database is None:
            raise DatabaseUnavailable("the database is not there: try again in a few seconds")
        return self._database

    @property
    def up(self) -> bool:
        return time.monotonic() - self._seen < STALE

    def open(self) -> None:
        """Start to look for the database; returns at once."""
        self._watcher.start()

    def close(self) -> None:
        self._closing = True
        self._wake.set()
        if self._watcher.is_alive():
            self._watcher.join(CLOSING)  # a server that is being started is not waited for; it outlives this process
        if self._database is not None:
            self._database.close()

    def _watch(self) -> None:
        while not self._closing:
            self._wake.clear()
            try:
                self._look()
            except TwohopError as error:
                self._lose(error)
            except Exception:
                log.exception("the look at the database failed")
            self._wake.wait(self._pause)

    def _look(self) -> None:
        """See that the database answers. Raises `TwohopError` where it does not."""
        if self._database is not None and self.up:
            self._database.check()
        elif (opened := self._open()) is not None:
            create_constraints(opened, timeout=None)  # a store of an older version lacks the newest indexes
            last, self._database = self._database, WatchedDatabase(opened, self._traces, self._wake.set, self._written)
            if last is not None:
                last.close()
            log.info("the database at %s answers", opened.address)
        else:
            return
        self._seen, self._told, self._pause = time.monotonic(), "", PAUSE

    def _open(self) -> Database | None:
        """Connect anew; None while a managed server is stopped on purpose."""
        start = self._database is None  # this process wants it: the first time, also where it was stopped before
        if self.settings.managed and not start:
            status = ManagedServer(self.settings).status()
            if not (status.running or status.crashed):
                return None
            start = status.crashed
        return connect(self.settings, start=start, timeout=DEADLINE)

    def _lose(self, error: TwohopError) -> None:
        self._seen = float("-inf")
        self._pause = min(2 * self._pause, LONGEST_PAUSE) if isinstance(error, ServerError) else PAUSE
        if str(error) != self._told:  # a lasting failure is told once
            self._told = str(error)
            log.warning("%s", error)
