"""The managed server when something breaks: one clear line each, and the data as it was."""

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from graph.driver import Database, connect
from graph.errors import (
    DatabaseUnavailable,
    DataTooNew,
    DownloadFailed,
    PortTaken,
    ServerCrashed,
    ServerError,
    ServerNotRunning,
)
from graph.jars import cache_folder, read_lock
from graph.server import ManagedServer
from graph.settings import Settings
from graph.swap import announce_swap, import_folder

pytestmark = pytest.mark.faults
NewSettings = Callable[..., Settings]
NO_NETWORK = "http://127.0.0.1:1"  # nothing listens there


@pytest.fixture(scope="module")
def victim(new_settings: NewSettings) -> Iterator[ManagedServer]:
    """The server that these tests break, with one node in its data."""
    managed = ManagedServer(new_settings(store="victim", retry_time=3.0))
    with connect(managed.settings) as database:
        database.write("CREATE (:Thing {id: 'kept'})")
    yield managed
    managed.stop()


@pytest.fixture
def running(victim: ManagedServer) -> ManagedServer:
    victim.start()
    return victim


@pytest.fixture
def stopped(victim: ManagedServer) -> ManagedServer:
    victim.stop()
    return victim


def things(database: Database) -> list[str]:
    return [row["id"] for row in database.read("MATCH (n:Thing) RETURN n.id AS id")]


