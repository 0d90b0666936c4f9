"""The managed Neo4j: one real server a store, started and stopped here, on the loopback address only."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import neo4j
import psutil
from filelock import FileLock, Timeout
from neo4j.exceptions import AuthError, ServiceUnavailable, SessionExpired

from graph.browser import with_pages, without_browser
from graph.errors import AuthenticationFailed, PortTaken, ServerCrashed, ServerError, SettingsError, StoreBusy
from graph.jars import NEO4J, cache_folder, fetch
from graph.java import ADMIN, SERVER, class_archive, environment, write_command
from graph.progress import step
from graph.server_folder import LOOPBACK, ServerFolder, State, last_lines
from graph.settings import Settings
from graph.swap import finish_swap

USERNAME = DATABASE = "neo4j"  # Community has one user to begin with, and one database
POLL = 0.25  # seconds


def browser_uri(http_port: int | None) -> str:
    """Address of Neo4j Browser on the server with this port."""
    return f"http://{LOOPBACK}:{http_port}/browser/"


@dataclass(frozen=True)
class Status:
    """What is known of a store's server. The addresses are None before its first start."""

    store: str
    running: bool
    crashed: bool  # it ended without being stopped
    pid: int | None
    bolt_uri: str | None
    http_uri: str | None
    browser_uri: str | None
    version: str | None  # Neo4j that wrote the data
    data_folder: Path
    password_file: Path
    log: Path


