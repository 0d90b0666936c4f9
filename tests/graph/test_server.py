"""The managed server: what it listens on, who may in, what it keeps, and the admin tool on its store."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from graph.browser import without_browser
from graph.driver import Database, connect
from graph.errors import AuthenticationFailed, ServerError, SettingsError, StoreBusy, StoreEmpty
from graph.jars import NEO4J, fetch
from graph.java import class_archive
from graph.server import ManagedServer
from graph.server_folder import ServerFolder, State
from graph.settings import Settings
from tests.graph.conftest import free_port

NewSettings = Callable[..., Settings]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_status_of_a_running_server(server: ManagedServer, settings: Settings) -> None:
    status = server.status()
    assert (status.store, status.running, status.crashed, status.version) == (settings.store, True, False, NEO4J)
    assert status.pid
    assert status.bolt_uri
    assert status.bolt_uri.startswith("bolt://127.0.0.1:")
    assert status.data_folder.is_relative_to(settings.store_folder)
    assert status.log.exists()


def test_status_before_the_first_start_makes_nothing(new_settings: NewSettings) -> None:
    settings = new_settings()
    status = ManagedServer(settings).status()
    assert (status.running, status.crashed, status.pid, status.bolt_uri) == (False, False, None, None)
    assert not ManagedServer(settings).stop()
    assert not settings.store_folder.exists()


def test_a_store_that_was_never_there_is_not_made_by_reading(new_settings: NewSettings) -> None:
    settings = new_settings()
    with pytest.raises(StoreEmpty, match=r"does not exist: load data into it first \(twohop load\)$"):
        connect(settings, create=False)
    assert not settings.store_folder.exists()
    other = ServerFolder(new_settings(home=settings.home, store="other"))
    other.make()
    other.save(State())
    with pytest.raises(StoreEmpty, match=r"choose another one by --store: other$"):
        connect(settings, create=False)


def test_second_start_leaves_the_first_server(server: ManagedServer) -> None:
    before = server.status()
    assert server.start() is False
    assert server.status() == before


def test_outlives_the_command_that_started_it(server: ManagedServer) -> None:
    pid = server.status().pid
    assert pid
    assert os.getsid(pid) == pid != os.getsid(0)


def test_listens_on_the_loopback_address_only(server: ManagedServer) -> None:
    listening = [each for each in psutil.Process(server.status().pid).net_connections() if each.status == "LISTEN"]
    state = server.folder.state
    addresses = {(each.laddr.ip.removeprefix("::ffff:"), each.laddr.port) for each in listening}
    assert addresses == {("127.0.0.1", state.bolt_port), ("127.0.0.1", state.http_port)}


def test_only_the_owner_reads_the_password_and_the_data(server: ManagedServer) -> None:
    folder = server.folder
    assert mode(folder.home) == 0o700
    assert mode(folder.password_file) == 0o600
    assert mode(folder.server_arguments) == 0o600
    assert len(server.password()) == 32


def test_no_password_in_process_list_arguments_and_logs(server: ManagedServer) -> None:
    password = server.password()
    process = psutil.Process(server.status().pid)
    assert password not in " ".join([*process.cmdline(), *process.environ().values()])
    assert not server.folder.admin_arguments.exists()
    kept = [path for path in server.folder.home.rglob("*") if path.is_file() and path != server.folder.password_file]
    assert not [path for path in kept if password.encode() in path.read_bytes()]


def test_default_password_and_none_are_refused(server: ManagedServer, new_settings: NewSettings) -> None:
    for password in ("neo4j", None):
        with pytest.raises(AuthenticationFailed):
            connect(new_settings(neo4j_uri=server.status().bolt_uri, neo4j_password=password))


def test_browser_and_its_bolt_address(server: ManagedServer) -> None:
    status = server.status()
    assert httpx.get(status.browser_uri).status_code == 200
    assert httpx.get(status.http_uri).json()["bolt_direct"] == status.bolt_uri


def test_runs_with_the_settings(database: Database, settings: Settings) -> None:
    rows = database.read("SHOW SETTINGS YIELD name, value")
    values = {row["name"]: row["value"] for row in rows}
    assert values["dbms.usage_report.enabled"] == "false"
    assert values["dbms.security.auth_enabled"] == "true"
    assert values["server.https.enabled"] == "false"
    assert values["server.config.strict_validation.enabled"] == "true"
    assert values["server.memory.heap.max_size"] == "512.00MiB"
    assert values["server.memory.pagecache.size"] == "128.00MiB"
    assert "-Xmx512m" in ServerFolder(settings).server_arguments.read_text()


def test_a_server_of_your_own_is_not_managed(new_settings: NewSettings) -> None:
    with pytest.raises(SettingsError, match="NEO4J_URI is set"):
        ManagedServer(new_settings(neo4j_uri="bolt://127.0.0.1:7687"))


@pytest.fixture(scope="module")
def imported(new_settings: NewSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ManagedServer]:
    """A store that the admin tool filled before its server ever ran."""
    rows = tmp_path_factory.mktemp("rows") / "things.csv"
    rows.write_text("id:ID,name\n1,one\n2,two\n")
    managed = ManagedServer(new_settings(store="imported", bolt_port=free_port(), http_port=free_port()))
    log = managed.run_admin(["database", "import", "full", f"--nodes=Thing={rows}", "--verbose"])
    assert "IMPORT DONE" in log.read_text()
    yield managed
    managed.stop()


def test_admin_tool_fills_a_store_that_the_server_then_serves(imported: ManagedServer) -> None:
    with connect(imported.settings) as database:
        rows = database.read("MATCH (n:Thing) RETURN n.name AS name ORDER BY name")
    assert [row["name"] for row in rows] == ["one", "two"]
    with pytest.raises(StoreBusy, match="stop it first"):
        imported.run_admin(["database", "import", "full"])
    assert imported.stop()


def test_a_server_starts_with_the_classes_that_an_earlier_one_wrote_down(
    imported: ManagedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("graph.server.cache_folder", lambda: tmp_path)
    archive = class_archive(without_browser(fetch()), tmp_path)
    assert archive
    imported.stop()
    for shared in (False, True):
        imported.start()
        files = {Path(one.path) for one in psutil.Process(imported.status().pid).memory_maps()}
        assert (archive in files) == shared
        imported.stop()
        assert list(tmp_path.iterdir()) == [archive]
    archive.chmod(0o600)
    archive.write_bytes(b"damaged")
    log = imported.run_admin(["server", "memory-recommendation"])
    assert "server.memory.heap" in log.read_text()


def test_without_an_archive_of_javas_own_classes_nothing_is_shared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("graph.java.OWN_CLASSES", tmp_path / "file" / "classes.jsa")
    assert class_archive([], tmp_path) is None
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_admin_tool_that_fails_says_why(imported: ManagedServer) -> None:
    imported.stop()
    with pytest.raises(ServerError, match=r"neo4j-admin database import failed.*see .*admin\.log") as caught:
        imported.run_admin(["database", "import", "full", "--nodes=Thing=/nowhere.csv"])
    assert "nowhere.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stores_side_by_side_keep_ports_of_their_own(new_settings: NewSettings, tmp_path: Path) -> None:
    chosen: set[int | None] = set()
    for store in ("a", "b", "c"):
        folder = ServerFolder(new_settings(home=tmp_path, store=store))
        folder.make()
        folder.save(folder.choose_ports())
        assert folder.choose_ports() == folder.state
        chosen |= {folder.state.bolt_port, folder.state.http_port}
    assert len(chosen) == 6


def test_ports_of_the_settings_win(new_settings: NewSettings) -> None:
    free = ServerFolder(new_settings()).choose_ports()
    folder = ServerFolder(new_settings(bolt_port=free.bolt_port, http_port=free.http_port))
    folder.make()
    folder.save(State(bolt_port=17_001, http_port=17_002, neo4j=NEO4J))
    assert folder.choose_ports() == replace(free, neo4j=NEO4J)
