"""The way to the database: rows, retries, budgets, and Neo4j's exceptions as ours."""

import itertools
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import neo4j
import pytest
from neo4j import exceptions as foreign

from graph.driver import OURS, Database, Run, connect, translate
from graph.errors import (
    AuthenticationFailed,
    DatabaseError,
    DatabaseUnavailable,
    DeadlineExceeded,
    SettingsError,
    StatementFailed,
)
from graph.server import ManagedServer
from graph.settings import Settings


def all_subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from all_subclasses(subclass)


def test_every_exception_of_the_driver_is_mapped() -> None:
    kinds = {foreign.Neo4jError, foreign.DriverError}
    for kind in tuple(kinds):
        kinds |= {each for each in all_subclasses(kind) if each.__module__.startswith("neo4j")}
    assert kinds - set(OURS) == set()
    assert set(OURS) - kinds == set()


@pytest.mark.parametrize("kind", OURS)
def test_each_exception_becomes_one_line_with_the_address(kind: type[Exception]) -> None:
    with pytest.raises((DatabaseError, SettingsError)) as caught, translate("bolt://somewhere:1"):
        raise kind("first line\nsecond line")
    assert type(caught.value) is OURS[kind]
    assert str(caught.value).startswith("bolt://somewhere:1: ")
    assert "\n" not in str(caught.value)


def test_an_unknown_exception_becomes_what_its_parent_does() -> None:
    class Newer(foreign.ServiceUnavailable):
        pass

    with pytest.raises(DatabaseUnavailable), translate("bolt://somewhere:1"):
        raise Newer("new")


def test_write_then_read(empty_database: Database) -> None:
    written = empty_database.write("UNWIND $ids AS id CREATE (n:Thing {id: id}) RETURN n.id AS id", {"ids": ["a", "b"]})
    assert written == [{"id": "a"}, {"id": "b"}]
    assert empty_database.read("MATCH (n:Thing) RETURN n.id AS id ORDER BY id") == written


def test_read_does_not_write(empty_database: Database) -> None:
    with pytest.raises(StatementFailed, match=r"(?i)read"):
        empty_database.read("CREATE (:Thing)")
    assert empty_database.read("MATCH (n) RETURN count(n) AS nodes") == [{"nodes": 0}]


def test_stream_gives_all_rows_in_order(database: Database) -> None:
    rows = database.stream("UNWIND range(1, $last) AS number RETURN number", {"last": 25_000}, fetch_size=1000)
    assert [row["number"] for row in rows] == list(range(1, 25_001))


def test_stream_that_is_left_early_frees_its_connection(database: Database) -> None:
    for _ in range(150):  # more than the pool has
        rows = database.stream("UNWIND range(1, 100000) AS number RETURN number", fetch_size=10)
        assert next(rows) == {"number": 1}
        rows.close()  # type: ignore[attr-defined]
    assert database.read("RETURN 1 AS one") == [{"one": 1}]


def test_stream_fails_as_a_read_does(database: Database) -> None:
    with pytest.raises(StatementFailed, match="by zero"):
        list(database.stream("UNWIND [1, 0] AS number RETURN 1 / number"))


def test_write_in_batches(empty_database: Database) -> None:
    empty_database.write_in_batches(
        "UNWIND range(1, 100) AS id CALL (id) { CREATE (:Thing {id: id}) } IN TRANSACTIONS OF 10 ROWS"
    )
    assert empty_database.read("MATCH (n:Thing) RETURN count(n) AS things") == [{"things": 100}]


def test_read_graph(empty_database: Database) -> None:
    empty_database.write("CREATE (:Thing {id: 'a'})-[:LIKES {much: 2}]->(:Thing {id: 'b'})")
    graph = empty_database.read_graph("MATCH (a)-[r]->(b) RETURN a, r, b")
    assert isinstance(graph, neo4j.graph.Graph)
    assert {node["id"] for node in graph.nodes} == {"a", "b"}
    assert [edge["much"] for edge in graph.relationships] == [2]


def test_a_wrong_statement_and_a_broken_constraint_fail(empty_database: Database) -> None:
    with pytest.raises(StatementFailed, match="Invalid input"):
        empty_database.read("MATCH oops")
    empty_database.write("CREATE CONSTRAINT FOR (n:Thing) REQUIRE n.id IS UNIQUE")
    with pytest.raises(StatementFailed, match="already exists"):
        empty_database.write("UNWIND [1, 1] AS id CREATE (:Thing {id: id})")
    assert empty_database.read("MATCH (n) RETURN count(n) AS nodes") == [{"nodes": 0}]


def test_a_statement_over_its_time_is_ended(database: Database) -> None:
    with pytest.raises(StatementFailed, match=r"(?i)time"):
        database.read("UNWIND range(1, 1000000000) AS a WITH a WHERE a % 7 = 8 RETURN count(a)", timeout=0.2)


