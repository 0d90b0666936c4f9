"""The one way to the database, a managed server or one of your own: `with connect(settings) as database: …`."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import neo4j
import tenacity
from neo4j import exceptions as foreign

from graph.errors import (
    AuthenticationFailed,
    DatabaseUnavailable,
    DeadlineExceeded,
    ServerNotRunning,
    SettingsError,
    StatementFailed,
    StoreEmpty,
    TwohopError,
)
from graph.older_stores import update_older
from graph.server import DATABASE, USERNAME, ManagedServer
from graph.server_folder import stores
from graph.settings import Settings

# What the driver logs it also raises: without a handler Python would print it beside our one line.
logging.getLogger("neo4j").addHandler(logging.NullHandler())

Parameters = Mapping[str, Any]
Row = dict[str, Any]
Run = Callable[[str, Parameters], list[Row]]
T = TypeVar("T")

# Neo4j's exceptions to ours: the nearest class of an exception decides. A test wants each class of the driver here.
OURS: dict[type[Exception], type[TwohopError]] = {
    foreign.Neo4jError: StatementFailed,
    foreign.ClientError: StatementFailed,
    foreign.CypherSyntaxError: StatementFailed,
    foreign.CypherTypeError: StatementFailed,
    foreign.ConstraintError: StatementFailed,
    foreign.DatabaseError: StatementFailed,
    foreign.AuthError: AuthenticationFailed,
    foreign.TokenExpired: AuthenticationFailed,
    foreign.Forbidden: AuthenticationFailed,
    foreign.TransientError: DatabaseUnavailable,
    foreign.DatabaseUnavailable: DatabaseUnavailable,
    foreign.NotALeader: DatabaseUnavailable,
    foreign.ForbiddenOnReadOnlyDatabase: DatabaseUnavailable,
    foreign.DriverError: StatementFailed,
    foreign.SessionError: StatementFailed,
    foreign.TransactionError: StatementFailed,
    foreign.TransactionNestingError: StatementFailed,
    foreign.ResultError: StatementFailed,
    foreign.ResultFailedError: StatementFailed,
    foreign.ResultConsumedError: StatementFailed,
    foreign.ResultNotSingleError: StatementFailed,
    foreign.BrokenRecordError: StatementFailed,
    foreign.SessionExpired: DatabaseUnavailable,
    foreign.ServiceUnavailable: DatabaseUnavailable,
    foreign.RoutingServiceUnavailable: DatabaseUnavailable,
    foreign.WriteServiceUnavailable: DatabaseUnavailable,
    foreign.ReadServiceUnavailable: DatabaseUnavailable,
    foreign.IncompleteCommit: DatabaseUnavailable,
    foreign.ConnectionPoolError: DatabaseUnavailable,
    foreign.ConnectionAcquisitionTimeoutError: DatabaseUnavailable,
    foreign.ConfigurationError: SettingsError,
    foreign.AuthConfigurationError: SettingsError,
    foreign.CertificateConfigurationError: SettingsError,
    foreign.UnsupportedServerProduct: SettingsError,
}
# What a transaction over its time is told, by what it was doing. The first also with ClientConfiguration at its end.
TIMED_OUT = (
    "Neo.ClientError.Transaction.TransactionTimedOut",
    "Neo.ClientError.Transaction.Terminated",
    "Neo.ClientError.Transaction.LockClientStopped",  # it waited for a lock
)
ADVICE: dict[type[TwohopError], str] = {
    AuthenticationFailed: "; check NEO4J_USERNAME and NEO4J_PASSWORD, or the store's password file",
    DatabaseUnavailable: "; see that the server runs, then try again",
    SettingsError: "; check NEO4J_URI",
}


@contextmanager
def translate(address: str) -> Iterator[None]:
    """Turn what the driver raises into our own errors, as `OURS` says.

    The message is one line with `address` in it, and never has a password.
    """
    try:
        yield
    except (foreign.Neo4jError, foreign.DriverError) as raised:
        error = _hidden(raised) or raised
        ours = next(OURS[kind] for kind in type(error).__mro__ if kind in OURS)
        if isinstance(error, foreign.Neo4jError) and str(error.code).startswith(TIMED_OUT):
            ours = DeadlineExceeded
        said = error.message if isinstance(error, foreign.Neo4jError) else str(error)
        line = " ".join((said or type(error).__name__).split()).rstrip(".")
        raise ours(f"{address}: {line}{ADVICE.get(ours, '')}") from raised


def _hidden(error: BaseException) -> foreign.Neo4jError | None:
    """The failure behind a `ResultFailedError`.

    The driver (6.4) gives the connection of a failed transaction back before it ends that transaction. Where another
    thread has taken it by then, the end raises `ResultFailedError`, which hides the failure and keeps the driver from
    trying again.
    """
    cause = error.__cause__
    return cause if isinstance(error, foreign.ResultFailedError) and isinstance(cause, foreign.Neo4jError) else None


def _hidden_and_passing(error: BaseException) -> bool:
    hidden = _hidden(error)
    return hidden is not None and hidden.is_retryable()


# For what the driver would have tried again itself, had it seen it: see `_hidden`.
again = tenacity.Retrying(
    retry=tenacity.retry_if_exception(_hidden_and_passing),
    wait=tenacity.wait_random_exponential(multiplier=0.01, max=1),
    stop=tenacity.stop_after_attempt(10),
    reraise=True,
)


class Database:
    """One database of a Neo4j server: rows in, rows out. Safe for threads; close it, or use it by `with`.

    Every method raises `DatabaseUnavailable`, `AuthenticationFailed` or `StatementFailed`, which `DeadlineExceeded` is
    too. `timeout` is in seconds and ends the statement in the server; None takes that of the whole database, where None
    is no limit.
    """

    def __init__(self, driver: neo4j.Driver, name: str, address: str, timeout: float | None = None) -> None:
        self.name, self.address, self.timeout = name, address, timeout
        self._driver, self._process = driver, os.getpid()

    @property
    def driver(self) -> neo4j.Driver:
        """Raises `SettingsError` in a forked process, which would answer and hang on sockets that are another's."""
        if os.getpid() != self._process:
            raise SettingsError(
                f"{self.address}: the connection belongs to the process that opened it: connect anew in this one, "
                "or give the DataLoader num_workers=0"
            )
        return self._driver

    def read(self, query: str, parameters: Parameters | None = None, timeout: float | None = None) -> list[Row]:
        """All rows of a reading statement; tried again after a passing failure."""
        return self._execute(query, parameters, timeout, neo4j.RoutingControl.READ)

    def write(self, query: str, parameters: Parameters | None = None, timeout: float | None = None) -> list[Row]:
        """Run a writing statement in one transaction; tried again after a passing failure, so it must be idempotent."""
        return self._execute(query, parameters, timeout, neo4j.RoutingControl.WRITE)

    def transact(self, work: Callable[[Run], T], timeout: float | None = None) -> T:
        """Run `work` in one writing transaction: it gets a function that runs a statement and gives its rows.

        What `work` raises rolls all of it back. It is tried again after a passing failure, so it must be idempotent.
        """

        @neo4j.unit_of_work(timeout=timeout or self.timeout)
        def whole(transaction: neo4j.ManagedTransaction) -> T:
            return work(lambda query, parameters: [_plain(row) for row in transaction.run(query, dict(parameters))])

        with translate(self.address), self.driver.session(database=self.name) as session:
            return again(lambda: session.execute_write(whole))

    def read_graph(
        self, query: str, parameters: Parameters | None = None, timeout: float | None = None
    ) -> neo4j.graph.Graph:
        """The nodes and relationships that a reading statement returns, each once."""
        with translate(self.address):
            return again(
                lambda: self.driver.execute_query(
                    neo4j.Query(query, timeout=timeout or self.timeout),
                    dict(parameters or {}),
                    routing_=neo4j.RoutingControl.READ,
                    database_=self.name,
                    result_transformer_=neo4j.Result.graph,
                )
            )

    def stream(
        self, query: str, parameters: Parameters | None = None, timeout: float | None = None, fetch_size: int = 10_000
    ) -> Iterator[Row]:
        """Rows of a reading statement as they come, `fetch_size` at a time in memory; not tried again."""
        with (
            translate(self.address),
            self.driver.session(
                database=self.name, default_access_mode=neo4j.READ_ACCESS, fetch_size=fetch_size
            ) as session,
        ):
            for record in session.run(neo4j.Query(query, timeout=timeout or self.timeout), dict(parameters or {})):
                yield _plain(record)

    def write_in_batches(self, query: str, parameters: Parameters | None = None) -> list[Row]:
        """Run a statement that commits by itself (`CALL … IN TRANSACTIONS`); not tried again."""
        with translate(self.address), self.driver.session(database=self.name) as session:
            return session.run(neo4j.Query(query), dict(parameters or {})).data()

    def check(self) -> None:
        """See that the server answers, takes the password and has this database."""
        with translate(self.address), self.driver.session(database=self.name) as session:
            session.begin_transaction().close()

    def version(self) -> str:
        """The server's version, such as `5.26.30`."""
        with translate(self.address):
            return self.driver.get_server_info().agent.removeprefix("Neo4j/")

    def close(self) -> None:
        self.driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _execute(
        self, query: str, parameters: Parameters | None, timeout: float | None, routing: neo4j.RoutingControl
    ) -> list[Row]:
        with translate(self.address):
            records, _, _ = again(
                lambda: self.driver.execute_query(
                    neo4j.Query(query, timeout=timeout or self.timeout),
                    dict(parameters or {}),
                    routing_=routing,
                    database_=self.name,
                )
            )
        return [_plain(record) for record in records]


