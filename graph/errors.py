"""Every error a user can meet, in one tree. Each message says what failed, where, and what to do.

TwohopError
├── SettingsError            a setting is missing or contradicts another
├── ServerError              the managed Neo4j server
│   ├── PortTaken
│   ├── DownloadFailed       no network, or a file whose checksum is not the locked one
│   ├── ServerCrashed
│   ├── ServerNotRunning
│   └── DataTooNew           the data folder was written by a newer Neo4j
├── DatabaseError            any Neo4j server, through the driver
│   ├── DatabaseUnavailable
│   ├── AuthenticationFailed
│   └── StatementFailed
│       └── DeadlineExceeded a statement took longer than it may
├── StoreError               the graph in a store is not in the state that the job needs
│   ├── StoreEmpty
│   ├── StoreNotEmpty
│   └── StoreBusy            another process holds the store's lock
├── NotFound                 a user, an item, a browse node or a generation that does not exist
├── Invalid                  a request that is well formed, and says what the graph cannot take
├── Conflict                 a request that contradicts what is stored
├── SourceError              raw data: not there, or a mapping that does not fit it
└── ArtefactError            a model file: not there, damaged or foreign
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

# A union reports every branch that failed; its branch names are no keys of what was given.
BRANCH = re.compile(r"[(\[]|^(str|int|float|bool)$")


def one_line(error: "ValidationError") -> str:
    """The first problem of pydantic's error as `where: what`, and how many more there are."""
    first, *more = error.errors()
    keys = [str(part) for part in first["loc"] if not BRANCH.search(str(part))]
    text = first["msg"].removeprefix("Value error, ")
    return f"{'.'.join(keys)}{': ' if keys else ''}{text}{f' (and {len(more)} more)' if more else ''}"


class TwohopError(Exception):
    """Base of all errors that the command prints as one line and exit code 1."""


class SettingsError(TwohopError):
    pass


class ServerError(TwohopError):
    pass


class PortTaken(ServerError):
    pass


class DownloadFailed(ServerError):
    pass


class ServerCrashed(ServerError):
    pass


class ServerNotRunning(ServerError):
    pass


class DataTooNew(ServerError):
    pass


class SparkFailed(TwohopError):
    pass


class DatabaseError(TwohopError):
    pass


class DatabaseUnavailable(DatabaseError):
    pass


class AuthenticationFailed(DatabaseError):
    pass


class StatementFailed(DatabaseError):
    pass


class DeadlineExceeded(StatementFailed):
    pass


class StoreError(TwohopError):
    pass


class StoreEmpty(StoreError):
    pass


class StoreNotEmpty(StoreError):
    pass


class StoreBusy(StoreError):
    pass


class NotFound(TwohopError):
    pass


class Invalid(TwohopError):
    pass


class Conflict(TwohopError):
    pass


class SourceError(TwohopError):
    pass


class ArtefactError(TwohopError):
    pass
