"""`twohop neo4j start|stop|status`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.command import app
from graph.server import ManagedServer


@pytest.fixture(autouse=True)
def shared_server_is_the_store(server: ManagedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no .env
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("TWOHOP_HOME", str(server.settings.home))
    monkeypatch.setenv("TWOHOP_STORE", server.settings.store)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ("neo4j", *words), catch_exceptions=False)


def test_start_of_a_running_server_says_so(server: ManagedServer) -> None:
    result = run("start")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Neo4j of store tests already runs (pid {server.status().pid}).\n")
    assert f"Browser   {server.status().browser_uri}\n" in result.stdout
    assert server.password() not in result.output


def test_status_as_json(server: ManagedServer) -> None:
    told = json.loads(run("status", "--json").stdout)
    assert told["running"] is True
    assert told["bolt_uri"] == server.status().bolt_uri
    assert set(told) == set(vars(server.status()))


def test_status_of_another_store() -> None:
    result = run("status", "--store", "never-started")
    assert result.exit_code == 0
    assert result.stdout.startswith("Neo4j of store never-started does not run. Start it: twohop neo4j start\n")
    assert json.loads(run("status", "--store", "never-started", "--json").stdout)["bolt_uri"] is None


def test_stop_of_a_server_that_does_not_run() -> None:
    result = run("stop", "--store", "never-started")
    assert result.exit_code == 0
    assert result.stdout == "Neo4j of store never-started did not run.\n"


@pytest.mark.parametrize("word", ["start", "stop", "status"])
def test_a_server_of_your_own_is_not_managed(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", "neo4j+s://graph.example.org")
    result = run(word)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("twohop: NEO4J_URI is set")


def test_wrong_usage() -> None:
    assert run("begin").exit_code == 2
