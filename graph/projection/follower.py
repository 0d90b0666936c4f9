"""Projections of what is served, kept as fresh as the last look at the graph."""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from graph.batches import drain
from graph.driver import Database
from graph.errors import ArtefactError, TwohopError
from graph.projection.build import build
from graph.projection.columns import erase_user
from graph.projection.edits import RoomSpent
from graph.projection.projection import Projection
from graph.projection.rows import read_items, read_similar, read_users
from graph.projection.served import Served, Serving, read_serving
from graph.statements import statement

log = logging.getLogger(__name__)

PAUSE = 0.25  # seconds between two looks that no write of this process asked for
OVERLAP = 1_000  # ms that each look goes back behind the one before
WIDE_OVERLAP = 30_000  # ms: no writing transaction takes longer
WIDE_PAUSE = 5.0  # seconds between two looks that go so far back
STALE = 5.0  # seconds after the last good look from which on nothing is answered
KEPT = 24 * 3_600_000  # ms that the graph remembers what was deleted
OLDEST = KEPT // 2  # ms: files that are older are built anew
STEPS = 10_000  # of an experiment's share


@dataclass
class _Followed:
    """One projection, and which changes are in it already."""

    projection: Projection
    folder: Path
    since: int
    taken: dict[tuple[str, str], int] = field(default_factory=dict)


class Projections:
    """The projections of the live generation and of a challenger. Safe for threads.

    Where one is not there, not fresh or in the making, `chosen` gives None: then ask the graph itself.

    Args:
        database: gives the database, or raises `DatabaseUnavailable`.
        folder: where the files are; processes on one machine share them, and one of them builds.
    """

    def __init__(self, database: Callable[[], Database], folder: Path) -> None:
        self._database, self._folder = database, folder
        self._serving = Serving(None, None, 0.0, False, 0)
        self._followed: dict[Served, _Followed] = {}
        self._seen = self._seen_wide = float("-inf")
        self._looking = threading.Lock()
        self._changed = threading.Condition()
        self._woken = self._closing = False
        self._told = ""
        self._thread = threading.Thread(target=self._run, name="projections", daemon=True)

    def chosen(self, bucket: int | None = None) -> tuple[Projection, bool] | None:
        """The projection for a user's bucket (see `cypher/recommend.cypher`), and whether it is of the live weights."""
        if time.monotonic() - self._seen > STALE:
            return None
        serving = self._serving
        wanted = serving.live
        if serving.challenger is not None and bucket is not None and bucket < serving.share * STEPS:
            wanted = serving.challenger
        followed = self._followed.get(wanted) if wanted is not None else None
        return None if followed is None else (followed.projection, wanted is serving.live)

    def look(self, *, wide: bool = True) -> None:
        """See what is served and what changed, and take it in; builds what is not there.

        `wide`: also what was written by transactions that began long ago. Raises `DatabaseError`, `StoreError` in the
        middle of a load, and `OSError` where the files cannot be written.
        """
        with self._looking:
            begun, database = time.monotonic(), self._database()
            serving = read_serving(database)
            served = [one for one in (serving.live, serving.challenger) if one is not None]
            self._followed = {one: followed for one, followed in self._followed.items() if one in served}
            self._serving = serving
            for one, followed in list(self._followed.items()):
                try:
                    self._take_in(database, followed, serving.now, WIDE_OVERLAP if wide else OVERLAP)
                except RoomSpent:
                    del self._followed[one]
                    shutil.rmtree(followed.folder, ignore_errors=True)
            self._seen = begun
            if serving.loading:
                return
            for one in served:
                if one not in self._followed:
                    self._followed[one] = self._make(database, one, serving.now)
                    self._seen = time.monotonic()
            self._tidy(served)

    def start(self) -> None:
        """Look again and again, in a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once. Returns without waiting."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(STALE)

    def _run(self) -> None:
        while not self._closing:
            with self._changed:
                self._woken = False
            wide = time.monotonic() - self._seen_wide > WIDE_PAUSE
            try:
                self.look(wide=wide)
                if wide:
                    self._seen_wide = time.monotonic()
                self._told = ""
            except (TwohopError, OSError) as error:
                if str(error) != self._told:  # a lasting failure is told once
                    self._told = str(error)
                    log.warning("the projection is not fresh: %s", error)
            except Exception:
                log.exception("the look at the changes failed")
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._woken, PAUSE)

    def _make(self, database: Database, served: Served, now: int) -> _Followed:
        """Open the files of a generation and bring them up to date, or build them, once on this machine."""
        folder = self._folder / str(served.generation)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(self._folder / f"{served.generation}.lock"):
            try:
                projection = Projection.open(folder)
                if projection.served == served and now - projection.now <= OLDEST:
                    return self._begin(database, projection, folder)
            except (ArtefactError, RoomSpent):  # none there, or more came since than it has room for
                pass
            build(database, folder, served, now)
            drain(database, "forget_removed", before=now - KEPT)
            return self._begin(database, Projection.open(folder), folder)

    def _begin(self, database: Database, projection: Projection, folder: Path) -> _Followed:
        projection.warm_up()
        followed = _Followed(projection, folder, projection.now)
        self._take_in(database, followed, read_serving(database).now, WIDE_OVERLAP)
        return followed

    def _take_in(self, database: Database, followed: _Followed, now: int, overlap: int) -> None:
        """Read what changed since the last time, less what is in already. `now`: the server's clock before."""
        rows = database.read(statement("changes"), {"since": followed.since - overlap})
        new = [row for row in rows if followed.taken.get((row["kind"], row["id"])) != row["changed"]]
        names = {kind: [row["id"] for row in new if row["kind"] == kind] for kind in ("user", "item")}
        _remove(followed, [row for row in new if row["kind"].startswith("removed")])
        _put_items(database, followed.projection, names["item"])
        _put_users(database, followed.projection, names["user"])
        followed.taken |= {(row["kind"], row["id"]): row["changed"] for row in new}
        followed.since = max(followed.since, now)
        oldest = followed.since - 2 * WIDE_OVERLAP
        if len(followed.taken) > 2 * len(rows) + 1_000:
            followed.taken = {key: changed for key, changed in followed.taken.items() if changed >= oldest}

    def _tidy(self, served: list[Served]) -> None:
        """Delete the files of generations that are served no longer. Who has mapped them keeps them."""
        wanted = {str(one.generation) for one in served}
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            if folder.is_dir() and folder.name.partition(".")[0] not in wanted:
                shutil.rmtree(folder, ignore_errors=True)


def _remove(followed: _Followed, rows: list[dict[str, object]]) -> None:
    edits = followed.projection.edits
    for row in rows:
        if row["kind"] == "removed item":
            with followed.projection.lock:
                edits.drop_item(str(row["id"]))
            continue
        key, check = (int(part) for part in str(row["id"]).split(":"))
        with followed.projection.lock:
            place = edits.drop_user((key, check))
        erase_user(followed.folder, place)


def _put_items(database: Database, projection: Projection, names: list[str]) -> None:
    if not names:
        return
    edits, served = projection.edits, projection.served
    items = list(read_items(database, served, names))
    with projection.lock:
        for item in items:
            edits.put_item(item)
    for row in read_similar(database, served, names, edits.items, named=True):
        with projection.lock:
            edits.put_similar(row)


def _put_users(database: Database, projection: Projection, names: list[str]) -> None:
    edits, order = projection.edits, projection.order
    for row in read_users(database, projection.served, names, edits.items, order, named=True):
        with projection.lock:
            edits.put_user(row)