def test_a_transaction_that_waits_too_long_for_a_lock_is_ended(empty_database: Database) -> None:
    empty_database.write("CREATE (:Thing {id: 'a'})")
    lock = "MATCH (n:Thing) SET n.by = $by"
    with empty_database.driver.session(database=empty_database.name) as session, session.begin_transaction() as holder:
        holder.run(lock, {"by": "holder"}).consume()
        with pytest.raises(DeadlineExceeded):
            empty_database.transact(lambda run: run(lock, {"by": "waiter"}), timeout=0.5)
        holder.rollback()
    assert empty_database.read("MATCH (n:Thing) RETURN n.by AS by") == [{"by": None}]


def taken_by_another(database: Database, holders: list[neo4j.Transaction]) -> None:
    """Take the connection that the driver has just given back, as another thread may."""
    holders.append(database.driver.session(database=database.name).begin_transaction())


def test_a_failure_is_named_though_its_connection_is_in_use_again(empty_database: Database) -> None:
    empty_database.write("CREATE CONSTRAINT FOR (n:Thing) REQUIRE n.id IS UNIQUE")
    holders: list[neo4j.Transaction] = []

    def twice(run: Run) -> None:
        try:
            run("UNWIND [1, 1] AS id CREATE (:Thing {id: id})", {})
        except foreign.ConstraintError:
            taken_by_another(empty_database, holders)
            raise

    with pytest.raises(StatementFailed, match="already exists"):
        empty_database.transact(twice)
    holders[0].close()


def test_a_deadlock_is_tried_again_though_its_connection_is_in_use_again(empty_database: Database) -> None:
    empty_database.write("CREATE (:Thing {id: 0}), (:Thing {id: 1})")
    holders: list[neo4j.Transaction] = []
    both_hold_one = Barrier(2)

    def add(order: list[int]) -> None:
        attempts = itertools.count()

        def both(run: Run) -> None:
            first = next(attempts) == 0
            try:
                for id in order:
                    run("MATCH (n:Thing {id: $id}) SET n.count = coalesce(n.count, 0) + 1", {"id": id})
                    if first and id == order[0]:
                        both_hold_one.wait(10)
            except foreign.TransientError:
                taken_by_another(empty_database, holders)
                raise

        empty_database.transact(both)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, ([0, 1], [1, 0])))
    assert holders
    for holder in holders:
        holder.close()
    assert empty_database.read("MATCH (n:Thing) RETURN n.count AS count") == [{"count": 2}, {"count": 2}]


def test_empty_database_is_empty(empty_database: Database) -> None:
    assert empty_database.read("MATCH (n) RETURN count(n) AS nodes") == [{"nodes": 0}]
    assert empty_database.read("SHOW CONSTRAINTS") == []
    assert [row["type"] for row in empty_database.read("SHOW INDEXES")] == ["LOOKUP", "LOOKUP"]


@pytest.fixture
def own(new_settings: Callable[..., Settings], server: ManagedServer) -> Callable[..., Settings]:
    """Gives settings that name the shared server as one of your own."""
    right = {"neo4j_uri": server.status().bolt_uri, "neo4j_password": server.password()}

    def make(scheme: str = "bolt", **changed: object) -> Settings:
        right_or_changed = right | changed
        uri = str(right_or_changed.pop("neo4j_uri")).replace("bolt", scheme)
        return new_settings(neo4j_uri=uri, connect_timeout=2.0, retry_time=1.0, **right_or_changed)

    return make


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Gives all that was logged and printed."""
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_a_server_of_your_own(own, scheme) -> None:
    settings = own(scheme)
    with connect(settings) as database:
        assert database.read("RETURN 1 AS one") == [{"one": 1}]
        assert database.version().startswith("5.26.")
    assert not settings.store_folder.exists()


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"neo4j_password": "not-the-password"}, AuthenticationFailed, "NEO4J_PASSWORD"),
        ({"neo4j_password": None}, AuthenticationFailed, "NEO4J_PASSWORD"),
        ({"neo4j_database": "nowhere"}, StatementFailed, "nowhere"),
        ({"neo4j_uri": "bolt://127.0.0.1:1"}, DatabaseUnavailable, "refused"),
        ({"neo4j_uri": "bolt://host.invalid"}, DatabaseUnavailable, "resolve"),
        ({"neo4j_uri": "gopher://127.0.0.1:1"}, SettingsError, "NEO4J_URI"),
        ({"neo4j_uri": "nonsense"}, SettingsError, "NEO4J_URI"),
        ({"neo4j_uri": "bolt://neo4j:hush-hush@127.0.0.1:1"}, SettingsError, "NEO4J_PASSWORD"),
    ],
)
def test_a_server_that_cannot_be_had_is_one_line(own, told, changed, error, said) -> None:
    settings = own(**changed)
    with pytest.raises(error, match=said) as caught:
        connect(settings)
    assert "\n" not in str(caught.value)
    secrets = {"hush-hush", "not-the-password", settings.neo4j_password and settings.neo4j_password.get_secret_value()}
    assert not any(secret in f"{caught.value}{told()}" for secret in secrets if secret)


def test_an_encrypted_address_of_a_server_that_does_not_encrypt(own) -> None:
    with pytest.raises(DatabaseUnavailable):
        connect(own("neo4j+s"))