class ManagedServer:
    """The Neo4j server of one store.

    Raises `SettingsError` where `NEO4J_URI` names a server of your own, for that one isn't Twohop's to start or stop.
    """

    def __init__(self, settings: Settings) -> None:
        if not settings.managed:
            raise SettingsError(
                "NEO4J_URI is set, so a server of your own is used and none is managed here: unset it to have one"
            )
        self.settings = settings
        self.folder = ServerFolder(settings)

    def start(self) -> bool:
        """Start the server and wait until it answers. Returns False where it already ran.

        It outlives this process. Raises `PortTaken`, `DownloadFailed`, `DataTooNew`, `ServerCrashed`,
        `AuthenticationFailed` or `StoreBusy`; the data stays as it was.
        """
        with self._locked():
            if running := self._process():
                self._wait_until_it_answers(running.pid, self.folder.log_size())
                return False
            state, jars = self._prepare()
            with self._reporting_disk_errors():
                finish_swap(self.folder, DATABASE)
            with step(f"Starting Neo4j {NEO4J} for store {self.settings.store}"):
                self._set_initial_password(jars)
                self._launch(state, jars)
            return True

    def stop(self) -> bool:
        """Stop the server and wait until it ended. Returns False where it did not run.

        Raises `ServerError` where it takes longer than the settings' `stop_timeout`; it isn't killed, for it may be
        writing a last checkpoint.
        """
        if not self.folder.home.exists():
            return False
        with self._locked():
            process = self._process()
            if process:
                with step(f"Stopping Neo4j of store {self.settings.store}"):
                    self._end(process)
            if self.folder.state.pid:
                self.folder.save(replace(self.folder.state, pid=None))
            return process is not None

    def status(self) -> Status:
        """Looks only: changes nothing."""
        state = self.folder.state
        running = self._process() is not None
        http = f"http://{LOOPBACK}:{state.http_port}" if state.http_port else None
        return Status(
            store=self.settings.store,
            running=running,
            crashed=state.pid is not None and not running,
            pid=state.pid if running else None,
            bolt_uri=f"bolt://{LOOPBACK}:{state.bolt_port}" if state.bolt_port else None,
            http_uri=http,
            browser_uri=browser_uri(state.http_port) if http else None,
            version=state.neo4j,
            data_folder=self.folder.data,
            password_file=self.folder.password_file,
            log=self.folder.log,
        )

    def password(self) -> str:
        """The password of user `neo4j`; kept in a file that only its owner can read."""
        return self.folder.password()

    def run_admin(self, words: Sequence[str]) -> Path:
        """Run `neo4j-admin` with these arguments on this store, whose server must not run.

        Returns the log of what it said. Raises `StoreBusy` while the server runs, `ServerError` where the tool fails.
        """
        with self._locked():
            if self._process():
                raise StoreBusy(f"the server of store {self.settings.store} runs: stop it first (twohop neo4j stop)")
            _, jars = self._prepare()
            return self._run_admin(words, jars)

    # Steps

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One start, stop or import at a time on a store; another one waits for it."""
        with self._reporting_disk_errors():
            self.folder.make()
        lock = FileLock(self.folder.lock_file)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            try:
                with step(f"Waiting for another process that starts, stops or fills store {self.settings.store}"):
                    lock.acquire(timeout=self.settings.start_timeout)
            except Timeout:
                raise StoreBusy(
                    f"another process has worked on {self.folder.home} for over {self.settings.start_timeout:.0f} s: "
                    "wait for it or end it"
                ) from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _reporting_disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ServerError(f"can't write {error.filename or self.folder.home}: {error.strerror}") from None

    def _process(self) -> psutil.Process | None:
        """This store's server, if it runs.

        A pid alone may by now be another program's. The argument file in its command line is this store's alone, and
        unlike a start time it doesn't move with the clock.
        """
        pid = self.folder.state.pid
        try:
            process = psutil.Process(pid) if pid else None
            if process and f"@{self.folder.server_arguments}" in process.cmdline():
                return process
        except psutil.Error:
            pass
        return None

    def _prepare(self) -> tuple[State, list[Path]]:
        self.folder.check_version()
        state = replace(self.folder.choose_ports(), pid=None, neo4j=NEO4J)
        jars = fetch(self.settings.maven_url)
        with self._reporting_disk_errors():
            self.folder.write_conf(state)
            self.folder.save(state)
        return state, jars

    def _set_initial_password(self, jars: list[Path]) -> None:
        """By Neo4j's own tool and before the first start, so no moment passes with the well-known password."""
        with self._reporting_disk_errors():
            password = self.folder.password()
        if not (self.folder.has_system_database or self.folder.has_initial_password):
            self._run_admin(["dbms", "set-initial-password", password], jars)

    def _run_admin(self, words: Sequence[str], jars: list[Path]) -> Path:
        folder = self.folder
        with self._reporting_disk_errors():
            jars = without_browser(jars)
            archive = class_archive(jars, cache_folder())
            command = write_command(folder.admin_arguments, ADMIN, words, jars, self.settings.heap, archive)
        try:
            with folder.admin_log.open("wb") as log:
                code = subprocess.run(  # noqa: S603  own Java, own arguments
                    command,
                    env=environment(folder.home, folder.conf),
                    cwd=folder.home,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    check=False,
                ).returncode
        finally:
            folder.admin_arguments.unlink(missing_ok=True)  # it may hold the password
        if code:
            said = [line.strip() for line in last_lines(folder.admin_log, 50) if line.strip() and line[0] not in " \t"]
            what = f"neo4j-admin {' '.join(words[:2])} failed (exit {code})"
            raise ServerError(f"{what}: {' | '.join(said[-3:])}; see {folder.admin_log}")
        return folder.admin_log

    def _launch(self, state: State, jars: list[Path]) -> None:
        folder = self.folder
        words = [f"--home-dir={folder.home}", f"--config-dir={folder.conf}"]
        log_size = folder.log_size()
        with self._reporting_disk_errors():
            archive = class_archive(without_browser(jars), cache_folder())
            jars = with_pages(jars, folder.browser_jar, browser_uri(state.http_port))
            command = write_command(folder.server_arguments, SERVER, words, jars, self.settings.heap, archive)
            with folder.console.open("wb") as console:
                process = subprocess.Popen(  # noqa: S603  own Java, own arguments
                    command,
                    env=environment(folder.home, folder.conf),
                    cwd=folder.home,
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # it outlives the command and its terminal
                )
        try:
            folder.save(replace(state, pid=process.pid))
            self._wait_until_it_answers(process.pid, log_size)
        except AuthenticationFailed:
            raise  # it runs well; only the password is another one
        except BaseException:
            process.kill()
            process.wait()
            folder.save(state)
            raise

    def _wait_until_it_answers(self, pid: int, log_size: int) -> None:
        end = time.monotonic() + self.settings.start_timeout
        while not self._answers():
            if self._process() is None:
                reason = self.folder.reason(log_size)
                error = PortTaken if "already in use" in reason else ServerCrashed
                raise error(f"Neo4j of store {self.settings.store} did not start: {reason}; see {self.folder.log}")
            if time.monotonic() > end:
                raise ServerCrashed(
                    f"Neo4j (pid {pid}) did not answer within {self.settings.start_timeout:.0f} s: see "
                    f"{self.folder.log}, or allow more time by TWOHOP_START_TIMEOUT"
                )
            time.sleep(POLL)

    def _answers(self) -> bool:
        """Whether Bolt takes the password and HTTP, which comes up last, takes connections.

        Asks only ports on which our own process listens: another program may have taken one between choice and start.
        """
        process, kept = self._process(), self.folder.state
        if process is None or not {kept.bolt_port, kept.http_port} <= _listening(process):
            return False
        address = f"bolt://{LOOPBACK}:{self.folder.state.bolt_port}"
        timeout = self.settings.connect_timeout
        try:
            socket.create_connection((LOOPBACK, self.folder.state.http_port or 0), timeout).close()
            with neo4j.GraphDatabase.driver(
                address,
                auth=(USERNAME, self.password()),
                connection_timeout=timeout,
                connection_acquisition_timeout=timeout,
                telemetry_disabled=True,
            ) as driver:
                driver.verify_connectivity()
        except (OSError, ServiceUnavailable, SessionExpired):  # the last one where it is slow to say hello
            return False
        except AuthError:
            raise AuthenticationFailed(
                f"the server of store {self.settings.store} runs, but refuses the password in "
                f"{self.folder.password_file}: write the one that was set since into that file"
            ) from None
        return True

    def _end(self, process: psutil.Process) -> None:
        process.terminate()
        end = time.monotonic() + self.settings.stop_timeout
        while not _ended(process):
            if time.monotonic() > end:
                raise ServerError(
                    f"Neo4j (pid {process.pid}) still runs {self.settings.stop_timeout:.0f} s after it was told to "
                    f"stop: see {self.folder.log}, then try again"
                )
            time.sleep(POLL)


def _ended(process: psutil.Process) -> bool:
    """Also where it stays a zombie, because the program that started it lives on and has not asked after it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _listening(process: psutil.Process) -> set[int]:
    """Ports that a process listens on; none once it has ended."""
    try:
        return {one.laddr.port for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
    except psutil.NoSuchProcess:
        return set()