def _plain(record: neo4j.Record) -> Row:
    """Not by `Record.data`, which copies every list and byte string value by value."""
    return dict(zip(record.keys(), record.values(), strict=True))


def connect(settings: Settings, start: bool = True, timeout: float | None = None, *, create: bool = True) -> Database:
    """Open the database that the settings name, and see that it answers. `timeout` ends every statement, in seconds.

    With `NEO4J_URI`: that server, by any of the driver's schemes (`bolt://`, `neo4j+s://`, …). Without: the store's
    managed server, which is started where it doesn't run; with `start=False` that raises `ServerNotRunning`. A store
    that was never there is made; with `create=False` that raises `StoreEmpty`.
    """
    if not create and not settings.neo4j_uri:
        _see_store(settings)
    endpoint = find_endpoint(settings, start)
    address = endpoint.address
    with translate(address):
        driver = neo4j.GraphDatabase.driver(
            address,
            auth=endpoint.auth,
            connection_timeout=settings.connect_timeout,
            connection_acquisition_timeout=settings.acquire_timeout,
            max_transaction_retry_time=settings.retry_time,
            liveness_check_timeout=30,  # seconds unused, after which a connection is tried before it serves
            notifications_min_severity="OFF",
            telemetry_disabled=True,
            user_agent=f"twohop neo4j-python/{neo4j.__version__}",
        )
    database = Database(driver, endpoint.database, address, timeout)
    try:
        database.check()
        update_older(database)
    except TwohopError:
        driver.close()
        raise
    return database


