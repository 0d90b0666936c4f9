"""Limits on three-line apps, and on the real one."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from api.web import limits, problems
from api.web.bodies import STREAM
from api.web.keys import Keys, needs
from api.web.limits import Gate, Limits, Rates
from api.web.routing import adopt
from graph.driver import Database
from graph.settings import Settings


def made(**changed: Any) -> FastAPI:
    """An app with a route that takes a body, one that is slow, and one that takes streams."""
    settings = Settings(_env_file=None, neo4j_uri="bolt://127.0.0.1:9", **changed)
    router = APIRouter(dependencies=[needs("write")])

    @router.post("/numbers")
    async def numbers(body: dict[str, Any]) -> int:
        return len(body)

    @router.post("/lines", openapi_extra={"requestBody": {"content": {STREAM: {}}}})
    async def lines(request: Request) -> int:
        return sum([len(part) async for part in request.stream()])

    @router.get("/slow")
    async def slow() -> int:
        await asyncio.sleep(0.4)
        return 1

    app = FastAPI()
    app.add_middleware(Limits, settings)

    def no_database() -> Database:
        raise NotImplementedError

    app.state.keys = Keys(no_database)
    app.state.rates = Rates(settings.rate_limit)
    app.state.gate, app.state.streams, app.state.lobby = Gate(settings.concurrency), Gate(1), Gate(1)
    app.include_router(adopt(router))
    problems.add_handlers(app)
    return app


def client(app: FastAPI) -> TestClient:
    return TestClient(app, headers={"X-API-Key": app.state.keys.make_own("write")})


def detail(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status
    return str(response.json()["detail"])


# Bodies


def in_parts(size: int) -> Iterator[bytes]:
    for _ in range(size // 1024):
        yield b" " * 1024


def test_a_body_that_says_it_is_too_long_is_refused_unread() -> None:
    response = client(made(body_limit="4k")).post("/numbers", content=b" " * 5000)
    assert detail(response, 413) == "the body is larger than 4 KiB: send it in parts"


def test_a_body_that_does_not_say_so_is_counted() -> None:
    app = client(made(body_limit="4k"))
    response = app.post("/numbers", content=in_parts(8192), headers={"Content-Type": "application/json"})
    assert detail(response, 413) == "the body is larger than 4 KiB: send it in parts"
    assert app.post("/numbers", json={"a": "b" * 3000}).json() == 1


def test_a_stream_may_be_longer_but_only_where_streams_are_read() -> None:
    app = client(made(body_limit="4k", stream_limit="64k"))
    assert app.post("/lines", content=in_parts(32_768), headers={"Content-Type": STREAM}).json() == 32_768
    assert "64 KiB" in detail(app.post("/lines", content=in_parts(131_072), headers={"Content-Type": STREAM}), 413)
    assert "application/json" in detail(app.post("/numbers", content=b"{}", headers={"Content-Type": STREAM}), 415)


NO_JSON = {
    "nothing": b"",
    "half": b'{"a": ',
    "more than one": b"{} {}",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "a number beyond a float": b'{"a": 1e999}',
    "a number of 10,000 digits": b'{"a": ' + b"1" * 10_000 + b"}",
    "deep nesting": b'{"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "very deep nesting": b"[" * 1_000_000,
    "a name twice": b'{"a": 1, "a": 2}',
    "no UTF-8": b'{"a": "\xff"}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_good_json_is_a_422(body: bytes) -> None:
    assert "body: " in detail(
        client(made()).post("/numbers", content=body, headers={"Content-Type": "application/json"}), 422
    )


def test_good_json_is_taken_as_it_is() -> None:
    body = '{"a": [1e308, -0.0, 9007199254740993], "b": "\U0001f600", "c": null}'
    assert client(made()).post("/numbers", content=body, headers={"Content-Type": "application/json"}).json() == 3


# Pace. A client in this process cannot be slow, so these speak ASGI themselves.


def spoken(app: FastAPI, parts: list[tuple[float, dict[str, Any]]], method: str = "POST") -> list[dict[str, Any]]:
    """What the app sends when its messages come after these waits."""
    sent: list[dict[str, Any]] = []
    waiting = list(parts)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.sleep(60)
        wait, message = waiting.pop(0)
        await asyncio.sleep(wait)
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    path = "/numbers" if method == "POST" else "/slow"
    headers = [
        (b"x-api-key", app.state.keys.make_own("write").encode()),
        (b"content-type", b"application/json"),
    ]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "http_version": "1.1",
    }
    asyncio.run(asyncio.wait_for(app(scope, receive, send), 5))
    return sent


def part(body: bytes, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def status_and_headers(sent: list[dict[str, Any]]) -> tuple[int, dict[bytes, bytes]]:
    json.loads(sent[1]["body"])
    return sent[0]["status"], dict(sent[0]["headers"])


def test_a_body_that_stalls_is_a_408_and_the_end_of_the_connection() -> None:
    app = made(idle_timeout=0.1)
    status, headers = status_and_headers(spoken(app, [(0, part(b"{", True)), (1, part(b"}", False))]))
    assert (status, headers[b"connection"]) == (408, b"close")
    assert headers[b"content-type"] == b"application/problem+json"


def test_a_body_that_comes_in_small_parts_has_its_time() -> None:
    slow = [(0.05, part(b"{", True)), *[(0.05, part(b" ", True))] * 4, (0.05, part(b"}", False))]
    assert status_and_headers(spoken(made(idle_timeout=0.2), slow))[0] == 200


def test_a_body_that_trickles_on_ends_at_the_deadline() -> None:
    trickle = [(0.05, part(b" ", True))] * 100
    status, headers = status_and_headers(spoken(made(idle_timeout=0.2, request_timeout=0.3), trickle))
    assert (status, headers[b"connection"]) == (408, b"close")


def test_work_that_takes_too_long_is_a_504() -> None:
    app = made(request_timeout=0.1)
    assert status_and_headers(spoken(app, [(0, part(b"", False))], "GET"))[0] == 504
    assert app.state.gate.inside == 0


async def impatient(scope: Scope, receive: Receive, send: Send) -> None:
    raise TimeoutError("of its own")


def test_a_time_out_of_the_app_itself_is_its_own_failure() -> None:
    app = Limits(impatient, Settings(_env_file=None, neo4j_uri="bolt://127.0.0.1:9"))
    with pytest.raises(TimeoutError, match="of its own"):
        TestClient(app).get("/")


# How often, and how many at once


def test_a_key_may_ask_so_often_and_another_key_still_may() -> None:
    app = made(rate_limit="3/minute")
    first, second = client(app), client(app)
    assert [first.post("/numbers", json={}).status_code for _ in range(3)] == [200] * 3
    refused = first.post("/numbers", json={})
    assert "3 per 1 minute" in detail(refused, 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert second.post("/numbers", json={}).status_code == 200


def test_a_refusal_says_when_to_come_again() -> None:
    async def asked() -> None:
        rates = Rates("2/second;100/minute")
        for _ in range(3):
            await rates.count("a")

    with pytest.raises(HTTPException) as refused:
        asyncio.run(asked())
    assert refused.value.headers == {"Retry-After": "1"}


def test_a_full_gate_sends_away_and_is_left_again() -> None:
    app = made(concurrency=1)

    async def both() -> list[int]:
        import httpx

        transport = httpx.ASGITransport(app)
        headers = {"X-API-Key": app.state.keys.make_own("write")}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as asked:
            first = asyncio.create_task(asked.get("/slow"))
            await asyncio.sleep(0.1)
            second = await asked.get("/slow")
            assert second.headers["retry-after"] == str(limits.SOON)
            assert second.json()["status"] == 503
            return [(await first).status_code, second.status_code, (await asked.get("/slow")).status_code]

    assert asyncio.run(both()) == [200, 503, 200]
    assert app.state.gate.inside == 0


def test_a_gate_is_left_when_the_work_fails() -> None:
    gate = Gate(1)
    with pytest.raises(ValueError, match="work"), gate.enter():
        raise ValueError("work")
    with gate.enter():
        assert gate.inside == 1
