"""docker-compose.yml: read by Compose itself where it is installed, else as YAML; the same facts either way."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from graph.jars import NEO4J

REPOSITORY = Path(__file__).parent.parent
FILE = REPOSITORY / "docker-compose.yml"


def compose(*words: str, password: str | None) -> subprocess.CompletedProcess[str] | None:
    """Run Compose, the plugin or the older command, where no `.env` is; None where there is neither."""
    environment = {"PATH": os.environ["PATH"]} | ({"NEO4J_PASSWORD": password} if password else {})
    with TemporaryDirectory() as folder:
        shutil.copy(FILE, folder)

        def run(*command: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)

        for command in (["docker", "compose"], ["docker-compose"]):
            if shutil.which(command[0]) and run(*command, "version").returncode == 0:
                return run(*command, *words)
    return None


@pytest.fixture(scope="module", params=["as written", "as Compose reads it"])
def services(request: pytest.FixtureRequest) -> dict[str, Any]:
    run = compose("config", password="a-password") if request.param == "as Compose reads it" else None
    if run is None:
        return yaml.safe_load(FILE.read_text())["services"]
    assert run.returncode == 0, run.stderr
    return yaml.safe_load(run.stdout)["services"]


def test_same_neo4j_as_the_managed_server(services: dict[str, Any]) -> None:
    assert services["neo4j"]["image"] == f"neo4j:{NEO4J.rpartition('.')[0]}-community"


def test_ports_are_published_on_the_loopback_address_only(services: dict[str, Any]) -> None:
    published = {name: service.get("ports", []) for name, service in services.items()}
    assert set(published) == {"neo4j", "api"}
    for port in (port for ports in published.values() for port in ports):
        address = port["host_ip"] if isinstance(port, dict) else str(port)
        assert address.startswith("127.0.0.1")
    assert len(published["neo4j"]) == 2
    assert len(published["api"]) == 1


def test_api_waits_for_a_healthy_neo4j_and_both_are_watched(services: dict[str, Any]) -> None:
    assert services["api"]["depends_on"]["neo4j"]["condition"] == "service_healthy"
    for service in services.values():
        assert service["healthcheck"]["test"][0] == "CMD"


def test_data_is_in_volumes(services: dict[str, Any]) -> None:
    places = json.dumps([service["volumes"] for service in services.values()])
    for place in ("/data", "/logs", "/var/lib/twohop"):
        assert place in places


def test_password_comes_from_outside_and_must_be_there(services: dict[str, Any]) -> None:
    written = yaml.safe_load(FILE.read_text())["services"]
    assert written["neo4j"]["environment"]["NEO4J_AUTH"].startswith("neo4j/${NEO4J_PASSWORD:?")
    assert written["api"]["environment"]["NEO4J_PASSWORD"].startswith("${NEO4J_PASSWORD:?")
    run = compose("config", password=None)
    if run is not None:
        assert run.returncode != 0
        assert "NEO4J_PASSWORD" in run.stderr


def test_api_runs_the_command_of_the_image(services: dict[str, Any]) -> None:
    command = services["api"]["command"]
    words = command if isinstance(command, list) else command.split()
    assert words == ["twohop", "serve", "--host", "0.0.0.0"]  # noqa: S104  inside its container
    assert f"CMD {json.dumps(words)}" in (REPOSITORY / "Dockerfile").read_text()
