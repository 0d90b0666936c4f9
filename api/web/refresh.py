"""The thread that gives users new weights after their events."""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from api.web.connection import Connection
from api.web.live import LiveNetworks
from graph.errors import DatabaseUnavailable, TwohopError
from graph.statements import statement

log = logging.getLogger(__name__)

PAUSE = 5.0  # seconds between two looks for stale users that nobody woke it for
RETRY = 1.0  # seconds until the next try while the database is away
PATIENCE = 10.0  # seconds that it gets to end
AT_ONCE = 1_000  # stale users looked up at a time


class Refresher:
    """Refreshes users that it is woken for, one after the other, each once however often it was named meanwhile.

    When it starts and every few seconds it also looks for users that are still `stale`, such as those of a process that
    was killed. While the database is away it keeps whom it was woken for. A user that cannot be refreshed stays
    `stale`, and holds up no other.

    Args:
        observe: is told the seconds from `wake` to the effect of each user.
    """

    def __init__(
        self, live: LiveNetworks, connection: Connection, observe: Callable[[float], None] = lambda _: None
    ) -> None:
        self._live, self._connection, self._observe = live, connection, observe
        self._woken: dict[str, float] = {}  # user -> when it was woken first; in that order
        self._changed = threading.Condition()
        self._closing = False
        self._told = ""  # the last failure in the log: a lasting one is told once
        self._thread = threading.Thread(target=self._run, name="refresher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the user in work; who is left stays `stale` in the graph."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(PATIENCE)

    def wake(self, users: Iterable[str]) -> None:
        """Refresh these users at once. Returns without waiting."""
        now = time.monotonic()
        with self._changed:
            for user in users:
                self._woken.setdefault(user, now)
            self._changed.notify_all()

    def _run(self) -> None:
        look = 0.0  # when to look for stale users next
        while not self._closing:
            try:
                while (one := self._next()) is not None:
                    self._refresh(*one)
                if time.monotonic() >= look:
                    self._refresh_stale()
                    look = time.monotonic() + PAUSE
            except DatabaseUnavailable:  # `Connection` has told
                self._rest(time.monotonic() + RETRY, woken=False)
            else:
                self._rest(look, woken=True)

    def _next(self) -> tuple[str, float] | None:
        with self._changed:
            return None if self._closing else next(iter(self._woken.items()), None)

    def _rest(self, until: float, *, woken: bool) -> None:
        """Wait until then, or until it ends, or where `woken` until somebody wakes it."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closing or (woken and bool(self._woken)), max(0.0, until - time.monotonic())
            )

    def _refresh(self, user: str, since: float | None) -> None:
        """Raises `DatabaseUnavailable` and forgets nobody then."""
        with self._changed:
            self._woken.pop(user, None)  # before the refresh: whoever wakes it from now on has newer events
        try:
            self._live.refresh_users([user])
        except DatabaseUnavailable:
            if since is not None:
                with self._changed:
                    self._woken[user] = min(since, self._woken.get(user, since))
            raise
        except TwohopError as error:
            self._tell(error)
        except Exception:
            log.exception("user %r was not refreshed", user)
        else:
            self._told = ""
            if since is not None:
                self._observe(time.monotonic() - since)

    def _refresh_stale(self) -> None:
        for row in self._connection.database.read(statement("stale_users"), {"limit": AT_ONCE}):
            while (one := self._next()) is not None:  # who was woken comes first
                self._refresh(*one)
            if self._closing:
                return
            self._refresh(row["id"], None)

    def _tell(self, error: Exception) -> None:
        if str(error) != self._told:
            self._told = str(error)
            log.warning("users are not refreshed: %s", error)