def contents(folder: Path) -> dict[Path, str]:
    return {path: sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def one_line(error: BaseException) -> str:
    assert "\n" not in str(error)
    return str(error)


@pytest.mark.long
def test_killed_server_is_said_to_have_crashed_and_starts_again_with_its_data(running: ManagedServer) -> None:
    before = running.status()
    with connect(running.settings) as database:
        assert things(database) == ["kept"]
        killed = psutil.Process(before.pid)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        with pytest.raises(DatabaseUnavailable, match="see that the server runs") as caught:
            database.read("RETURN 1 AS one")
        one_line(caught.value)
        status = running.status()
        assert (status.running, status.crashed, status.pid) == (False, True, None)
        with pytest.raises(ServerNotRunning, match="start it by twohop neo4j start"):
            connect(running.settings, start=False)
        assert running.start() is True
        assert things(database) == ["kept"]  # the same driver finds the server again
    assert running.status() == replace(before, pid=running.status().pid)


def test_two_starts_at_once_give_one_server(stopped: ManagedServer) -> None:
    with ThreadPoolExecutor(2) as pool:
        starts = list(pool.map(lambda _: ManagedServer(stopped.settings).start(), range(2)))
    assert sorted(starts) == [False, True]
    mark = f"@{stopped.folder.server_arguments}"
    assert len([each for each in psutil.process_iter(["cmdline"]) if mark in (each.info["cmdline"] or [])]) == 1


def test_lost_state_of_a_running_server(running: ManagedServer) -> None:
    state = running.folder.state
    (running.folder.home / "state.json").unlink()
    try:
        with pytest.raises(
            ServerCrashed, match=r"did not start: .*locked by another process.*; see .*neo4j\.log"
        ) as caught:
            running.start()
        one_line(caught.value)
    finally:
        running.folder.save(state)
    with connect(running.settings, start=False) as database:
        assert things(database) == ["kept"]


def test_import_that_was_cut_off_between_its_two_renames_is_finished_by_the_next_start(stopped: ManagedServer) -> None:
    """The state in which a kill leaves the store: the transactions are in place, the database is not yet."""
    made = import_folder(stopped.folder)
    (made / "data/databases").mkdir(parents=True)
    (stopped.folder.data / "databases/neo4j").rename(made / "data/databases/neo4j")
    announce_swap(stopped.folder)
    with connect(stopped.settings) as database:
        assert things(database) == ["kept"]
    assert not made.exists()


def test_taken_port(stopped: ManagedServer) -> None:
    before = contents(stopped.folder.home)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", stopped.folder.state.bolt_port or 0))
        other.listen()
        with pytest.raises(PortTaken, match=rf"is taken by .* \(pid {os.getpid()}\): .*TWOHOP_BOLT_PORT") as caught:
            stopped.start()
    one_line(caught.value)
    assert contents(stopped.folder.home) == before


def test_pid_of_another_program(stopped: ManagedServer) -> None:
    """A pid gets used again: the program that has it now must be neither taken for the server nor stopped."""
    with subprocess.Popen(["sleep", "60"]) as other:
        stopped.folder.save(replace(stopped.folder.state, pid=other.pid))
        assert (stopped.status().running, stopped.status().crashed) == (False, True)
        assert stopped.stop() is False
        assert other.poll() is None
        other.kill()
    assert stopped.folder.state.pid is None


def test_too_new_data(stopped: ManagedServer) -> None:
    state = stopped.folder.state
    stopped.folder.save(replace(state, neo4j="2026.01.0"))
    before = contents(stopped.folder.home)
    try:
        for action in (stopped.start, lambda: stopped.run_admin(["database", "import", "full"])):
            with pytest.raises(DataTooNew, match=r"is of Neo4j 2026\.01\.0, this Twohop brings 5\.26\.") as caught:
                action()
            one_line(caught.value)
        assert contents(stopped.folder.home) == before
    finally:
        stopped.folder.save(state)


def test_damaged_state_file(stopped: ManagedServer) -> None:
    state = stopped.folder.state
    (stopped.folder.home / "state.json").write_text('{"pid": ')
    with pytest.raises(ServerError, match=r"state\.json is damaged"):
        stopped.status()
    stopped.folder.save(state)


def test_lost_password_file(stopped: ManagedServer) -> None:
    password = stopped.folder.password_file.read_text()
    stopped.folder.password_file.unlink()
    try:
        with pytest.raises(ServerError, match=r"password is missing: write the password"):
            stopped.start()
        assert not stopped.folder.password_file.exists()
    finally:
        stopped.folder.password_file.write_text(password)


def test_java_that_cannot_start(new_settings: NewSettings) -> None:
    settings = new_settings(heap="1k")
    with pytest.raises(ServerError, match=r"(?i)heap") as caught:
        ManagedServer(settings).start()
    one_line(caught.value)
    assert not ManagedServer(settings).status().running


def test_first_start_without_a_network(
    new_settings: NewSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = new_settings(maven_url=NO_NETWORK)
    with pytest.raises(DownloadFailed, match=r"can't fetch .*\.jar from http://127\.0\.0\.1:1: .*refused") as caught:
        ManagedServer(settings).start()
    assert "TWOHOP_MAVEN_URL" in one_line(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not ManagedServer(settings).status().data_folder.exists()


def test_damaged_jar_without_a_network(
    new_settings: NewSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: ManagedServer
) -> None:
    """`stopped` has filled the user's cache."""
    whole = cache_folder()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for jar in read_lock():
        (cache_folder() / jar.path).parent.mkdir(parents=True, exist_ok=True)
        (cache_folder() / jar.path).symlink_to(whole / jar.path)
    damaged = cache_folder() / read_lock()[5].path
    damaged.unlink()
    damaged.write_bytes(b"PK damaged")
    with pytest.raises(DownloadFailed, match=f"can't fetch {damaged.name}"):
        ManagedServer(new_settings(maven_url=NO_NETWORK)).start()


def test_full_disk(stopped: ManagedServer) -> None:
    """A limit on the size of files stands in for a full disk: both end a write half way."""
    before = contents(stopped.folder.home)
    script = """
import sys
from graph.errors import ServerError
from graph.server import ManagedServer
from graph.settings import load_settings
try:
    ManagedServer(load_settings()).start()
except ServerError as error:
    sys.exit(str(error))
"""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TWOHOP_", "NEO4J_"))}
    asked = {"TWOHOP_HOME": str(stopped.settings.home), "TWOHOP_STORE": stopped.settings.store}
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=kept | asked,
        cwd=Path(__file__).parents[2],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith(f"can't write {stopped.folder.conf}")
    assert "Traceback" not in run.stderr
    assert contents(stopped.folder.home) == before
