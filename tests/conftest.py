"""Fixtures around one real Neo4j that all tests of a run share, and around the development data."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:
    # Each process has a core: threads of several that share them wait for each other in busy loops. Read on import.
    os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import pytest

from graph import java, server_folder
from graph.constraints import create_constraints
from graph.driver import Database, connect
from graph.server import ManagedServer
from graph.settings import Settings

REPOSITORY = Path(__file__).parent.parent
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
# A busy machine is not a failure.
hypothesis.settings.register_profile("twohop", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("twohop")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def make_settings(home: Path, **changed: object) -> Settings:
    """Settings of a small managed store in `home`, whatever the environment and `.env` say."""
    small = {"store": "tests", "heap": "512m", "page_cache": "128m", "data": None, "neo4j_uri": None}
    fixed = {"bolt_port": None, "http_port": None, "maven_url": None, "neo4j_username": "neo4j", "neo4j_password": None}
    return Settings(_env_file=None, home=home, **{**small, **fixed, **changed})


MakeSettings = Callable[..., Settings]


@pytest.fixture(scope="session")
def new_settings(tmp_path_factory: pytest.TempPathFactory) -> MakeSettings:
    """Gives settings of a fresh store at each call; keyword arguments change some of them."""

    def make(**changed: object) -> Settings:
        home = changed.pop("home", None) or tmp_path_factory.mktemp("twohop")
        return make_settings(Path(str(home)), **changed)

    return make


@pytest.fixture(scope="session")
def settings(new_settings: MakeSettings) -> Settings:
    return new_settings()


@pytest.fixture(scope="session")
def server(settings: Settings) -> Iterator[ManagedServer]:
    """The running server of `settings`. Its jars come from the user's cache, so they are fetched once."""
    managed = ManagedServer(settings)
    managed.start()
    yield managed
    managed.stop()


@pytest.fixture(scope="session")
def database(server: ManagedServer) -> Iterator[Database]:
    with connect(server.settings) as opened:
        yield opened


@pytest.fixture
def empty_database(database: Database) -> Database:
    """The shared database without nodes, relationships, constraints and indexes of earlier tests."""
    _delete_nodes(database)
    for row in database.read("SHOW CONSTRAINTS YIELD name"):
        database.write("DROP CONSTRAINT $name", row)
    for row in database.read("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name"):
        database.write("DROP INDEX $name", row)
    return database


@pytest.fixture
def constrained_database(database: Database) -> Database:
    """The shared database without nodes, but with all constraints and indexes: making them anew takes seconds."""
    _delete_nodes(database)
    create_constraints(database)
    return database


def _delete_nodes(database: Database) -> None:
    database.write_in_batches("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS")


def _data_folder() -> Path:
    return Path(os.environ.get("TWOHOP_DATA") or REPOSITORY.parent / "shared" / "data")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder with the development data sets, for tests marked `data`."""
    folder = _data_folder()
    if not folder.is_dir():
        pytest.fail(f"tests marked `data` want {folder}: set TWOHOP_DATA, or deselect them by -m 'not data'")
    return folder


def pytest_configure() -> None:
    """Each of several processes looks for free ports in its own range: two must not choose the same one at once."""
    server_folder.BOLT_PORT += 100 * WORKER
    server_folder.HTTP_PORT += 100 * WORKER
    # A server of a test run is busiest while it starts, and would spend a third of that on compiling for later.
    java.OPTIONS = (*java.OPTIONS, "-XX:TieredStopAtLevel=1")


@pytest.hookimpl(tryfirst=True)  # before xdist, which reads the groups in a hook of the same name
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests whose data or browser is not here and say so; in CI, or when asked for, let them fail.

    Tests of the small shop come first and, of several processes, in one: it is made once, and others would empty it.
    """

    def in_shop(item: pytest.Item) -> bool:
        return "line" in getattr(item, "fixturenames", ())

    for item in items:
        item.add_marker(pytest.mark.xdist_group("shop" if in_shop(item) else item.path.stem))
    items.sort(key=in_shop, reverse=True)
    missing = {"data": _data_folder().is_dir(), "browser": CHROMIUM is not None}
    for mark, there in missing.items():
        if there or "CI" in os.environ or mark in (config.option.markexpr or ""):
            continue
        left_out = [item for item in items if item.get_closest_marker(mark)]
        if left_out:
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=left_out)
            config.stash.setdefault(LEFT_OUT, {})[mark] = len(left_out)


LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reasons = {"data": f"{_data_folder()} is not there (set TWOHOP_DATA)", "browser": "chromium is not installed"}
    for mark, count in config.stash.get(LEFT_OUT, {}).items():
        terminalreporter.write_line(f"{count} tests marked `{mark}` left out: {reasons[mark]}")
