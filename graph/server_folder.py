"""What the managed server keeps in a store's `neo4j` folder: its state, configuration, password, ports and logs."""

import json
import re
import secrets
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

from graph.errors import DataTooNew, PortTaken, ServerError
from graph.files import write_text
from graph.jars import NEO4J
from graph.settings import Settings

LOOPBACK = "127.0.0.1"
BOLT_PORT, HTTP_PORT = 7687, 7474  # Neo4j's own


@dataclass(frozen=True)
class State:
    """What outlives a command: the process, the addresses that a store keeps, and the Neo4j that wrote its data."""

    pid: int | None = None
    bolt_port: int | None = None
    http_port: int | None = None
    neo4j: str | None = None


def stores(settings: Settings) -> list[str]:
    """Names of the stores whose server has run."""
    return sorted(file.parts[-3] for file in settings.store_folder.parent.glob("*/neo4j/state.json"))


class ServerFolder:
    """The folder is Neo4j's home, mode 0700: data and logs lie in it as Neo4j lays them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.store_folder / "neo4j"
        self.conf = self.home / "conf"
        self.data = self.home / "data"
        self.log = self.home / "logs" / "neo4j.log"
        self.console = self.home / "logs" / "console.log"
        self.admin_log = self.home / "logs" / "admin.log"
        self.password_file = self.home / "password"
        self.lock_file = self.home / "server.lock"
        self.server_arguments = self.home / "run" / "server.args"
        self.admin_arguments = self.home / "run" / "admin.args"
        self.browser_jar = self.home / "run" / "neo4j-browser.jar"
        self._state_file = self.home / "state.json"

    def make(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)
        self.log.parent.mkdir(exist_ok=True)

    # State

    @property
    def state(self) -> State:
        """Raises `ServerError` where the file is damaged."""
        try:
            return State(**json.loads(self._state_file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return State()
        except (ValueError, TypeError) as error:
            raise ServerError(
                f"{self._state_file} is damaged ({error}); delete it: the data is kept, the addresses are chosen anew"
            ) from None

    def save(self, state: State) -> None:
        write_text(self._state_file, json.dumps(asdict(state), indent=2) + "\n")

    def check_version(self) -> None:
        """Raises `DataTooNew` where a newer Neo4j than the locked one wrote the data."""
        wrote = self.state.neo4j
        if wrote and _numbers(wrote) > _numbers(NEO4J):
            raise DataTooNew(
                f"the data in {self.data} is of Neo4j {wrote}, this Twohop brings {NEO4J}: "
                "take a newer Twohop, or another store by TWOHOP_STORE; nothing was changed"
            )

    # Password

    @property
    def has_system_database(self) -> bool:
        return (self.data / "databases" / "system").exists()

    @property
    def has_initial_password(self) -> bool:
        return (self.data / "dbms" / "auth.ini").exists()

    def password(self) -> str:
        """The password of user `neo4j`, made at the first call. Raises `ServerError` where it got lost."""
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            if self.has_system_database or self.has_initial_password:
                raise ServerError(
                    f"{self.password_file} is missing: write the password of this store's user neo4j there"
                ) from None
        made = secrets.token_hex(16)  # hexadecimal: never taken for an option, easy to paste
        self.make()
        write_text(self.password_file, made + "\n", mode=0o600)
        return made

    # Addresses and configuration

    def choose_ports(self) -> State:
        """The state with ports that are free now: the settings', else the store's own, else the next ones.

        Raises `PortTaken`, for a store keeps its addresses: bookmarks and other programs know them.
        """
        state = self.state
        others = self._ports_of_other_stores()
        bolt = self._choose(self.settings.bolt_port or state.bolt_port, BOLT_PORT, others, "BOLT")
        http = self._choose(self.settings.http_port or state.http_port, HTTP_PORT, others | {bolt}, "HTTP")
        return replace(state, bolt_port=bolt, http_port=http)

    def _choose(self, fixed: int | None, first: int, others: set[int], kind: str) -> int:
        if fixed is None:
            return next(port for port in range(first, 65536) if port not in others and _is_free(port))
        if not _is_free(fixed):
            raise PortTaken(
                f"port {fixed} of store {self.settings.store} is taken{_holder(fixed)}: "
                f"stop that program, or set TWOHOP_{kind}_PORT to a free port"
            )
        return fixed

    def _ports_of_other_stores(self) -> set[int]:
        """Ports that stores beside this one keep, running or not."""
        ports: set[int | None] = set()
        for file in self.settings.store_folder.parent.glob("*/neo4j/state.json"):
            if file == self._state_file:
                continue
            try:
                kept = json.loads(file.read_text(encoding="utf-8"))
                ports |= {kept.get("bolt_port"), kept.get("http_port")}
            except (OSError, ValueError, AttributeError):
                continue  # that store's own start says so
        return {port for port in ports if port}

    def write_conf(self, state: State) -> None:
        """Write `neo4j.conf`, anew at each start: the settings are the one place to change something."""
        conf = {
            "server.default_listen_address": LOOPBACK,
            "server.default_advertised_address": LOOPBACK,
            "server.bolt.listen_address": f"{LOOPBACK}:{state.bolt_port}",
            "server.bolt.advertised_address": f"{LOOPBACK}:{state.bolt_port}",
            "server.http.listen_address": f"{LOOPBACK}:{state.http_port}",
            "server.http.advertised_address": f"{LOOPBACK}:{state.http_port}",
            "server.https.enabled": "false",
            "server.memory.heap.initial_size": self.settings.heap,
            "server.memory.heap.max_size": self.settings.heap,
            "server.memory.pagecache.size": self.settings.page_cache,
            "server.config.strict_validation.enabled": "true",
            "dbms.security.auth_enabled": "true",
            "dbms.usage_report.enabled": "false",
            # Where Browser may take a guide and a style from: its own server, or twohop serve.
            "browser.remote_content_hostname_whitelist": f"{LOOPBACK},localhost",
            # Logs serve recovery only, without backups or a cluster: by default they would grow to gigabytes.
            "db.tx_log.rotation.retention_policy": "256M size",
            # Else each stop waits 10 s for requests that nobody sends any more.
            "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
        }
        lines = ("# Written at each start from the TWOHOP_* settings.", *(f"{name}={conf[name]}" for name in conf))
        write_text(self.conf / "neo4j.conf", "\n".join(lines) + "\n")

    # Logs

    def reason(self, log_size: int) -> str:
        """Why the last start failed: the innermost cause in what the log got after its first `log_size` bytes."""
        with self.log.open("rb") if self.log.exists() else self.console.open("rb") as written:
            written.seek(log_size if log_size <= self.log_size() else 0)
            lines = written.read().decode(errors="replace").splitlines()
        errors = [line for line in lines if " ERROR " in line or line.startswith("Caused by: ")]
        if errors:
            return re.sub(r"^(Caused by: )?(\S+Exception: )?|^.* ERROR ", "", errors[-1]).strip()
        said = [line for line in last_lines(self.console, 20) if line.strip()]
        return said[-1].strip() if said else "its log gives no reason"

    def log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0


def last_lines(file: Path, count: int) -> list[str]:
    """The last lines of a log; none where it isn't there."""
    if not file.exists():
        return []
    return file.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Neo4j does: not held up by closed connections
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    """Who listens on `port`, as far as this user may see."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == "LISTEN" and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return ""
