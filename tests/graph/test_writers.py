"""Both writers: the same graph from either, again and after a kill; new events join; contradictions are refused."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars as pl
import psutil
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from graph import incremental
from graph.bulk import write_bulk
from graph.constraints import STATEMENTS, create_constraints, index_name
from graph.driver import Database, Run, connect
from graph.errors import ServerError, SettingsError, SourceError, StoreBusy, StoreError, StoreNotEmpty
from graph.incremental import apart, write_incremental
from graph.rows import changed_edges, collect_edges, merge_edges, spread_events
from graph.schema import EXPOSURE, Source, Tables
from graph.server import ManagedServer
from graph.server_folder import ServerFolder
from graph.settings import Settings
from graph.source import begin_load, read_source
from graph.statements import statement
from graph.swap import PARTS, announce_swap, finish_swap, import_folder
from graph.writers import is_empty, write
from tests.graph.conftest import dump, events, free_port, make_tables

# A bulk load stops and starts its server, so these tests have one of their own, at ports that nobody else asks for.


@pytest.fixture(scope="module")
def settings(new_settings: Callable[..., Settings]) -> Settings:
    return new_settings(bolt_port=free_port(), http_port=free_port())


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[ManagedServer]:
    managed = ManagedServer(settings)
    managed.start()
    yield managed
    managed.stop()


@pytest.fixture(scope="module")
def database(server: ManagedServer) -> Iterator[Database]:
    with connect(server.settings) as opened:
        yield opened


EDGE = "MATCH (:User {id: 'u'})-[r:INTERACTED]->(:Item {id: 'i'}) RETURN properties(r) AS edge"


def edge_of(database: Database) -> dict[str, object]:
    return dict(database.read(EDGE)[0]["edge"])


def test_both_writers_leave_the_same_graph(odd_tables: Tables, settings: Settings, empty_database: Database) -> None:
    database = empty_database
    write_incremental(odd_tables, settings, database)
    incremental = dump(database)
    write_incremental(odd_tables, settings, database)
    assert dump(database) == incremental
    clear(database)

    assert write(odd_tables, settings, database) == "bulk"
    assert dump(database) == incremental
    assert not import_folder(ServerFolder(settings)).exists()
    with pytest.raises(StoreNotEmpty):
        write_bulk(odd_tables, settings, database)
    assert write(odd_tables, settings, database) == "incremental"
    assert dump(database) == incremental
    names = {row["name"] for row in database.read("SHOW INDEXES YIELD name, state WHERE state = 'ONLINE'")}
    assert {"user_id", "item_id", "browse_node_id", "intent_id", "generation_id", "source_id"} <= names
    assert {"item_popularity", "item_created", "item_text"} <= names


def test_two_batches_that_are_apart_share_no_node_and_most_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incremental, "BATCH", 5)
    edges = collect_edges(many_events())
    written = list(incremental.cells(edges))
    assert_frame_equal(pl.concat([batch for _, batch in written]).sort("user", "item"), edges)
    assert max(len(batch) for _, batch in written) <= 5
    together = [(one, other) for (cell, one), (next_cell, other) in pairwise(written) if apart(cell, next_cell)]
    assert len(together) > len(written) / 2
    for pair in together:
        for column in ("user", "item"):
            assert pl.concat([batch[column].unique() for batch in pair]).is_unique().all()


def test_a_statement_runs_during_another_commit_but_no_two_commit_at_once(
    settings: Settings, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits, statements, transact = [], [], Database.transact

    def slow(database: Database, work: Callable[[Run], object], timeout: float | None = None) -> None:
        def whole(run: Run) -> None:
            work(lambda query, given: (statements.append(time.monotonic()), run(query, given))[1])
            commits.append([time.monotonic()])
            time.sleep(0.05)  # of the commit: the transaction is open

        transact(database, whole, timeout)
        commits[-1].append(time.monotonic())

    monkeypatch.setattr(incremental, "BATCH", 10)
    monkeypatch.setattr(Database, "transact", slow)
    write_incremental(make_tables(many_events()), settings, empty_database)
    assert len(commits) > 20
    assert all(end <= begin for (_, end), (begin, _) in pairwise(commits))
    assert any(begin < at < end for begin, end in commits for at in statements)


def test_edges_that_are_written_at_once_are_all_there(
    settings: Settings, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = make_tables(many_events())
    write_incremental(tables, settings, empty_database)
    one_by_one = dump(empty_database)
    clear(empty_database)
    monkeypatch.setattr(incremental, "BATCH", 10)
    for _ in range(2):
        write_incremental(tables, settings, empty_database)
        assert dump(empty_database) == one_by_one


def many_events() -> pl.DataFrame:
    """Of 20 users and 30 items; item 0 is had by all, so that those at once would meet there."""
    return events(
        *({"user": f"u{user}", "item": f"i{item}", "time": user + item, "quantity": 1.0}
          for user in range(20) for item in range(0, 30, 1 + user % 3))
    )  # fmt: skip


def clear(database: Database) -> None:
    database.write_in_batches("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS")


def test_popularity_counts_users_and_not_events(settings: Settings, empty_database: Database) -> None:
    rows = [{"user": user, "item": "i", "position": number} for number, user in enumerate("abca")]
    tables = make_tables(events(*rows, {"user": "a", "item": "j"}))
    write_incremental(replace(tables, held_out=events({"user": "b", "item": "j"})), settings, empty_database)
    items = empty_database.read("MATCH (i:Item) RETURN i.id AS id, i.popularity AS popularity")
    assert {row["id"]: row["popularity"] for row in items} == {"i": 3, "j": 1}


CREATED = "MATCH (i:Item) RETURN i.id AS id, i.created.epochSeconds AS created"


@pytest.mark.parametrize("name", ["incremental", "bulk"])
def test_items_are_dated_by_their_first_interaction(name: str, settings: Settings, empty_database: Database) -> None:
    tables = make_tables(
        events(
            {"user": "a", "item": "i", "time": 30},
            {"user": "a", "item": "i", "time": 20},
            {"user": "b", "item": "i"},
            {"user": "b", "item": "old", "time": -86_400},
            {"user": "b", "item": "timeless", "position": 1},
        )
    )
    tables = replace(tables, held_out=events({"user": "b", "item": "i", "time": 1}))
    {"incremental": write_incremental, "bulk": write_bulk}[name](tables, settings, empty_database)
    dated = {row["id"]: row["created"] for row in empty_database.read(CREATED)}
    assert dated == {"i": 20, "old": -86_400, "timeless": None}


def test_the_earliest_date_of_an_item_stays(settings: Settings, empty_database: Database) -> None:
    for moment, created in ((20, 20), (30, 20), (10, 10), (None, 10)):
        tables = make_tables(events({"user": f"at {moment}", "item": "i", "time": moment, "position": 1}))
        write_incremental(tables, settings, empty_database)
        assert empty_database.read(CREATED) == [{"id": "i", "created": created}]


def test_popular_items_come_from_the_index(settings: Settings, empty_database: Database) -> None:
    create_constraints(empty_database)
    query = "EXPLAIN MATCH (i:Item) WHERE i.popularity > 0 RETURN i.id ORDER BY i.popularity DESC LIMIT 10"
    plan = empty_database.driver.execute_query(query, database_=empty_database.name).summary.plan
    assert "NodeIndexSeekByRange" in str(plan)
    assert "Sort" not in str(plan)
    assert "Top" not in str(plan)


def test_only_what_is_missing_is_created(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    create_constraints(empty_database)
    empty_database.write_in_batches("DROP INDEX item_created")
    written, write_row = [], Database.write
    monkeypatch.setattr(Database, "write", lambda self, query: (written.append(query), write_row(self, query))[1])
    for _ in range(2):
        create_constraints(empty_database)
    assert written == [statement("index_item_created")]
    online = set(empty_database.read(statement("online_indexes"))[0]["names"])
    assert {index_name(name) for name in STATEMENTS} <= online


def test_new_events_of_a_pair_join_the_stored_ones(settings: Settings, empty_database: Database) -> None:
    pair = {"user": "u", "item": "i"}
    first = make_tables(events({**pair, "time": 20, "quantity": 1.0}, {**pair, "time": 10, "quantity": 2.0}))
    later = make_tables(events({**pair, "time": 30, "session": "s"}, {**pair, "time": 20, "quantity": 5.0}))
    write_incremental(first, settings, empty_database)
    empty_database.write("MATCH ()-[r:INTERACTED]->() SET r.weight_1 = 0.5")
    for _ in range(2):
        write_incremental(later, settings, empty_database)
        edge = edge_of(empty_database)
        assert (edge["count"], edge["times"], edge["sessions"]) == (3, [10, 20, 30], ["", "", "s"])
        assert repr(edge["quantities"]) == "[2.0, 5.0, nan]"  # that of time 20 was corrected
        assert edge["weight_1"] == 0.5
        assert edge["last_time"].to_native().timestamp() == 30  # type: ignore[attr-defined]
        assert not {"positions", "values", "places", "last_position"} & set(edge)


@pytest.mark.long
def test_a_load_that_is_killed_and_taken_up_again(settings: Settings, empty_database: Database) -> None:
    database = empty_database
    rows = [{"user": f"u{n % 200}", "item": f"i{n // 20}", "time": n, "session": f"s{n}"} for n in range(20_000)]
    tables = make_tables(events(*rows))
    load = multiprocessing.get_context("spawn").Process(target=load_into, args=(tables, settings))
    load.start()
    stored = 0
    while not stored and load.is_alive():
        stored = database.read(statement("count_edges"))[0]["interacted"]
        time.sleep(0.02)
    load.kill()
    load.join()
    assert 0 < database.read(statement("count_edges"))[0]["interacted"] < len(rows)
    with pytest.raises(StoreError, match="not finished"):
        read_source(database)
    write_incremental(tables, settings, database)
    again = dump(database)
    clear(database)
    write_incremental(tables, settings, database)
    assert dump(database) == again
    assert read_source(database) == tables.source


def load_into(tables: Tables, settings: Settings) -> None:
    with connect(settings, start=False) as database:
        write_incremental(tables, settings, database)


@pytest.mark.long
def test_an_import_that_is_killed_leaves_an_empty_store(server: ManagedServer, empty_database: Database) -> None:
    tables = make_tables(events({"user": "u", "item": "i"}))
    made = import_folder(server.folder)
    server.stop()
    load = multiprocessing.get_context("spawn").Process(target=import_into, args=(tables, server.settings))
    load.start()
    while not (made / "data").exists() and load.is_alive():
        time.sleep(0.02)
    for process in (*psutil.Process(load.pid).children(recursive=True), psutil.Process(load.pid)):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    load.join()
    assert made.exists()
    server.start()
    assert is_empty(empty_database)
    write_bulk(tables, server.settings, empty_database)
    assert edge_of(empty_database) == {"count": 1, "kind": "purchase"}
    assert not made.exists()


def import_into(tables: Tables, settings: Settings) -> None:
    with connect(settings) as database:
        write_bulk(tables, settings, database)


def test_an_import_that_fails_leaves_an_empty_store_that_answers(
    server: ManagedServer, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = server.status().bolt_uri
    monkeypatch.setattr("graph.bulk._options", lambda folder: ["--no-such-option"])
    with pytest.raises(ServerError, match="neo4j-admin database import failed"):
        write_bulk(make_tables(events({"user": "u", "item": "i"})), server.settings, empty_database)
    assert is_empty(empty_database)
    assert not import_folder(server.folder).exists()
    assert server.status().bolt_uri == before  # a store keeps its ports, so `empty_database` goes on


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_swap_that_is_killed_is_finished_at_the_next_call(
    renamed: int, new_settings: Callable[..., Settings]
) -> None:
    folder = ServerFolder(new_settings())
    made = import_folder(folder)
    for part in PARTS:
        (folder.data / part / "neo4j").mkdir(parents=True)
        (folder.data / part / "neo4j" / "old").touch()
        (made / "data" / part / "neo4j").mkdir(parents=True)
        (made / "data" / part / "neo4j" / "new").touch()
    assert not finish_swap(folder, "neo4j")
    assert (folder.data / PARTS[0] / "neo4j" / "old").exists()
    announce_swap(folder)
    with pytest.MonkeyPatch.context() as patch:
        real, calls = Path.rename, []

        def rename(self: Path, target: Path) -> Path:
            calls.append(target)
            if len(calls) > renamed:
                raise KeyboardInterrupt
            return real(self, target)

        patch.setattr(Path, "rename", rename)
        if renamed < len(PARTS):
            with pytest.raises(KeyboardInterrupt):
                finish_swap(folder, "neo4j")
    assert finish_swap(folder, "neo4j")
    for part in PARTS:
        assert [file.name for file in (folder.data / part / "neo4j").iterdir()] == ["new"]
    assert not made.exists()


def test_another_source_is_refused(settings: Settings, empty_database: Database) -> None:
    tables = make_tables(events({"user": "u", "item": "i"}))
    write(tables, settings, empty_database, "incremental")
    before = dump(empty_database)
    for source in (Source("other"), Source("small", protocol="last")):
        with pytest.raises(StoreNotEmpty, match="another store"):
            write(replace(tables, source=source), settings, empty_database)
    assert dump(empty_database) == before


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"interactions": events({"user": "x", "item": "i"})}, "1 rows name a user .* first 'x'"),
        ({"held_out": events({"user": "u", "item": "x"})}, "held-out interactions: 1 rows name a item"),
        ({"child_of": pl.DataFrame({"child": ["c"], "parent": ["p"]})}, "browse tree: 1 rows name a child"),
        ({"users": pl.DataFrame({"id": ["u", "u"]})}, "users: id 'u' stands there more than once"),
        ({"source": Source("small", user_profile=("age",))}, "users: column 'age' is missing"),
        ({"source": Source("small", user_profile=("a b",))}, "users: 'a b' is no property name"),
        (
            {"source": Source("small", user_profile=("t",)), "users": pl.DataFrame({"id": ["u"], "t": [{"x": 1}]})},
            "users: column 't' has the type Struct",
        ),
    ],
)
@pytest.mark.parametrize("writer", ["bulk", "incremental"])
def test_contradictions_are_refused_before_anything_is_written(
    changed: dict[str, object], message: str, writer: str, settings: Settings, empty_database: Database
) -> None:
    tables = replace(make_tables(events({"user": "u", "item": "i"})), **changed)  # type: ignore[arg-type]
    with pytest.raises(SourceError, match=message):
        write(tables, settings, empty_database, writer)  # type: ignore[arg-type]
    assert is_empty(empty_database)


def test_one_load_at_a_time(settings: Settings, empty_database: Database) -> None:
    with FileLock(settings.store_folder / "load.lock"), pytest.raises(StoreBusy):
        write(make_tables(events({"user": "u", "item": "i"})), settings, empty_database)


def test_writers_that_do_not_fit(new_settings: Callable[..., Settings], empty_database: Database) -> None:
    tables = make_tables(events({"user": "u", "item": "i"}))
    own = new_settings(neo4j_uri="bolt://127.0.0.1:1")
    with pytest.raises(SettingsError, match="managed"):
        write(tables, own, empty_database, "bulk")
    with pytest.raises(SettingsError, match="does not exist"):
        write(tables, own, empty_database, "fast")  # type: ignore[arg-type]
    assert write(tables, own, empty_database) == "incremental"


def test_a_source_whose_load_goes_on_is_not_ready(empty_database: Database) -> None:
    begin_load(Source("small"), empty_database)
    with pytest.raises(StoreError, match="not finished"):
        read_source(empty_database)


def test_exposures_are_kept_beside_the_graph(settings: Settings, empty_database: Database) -> None:
    rows = [("i", "p2", 2, "0", "A"), ("i", "p1", 2, "1", "0"), ("i", "p1", 1, "0", "0"), ("h", "p1", 9, "0", "0")]
    exposures = pl.DataFrame(rows, schema=EXPOSURE, orient="row")
    tables = make_tables(events({"user": "u", "item": "i"}), exposures=exposures)
    write(tables, settings, empty_database, "incremental")
    assert_frame_equal(pl.read_parquet(settings.exposures_file), exposures.sort("item", "week", "place"))
    assert empty_database.read(statement("count_nodes"))[0]["nodes"] == 3
    settings.exposures_file.unlink()


def test_every_constraint_has_its_file() -> None:
    files = {file.stem for file in Path("graph/statements").glob("*.cypher")}
    assert set(STATEMENTS) == {name for name in files if name.startswith(("constraint_", "index_"))}


EVENT = st.fixed_dictionaries(
    {
        "user": st.sampled_from("uv"),
        "item": st.sampled_from("ij"),
        "position": st.none() | st.integers(0, 3),
        "time": st.none() | st.integers(0, 3),
        "session": st.none() | st.sampled_from("st"),
        "quantity": st.none() | st.sampled_from([1.0, 2.5]),
        "place": st.none() | st.sampled_from("pq"),
    }
)


@given(st.lists(EVENT, max_size=12), st.lists(EVENT, max_size=12))
def test_merging_edges_is_the_union_of_moments(stored: list[dict[str, object]], new: list[dict[str, object]]) -> None:
    old_edges, new_edges = collect_edges(events(*stored)), collect_edges(events(*new))
    merged = merge_edges(old_edges, new_edges)
    moments = {moment(row) for row in new}
    union = [row for row in stored if moment(row) not in moments] + new
    assert_frame_equal(merged, collect_edges(events(*union)))
    assert_frame_equal(merge_edges(merged, new_edges), merged)
    before, after, changed = ([repr(row) for row in edges.rows()]  # as text, for NaN is not itself
                              for edges in (old_edges, merged, changed_edges(old_edges, merged)))  # fmt: skip
    assert changed == [row for row in after if row not in before]
    assert changed_edges(merged, merged).is_empty()


def moment(row: dict[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in ("user", "item", "position", "time", "session"))


@given(st.lists(EVENT, max_size=12), st.randoms())
def test_edges_hold_all_events_whatever_their_order(rows: list[dict[str, object]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    edges = collect_edges(events(*rows))
    assert_frame_equal(collect_edges(events(*shuffled)), edges)
    assert_frame_equal(spread_events(edges).sort(pl.all()), events(*rows).sort(pl.all()))