def _see_store(settings: Settings) -> None:
    known = stores(settings)
    if settings.store not in known:
        others = f", or choose another one by --store: {', '.join(known)}" if known else ""
        raise StoreEmpty(f"store {settings.store} does not exist: load data into it first (twohop load){others}")


@dataclass(frozen=True)
class Endpoint:
    """Where a database answers, and as whom (name and password; None: nobody asks)."""

    address: str
    database: str
    auth: tuple[str, str] | None = field(repr=False)


def find_endpoint(settings: Settings, start: bool = True) -> Endpoint:
    """The database that the settings name, as `connect` says."""
    return _own(settings) if settings.neo4j_uri else _managed(settings, start)


def _own(settings: Settings) -> Endpoint:
    address = settings.neo4j_uri or ""
    if "@" in urlsplit(address).netloc:
        raise SettingsError("NEO4J_URI holds a user name or password: give them as NEO4J_USERNAME and NEO4J_PASSWORD")
    password = settings.neo4j_password
    auth = (settings.neo4j_username, password.get_secret_value()) if password else None
    return Endpoint(address, settings.neo4j_database, auth)


def _managed(settings: Settings, start: bool) -> Endpoint:
    server = ManagedServer(settings)
    if start:
        server.start()
    elif not server.status().running:
        raise ServerNotRunning(f"the server of store {settings.store} does not run: start it by twohop neo4j start")
    return Endpoint(str(server.status().bolt_uri), DATABASE, (USERNAME, server.password()))
