"""POST /events on a real database: one, some, a stream, and what it refuses."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.web.documents.events import EXAMPLE
from api.web.routes.events import LONGEST_LINE, _lines
from graph.driver import Database
from tests.api.web.conftest import open_client

STREAM = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}
STORED = """
MATCH (u:User)-[r:INTERACTED]->(i:Item) WHERE i.id STARTS WITH 'zz'
RETURN u.id AS user, i.id AS item, r.count AS count, r.kind AS kind, r.times AS times, r.sessions AS sessions,
       r.places AS places ORDER BY user, item
"""
CYPHER = "'}) DETACH DELETE n //\" ` $x {{x}}"


@pytest.fixture(autouse=True)
def items(database: Database, client: TestClient) -> Iterator[None]:
    """Items of these tests; they and all that was sent leave at the end."""
    database.write("UNWIND ['zz0', 'zz1'] AS id MERGE (:Item {id: id})")
    yield
    database.write("MATCH (n) WHERE n.id STARTS WITH 'zz' DETACH DELETE n")
    database.write("MATCH (e:Event) DELETE e")


def event(key: str, **changed: Any) -> dict[str, Any]:
    return {"key": key, "user": "zzu", "item": "zz0", "kind": "purchase"} | changed


def keys(database: Database) -> list[str]:
    return [row["key"] for row in database.read("MATCH (e:Event) RETURN e.key AS key ORDER BY key")]


def lines(*documents: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in documents)


def test_one_event_takes_effect_once(client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[list[str]] = []
    monkeypatch.setattr(client.app.state.refresher, "wake", woken.append)  # type: ignore[attr-defined]
    sent = event("k", time="2026-03-01T17:20:00Z", session="s", quantity=2, place="p")
    first = client.post("/events", json=sent)
    assert (first.status_code, first.json()) == (
        200,
        {"accepted": 1, "repeated": 0, "results": [{"key": "k", "status": "accepted"}]},
    )
    assert client.post("/events", json=sent).json() == {
        "accepted": 0,
        "repeated": 1,
        "results": [{"key": "k", "status": "repeated"}],
    }
    assert database.read(STORED) == [
        {
            "user": "zzu",
            "item": "zz0",
            "count": 1,
            "kind": "purchase",
            "times": [1772385600],
            "sessions": ["s"],
            "places": ["p"],
        }
    ]
    assert woken == [["zzu"]]
    client.post("/events", json=event("shown", kind="impression"))
    assert len(woken) == 1


def test_what_is_the_same_event(client: TestClient) -> None:
    at = "2026-03-01T17:20:00Z"
    client.post("/events", json=event("k", time=at, quantity=2, value=0))
    for time_, quantity, value in (
        ("2026-03-01T18:20:00.9+01:00", 2.0, -0.0),
        (1772385600, 2, 0),
        (1772385600.5, 2, 0),
    ):
        sent = dict(reversed(event("k", time=time_, quantity=quantity, value=value, session=None).items()))
        assert client.post("/events", json=sent).json()["repeated"] == 1
    client.post("/events", json=event("now"))
    assert client.post("/events", json=event("now")).json()["repeated"] == 1  # the server's time is not of the client
    for other in (event("k", time=at, quantity=3, value=0), event("k", quantity=2, value=0), event("k")):
        response = client.post("/events", json=[event("new"), other])
        assert (response.status_code, response.json()["detail"]) == (
            409,
            "event 'k' was sent before with other content: nothing was stored",
        )


def test_an_array_is_stored_as_a_whole_or_not_at_all(client: TestClient, database: Database) -> None:
    good = [event("a"), event("b", item="zz1"), event("a")]
    assert [one["status"] for one in client.post("/events", json=good).json()["results"]] == [
        "accepted",
        "accepted",
        "repeated",
    ]
    before = database.read(STORED)
    unknown = client.post("/events", json=[event("c"), event("d", item="zz-none")])
    assert (unknown.status_code, unknown.json()["detail"]) == (
        422,
        "not in the graph: item 'zz-none'; nothing was stored",
    )
    broken = client.post("/events", json=[event("c"), event("d", kind="Buy!")])
    assert broken.status_code == 422
    assert [error["where"] for error in broken.json()["errors"]] == ["body.1.kind"]
    for many in ([], [event(f"k{n}") for n in range(1001)]):
        response = client.post("/events", json=many)
        assert (response.status_code, response.json()["errors"][0]["where"]) == (422, "body")
    assert (database.read(STORED), keys(database)) == (before, ["a", "b"])


HOSTILE = {
    **{
        f"{field} {value!r:.12}": json.dumps(event("k") | {field: value})
        for field, values in {
            "key": ["", "x" * 257, None, 1, "a\0b", "a\nb", ["k"]],
            "user": ["", "x" * 257, None, 1, True, {"id": "u"}],
            "item": ["", "\x7f", 1],
            "kind": ["", "Buy", "a b", "-a", "a-", "x" * 65, "view\n", CYPHER, None],
            "time": [-1, 2**63, 1e308, True, "yesterday", "2026-03-01", "2026-03-01T17:20:00", [], "x" * 9999],
            "quantity": [2**63, -(2**63), 1e16, "2", True, [1]],
            "value": [10**400, "NaN"],
            "session": ["", 5, "x" * 257],
            "place": ["\0"],
            "variant": ["both", 1],
            "more": [1],
        }.items()
        for value in values
    },
    "no user": json.dumps({"key": "k", "item": "zz0", "kind": "view"}),
    "NaN": '{"key": "k", "user": "zzu", "item": "zz0", "kind": "view", "value": NaN}',
    "infinity": '{"key": "k", "user": "zzu", "item": "zz0", "kind": "view", "value": -Infinity}',
    "too large": '{"key": "k", "user": "zzu", "item": "zz0", "kind": "view", "value": 1e999}',
    "lone surrogate": '{"key": "\\ud800", "user": "zzu", "item": "zz0", "kind": "view"}',
    "deep list": "[" * 100_000,
    "deep object": '{"key":' * 100_000,
    "long string": json.dumps(event("k", user="x" * 1_000_000)),
    "no JSON": "key=k",
    "nothing": "",
    "text": '"k"',
    "null": "null",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_values_are_refused_and_nothing_is_stored(name: str, client: TestClient, database: Database) -> None:
    response = client.post("/events", content=HOSTILE[name], headers=JSON)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.text) < 5000
    assert (database.read(STORED), keys(database)) == ([], [])
    streamed = client.post("/events", content=HOSTILE[name].replace("\n", " "), headers=STREAM).json()
    assert (streamed["accepted"], streamed["refused"]) == (0, 0 if name == "nothing" else 1)
    assert (database.read(STORED), keys(database)) == ([], [])


def test_ten_megabytes_are_refused(client: TestClient, database: Database) -> None:
    response = client.post("/events", content=json.dumps(event("k", user="x" * 10_000_000)), headers=JSON)
    assert response.status_code in (413, 422)
    assert keys(database) == []


def test_a_time_may_be_a_little_ahead(client: TestClient, database: Database) -> None:
    now = int(time.time())
    assert client.post("/events", json=event("k", time=now + 290)).status_code == 200
    response = client.post("/events", json=event("l", time=now + 310))
    assert (response.status_code, response.json()["detail"]) == (
        422,
        "time: the time lies more than 5 minutes in the future",
    )
    assert keys(database) == ["k"]


def test_cypher_is_a_string_like_any_other(client: TestClient, database: Database) -> None:
    database.write("CREATE (:Item {id: $id})", {"id": f"zz{CYPHER}"})
    sent = event(f"k{CYPHER}", user=f"zz{CYPHER}", item=f"zz{CYPHER}", session=CYPHER, place=CYPHER)
    assert client.post("/events", json=sent).json()["accepted"] == 1
    [edge] = database.read(STORED)
    assert (edge["user"], edge["item"], edge["sessions"], edge["places"]) == (
        f"zz{CYPHER}",
        f"zz{CYPHER}",
        [CYPHER],
        [CYPHER],
    )
    assert keys(database) == [f"k{CYPHER}"]


def test_other_bodies_and_roles(client: TestClient, database: Database) -> None:
    response = client.post("/events", content="key=k", headers={"content-type": "text/csv"})
    assert (response.status_code, response.json()["title"]) == (415, "Unsupported Media Type")
    with open_client("read") as reader:
        assert reader.post("/events", json=event("k")).status_code == 403
    with open_client("write") as writer:
        assert writer.post("/events", json=event("k")).status_code == 200
    assert keys(database) == ["k"]


# A stream


def test_a_stream_leaves_out_bad_lines(client: TestClient, database: Database) -> None:
    client.post("/events", json=event("old"))
    body = (
        lines(event("a"), event("b", user="zzv", item="zz1"))
        + b"\r\n  \n"
        + lines(event("c", kind="?"), event("d", item="zz-none", user="zz-nobody"), event("old"))
        + lines(event("old", quantity=1))
        + b"{\n"
        + b"x" * (LONGEST_LINE + 1)
        + b"\n"
        + lines(event("e")).rstrip()
    )
    reply = client.post("/events", content=body, headers=STREAM).json()
    assert {name: reply[name] for name in ("accepted", "repeated", "refused")} == {
        "accepted": 3,
        "repeated": 1,
        "refused": 5,
    }
    told = [(one["line"], one["key"], one["detail"]) for one in reply["rejected"]]
    assert told[0][:2] == (5, "c")
    assert told[0][2].startswith("kind: String should match pattern")
    assert told[1:3] == [
        (6, "d", "not in the graph: item 'zz-none'"),
        (8, "old", "event 'old' was sent before with other content"),
    ]
    assert told[3][:2] == (9, None)
    assert told[3][2].startswith("no JSON: ")
    assert told[4] == (10, None, "the line is longer than 64 KiB")
    assert keys(database) == ["a", "b", "e", "old"]
    assert database.read("MATCH (u:User {id: 'zz-nobody'}) RETURN u") == []
    again = client.post("/events", content=body, headers=STREAM).json()
    assert (again["accepted"], again["repeated"], again["refused"]) == (0, 4, 5)


def test_a_long_stream_goes_in_by_parts(client: TestClient, database: Database) -> None:
    body = lines(*(event(f"k{n:04}", user=f"zz{n % 7}", item="zz-none" if n % 20 == 0 else "zz1") for n in range(2500)))
    reply = client.post("/events", content=body, headers=STREAM).json()
    assert (reply["accepted"], reply["repeated"], reply["refused"]) == (2375, 0, 125)
    assert [one["line"] for one in reply["rejected"]] == [1 + 20 * n for n in range(100)]
    assert sum(row["count"] for row in database.read(STORED)) == 2375


@given(st.lists(st.binary(max_size=5).map(lambda part: part.replace(b"a", b"\n")), max_size=20), st.integers(1, 7))
def test_lines_do_not_depend_on_how_the_body_comes(parts: list[bytes], size: int) -> None:
    body = b"\n".join(parts)

    async def read(size: int) -> list[tuple[int, bytes | None]]:
        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(body), size):
                yield body[start : start + size]

        return [line async for line in _lines(chunks())]

    expected = [(number, line.strip()) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    assert asyncio.run(read(size)) == expected


def test_a_stream_is_stored_while_it_comes(client: TestClient, database: Database) -> None:
    """The app takes no second thousand of lines before it has stored the first, however long the stream is."""
    stored: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for start in (0, 1000, 2000):
            stored.append(len(keys(database)))
            yield lines(*(event(f"k{n}") for n in range(start, start + 1000)))

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(client.app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as opened:
            headers = STREAM | {"x-api-key": client.headers["x-api-key"]}
            return await opened.post("/events", content=body(), headers=headers)

    assert asyncio.run(send()).json()["accepted"] == 3000
    assert stored == [0, 1000, 2000]


def test_the_example_is_an_event(client: TestClient, database: Database) -> None:
    example = EXAMPLE | {"item": "zz0", "user": "zzu"}
    assert client.post("/events", json=example).status_code == 200
    document = client.get("/openapi.json").json()["paths"]["/events"]["post"]["requestBody"]["content"]
    assert document["application/json"]["examples"]["one"]["value"] == EXAMPLE
    assert [json.loads(line).keys() for line in document[STREAM["content-type"]]["example"].splitlines()] == [
        EXAMPLE.keys()
    ] * 2
