"""The files for a Neo4j Browser on another server."""

import pytest
from fastapi.testclient import TestClient

from graph.browser import PAGES
from graph.driver import Database
from graph.generations import live_generation
from tests.test_browser_pages import rules

NO_KEY = {"X-API-Key": ""}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_open_to_a_browser_of_another_origin(name: str, client: TestClient) -> None:
    asked = {"Origin": "http://127.0.0.1:7474", "Access-Control-Request-Method": "GET"}
    allowed = client.options(f"/browser/{name}", headers=NO_KEY | asked)
    assert allowed.status_code == 204
    assert {"pragma", "cache-control"} == set(allowed.headers["Access-Control-Allow-Headers"].split(", "))
    answer = client.get(f"/browser/{name}", headers=NO_KEY)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.content


def test_guide_knows_where_it_is(client: TestClient) -> None:
    assert ":style http://testserver/browser/style.grass" in client.get("/browser/guide.html").text


def test_style_shows_the_live_weights(client: TestClient, database: Database) -> None:
    live = live_generation(database)
    assert live
    shown = rules(client.get("/browser/style.grass").text)
    assert shown["relationship.INTERACTED"]["caption"] == f"{{{live.weight_property}}}"


@pytest.mark.parametrize("name", ["other.html", "..%2fbrowser.md", "%2e%2e"])
def test_nothing_else(name: str, client: TestClient) -> None:
    assert client.get(f"/browser/{name}").status_code == 404
    assert "Access-Control-Allow-Origin" not in client.get(f"/browser/{name}").headers
