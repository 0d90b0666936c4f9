"""Every route asks for its key; keys are hashed, and forgotten when they are revoked."""

import hmac
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

import graph.keys
from api.web import keys
from api.web.app import create_app
from api.web.keys import Needs
from graph.driver import Database
from graph.keys import ROLES, create_key, list_keys, new_key, revoke_key
from graph.settings import Settings
from tests.api.conftest import Line
from tests.api.web.conftest import open_client

OPEN = {
    "/",
    "/browser/{name}",
    "/docs",
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/window/cytoscape.js",
    "/window/{name}",
}
ROUTES = [
    (method, route.path, [one.dependency.role for one in route.dependencies if isinstance(one.dependency, Needs)])
    for route in iter_route_contexts(create_app(Settings(_env_file=None, neo4j_uri="bolt://127.0.0.1:9")).routes)
    if route.path not in OPEN
    for method in sorted(route.methods or ())
]
PROBLEM = "application/problem+json"


def told(client: TestClient, method: str, template: str, key: str | None) -> tuple[int, str, str | None]:
    path = re.sub(r"\{generation\}", "1", template)
    headers = {} if key is None else {"X-API-Key": key}
    client.headers.pop("X-API-Key", None)
    response = client.request(method, re.sub(r"\{[^}]*\}", "zz", path), headers=headers)
    return response.status_code, response.headers["content-type"], response.headers.get("www-authenticate")


@pytest.fixture(scope="module")
def reader(line: Line) -> TestClient:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in line.environment.items():
            patch.setenv(name, str(value))
        with open_client("read") as opened:
            yield opened


def test_all_routes_are_known() -> None:
    assert {"/events", "/users/{user:path}/recommendations", "/metrics"} <= {path for _, path, _ in ROUTES}
    assert [route for route in ROUTES if not route[2]] == []


@pytest.mark.parametrize(("method", "path", "roles"), ROUTES)
def test_a_route_wants_a_key_of_its_role(reader: TestClient, method: str, path: str, roles: list[str]) -> None:
    assert told(reader, method, path, None) == (401, PROBLEM, "ApiKey")
    assert told(reader, method, path, "no key at all") == (401, PROBLEM, "ApiKey")
    assert told(reader, method, path, new_key()[1]) == (401, PROBLEM, "ApiKey")
    own = reader.app.state.keys.make_own("read")  # type: ignore[attr-defined]
    assert told(reader, method, path, own[:-1] + ("a" if own[-1] != "a" else "b")) == (401, PROBLEM, "ApiKey")
    needed = max(ROLES.index(role) for role in roles)
    for lower in ROLES[:needed]:
        own = reader.app.state.keys.make_own(lower)  # type: ignore[attr-defined]
        assert told(reader, method, path, own) == (403, PROBLEM, None)


def test_a_key_is_taken_before_the_body_is_read(reader: TestClient) -> None:
    def body():
        pytest.fail("the body was read")
        yield b""

    reader.headers.pop("X-API-Key", None)
    assert reader.post("/events", content=body()).status_code == 401


def test_a_stored_key_opens_until_it_is_revoked(
    reader: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FRESH", 60.0)
    key_id, key = create_key(database, "a shop", "read")
    assert told(reader, "GET", "/users", key)[0] == 200
    revoke_key(database, key_id)
    assert told(reader, "GET", "/users", key)[0] == 200  # for a moment
    monkeypatch.setattr(keys, "FRESH", 0.0)
    assert told(reader, "GET", "/users", key)[0] == 401


def test_a_key_opens_from_the_moment_it_is_made(reader: TestClient, database: Database) -> None:
    for _ in range(5):
        assert told(reader, "GET", "/users", new_key()[1])[0] == 401  # the keys were read just now
        key_id, key = create_key(database, "a shop", "read")
        assert told(reader, "GET", "/users", key)[0] == 200
        revoke_key(database, key_id)


def test_made_up_keys_share_few_reads(reader: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr(keys, "PACE", 0.5)
    monkeypatch.setattr(keys, "list_keys", lambda database: read.append(time.monotonic()) or [])
    begun = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        answers = pool.map(lambda _: told(reader, "GET", "/users", new_key()[1])[0], range(40))
        assert set(answers) == {401}
    assert 1 <= len(read) <= 2 + (time.monotonic() - begun) / 0.5


def test_keys_are_kept_as_hashes_only(database: Database) -> None:
    key_id, key = create_key(database, "a shop", "write")
    try:
        (node,) = database.read("MATCH (k:ApiKey {id: $id}) RETURN properties(k) AS k", {"id": key_id})
        assert set(node["k"]) == {"id", "hash", "name", "role", "created"}
        assert key not in str(node)
        assert key.split("_", 2)[2] not in str(node)  # the secret may have a _ too
        stored = next(one for one in list_keys(database) if one.id == key_id)
        assert stored.opens(key)
        assert not stored.opens(key + "x")
    finally:
        revoke_key(database, key_id)


def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(graph.keys.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    key_id, key = new_key()
    stored = graph.keys.ApiKey(key_id, "a shop", "read", graph.keys.hash_key(key))
    assert stored.opens(key)
    assert compared == [(stored.hash, stored.hash)]
    assert hmac.compare_digest is graph.keys.hmac.compare_digest
