"""Requests with changed bytes, through the real HTTP parser and the whole app: no 5xx, no bug, every error a problem.

`TWOHOP_MUTATIONS` is their number: 2,000 unless it is set.
"""

import asyncio
import json
import logging
import os
import random
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPResponse
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from uvicorn.server import ServerState

from api.web.server import PatientProtocol
from graph.driver import Database
from tests.api.conftest import Line, enter
from tests.api.shop_intents import linked_intents
from tests.api.web.conftest import kept, open_client, take_time

MUTATIONS = int(os.environ.get("TWOHOP_MUTATIONS", "2000"))
AT_ONCE = 8
REPLY = 300  # seconds that a reply may take
EVENT = {"key": "zz-1", "user": "zz-user", "item": "g01", "kind": "click", "time": "2024-03-01T12:00:00Z", "value": 1.5}
SEEDS: list[tuple[str, str, Any]] = [
    ("GET", "/users/u01/recommendations?k=5&m=10&neighbours=5&explain=true&exclude=g01&max_price=3.5", None),
    ("GET", "/users?q=u0&k=3", None),
    ("GET", "/users/u01/explanations/g07?m=3", None),
    ("GET", "/users/u01/intents?k=3&lambda=1.5&alpha=1", None),
    ("GET", "/users/u01/history?k=2", None),
    ("GET", "/items/g07/similar?k=3&category=Grill&min_price=1", None),
    ("GET", "/items?order=popular&q=grill&k=4", None),
    ("GET", "/intents/search?q=grill%20party&k=3", None),
    ("GET", "/browse/Grill/complements?k=2", None),
    ("GET", "/browse?parent=Grill", None),
    ("GET", "/generations", None),
    ("GET", "/health/ready", None),
    ("GET", "/metrics", None),
    ("GET", "/window/window.js", None),
    ("PUT", "/items/zz-item", {"title": "Tongs", "brand": "b1", "price": 3.5, "available": True}),
    ("PATCH", "/users/zz-user", {"profile": {"age_band": "old"}}),
    ("DELETE", "/users/zz-user", None),
    ("POST", "/events", EVENT),
    ("POST", "/events", [EVENT, EVENT | {"key": "zz-2", "kind": "view"}]),
    ("POST", "/sessions/recommendations", {"items": ["g01", "g02"], "k": 3}),
    ("POST", "/contents/rank", {"user": "u01", "contents": {"a": ["g01"], "b": ["g20"]}, "k": 2}),
    ("PUT", "/experiment", {"challenger": 99, "share": 0.5}),
]
TOKENS = [
    *(
        b"%00",
        b"%ff",
        b"%ED%A0%80",
        b"..%2f",
        b"%",
        b"+",
        b"&k=",
        b"=",
        b"?",
        b"#",
        b"/",
        b"//",
        b"\x00",
        b"\xff",
        b"\r\n",
    ),
    *(
        b"-1",
        b"1e999",
        b"9" * 400,
        b"0x10",
        b"NaN",
        b"-Infinity",
        b"null",
        b"true",
        b"'",
        b'"',
        b"\\",
        b"\\ud800",
        b"\\u0000",
    ),
    *(
        b"{",
        b"}",
        b"[" * 300,
        b"]",
        b",",
        b":",
        b'{"a":1}',
        b"[]",
        "\u202e\U0001f600é".encode(),
        b" ",
        b"\t",
        b"${jndi}",
        b"`",
    ),
]


class Wire(asyncio.Transport):
    """The other end of a connection, kept in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.closed = bytearray(), False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.sent += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 5000) if name in {"peername", "sockname"} else default

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


def request(draw: random.Random, key: str) -> bytes:
    """A seed with one to four changes. Mostly it stays HTTP, or the parser would keep nearly all from the app."""
    method, path, body = draw.choice(SEEDS)
    parts = [
        path.encode(),
        b"" if body is None else json.dumps(body).encode(),
        f"Host: test\r\nContent-Type: application/json\r\nX-Request-ID: {draw.randrange(10**6)}".encode(),
        method.encode(),
    ]
    for _ in range(draw.randint(1, 4)):
        place = draw.choices((0, 1, 2, 3), (10, 14 if parts[1] else 0, 1, 0.2))[0]
        parts[place] = mutate(draw, parts[place])
    path, content, headers, method = parts
    if draw.random() < 0.9:
        path = quote(path, safe="/?&=%+:,;@!$'()*~-._").encode()
    length = len(content) if draw.random() < 0.97 else draw.randrange(2_000)
    head = [method + b" " + path + b" HTTP/1.1", f"X-API-Key: {key}".encode(), headers]
    if content or draw.random() < 0.05:
        head.append(f"Content-Length: {length}".encode())
    return b"\r\n".join(head) + b"\r\n\r\n" + content


def mutate(draw: random.Random, text: bytes) -> bytes:
    at = draw.randrange(len(text) + 1)
    until = min(len(text), at + draw.choice((1, 2, 5, 20)))
    match draw.randrange(6):
        case 0:
            return text[:at] + bytes([draw.randrange(256)]) + text[at + 1 :]
        case 1:
            return text[:at] + text[until:]
        case 2:
            return text[:until] + text[at:until] * draw.choice((1, 3, 200)) + text[until:]
        case 3:
            return text[:at] + draw.randbytes(draw.choice((1, 3, 9))) + text[at:]
        case _:
            return text[:at] + draw.choice(TOKENS) + text[draw.choice((at, until)) :]


class Shop:
    """The app behind uvicorn's protocol, without sockets."""

    def __init__(self, app: FastAPI, key: str) -> None:
        self.config = uvicorn.Config(app, ws="none", log_config=None, access_log=False, lifespan="off")
        self.config.load()
        self.key = key
        self.statuses: Counter[int] = Counter()

    async def ask(self, sent: bytes) -> None:
        wire, state = Wire(), ServerState()
        protocol = PatientProtocol(self.config, state, {}, asyncio.get_running_loop())
        protocol.connection_made(wire)
        protocol.data_received(sent)
        lost = False
        while state.tasks:  # one after the other, where a change made several requests of one
            if protocol.cycle.more_body and not lost:  # it waits for more than was sent
                protocol.connection_lost(ConnectionResetError())
                lost = True
            _, late = await asyncio.wait(list(state.tasks), timeout=REPLY)
            assert not late, sent
        if not lost:
            protocol.connection_lost(None)
        check(sent, bytes(wire.sent), self.statuses)


def check(sent: bytes, replied: bytes, statuses: Counter[int]) -> None:
    """Every reply is whole, none is a 5xx, and each error is a problem."""
    if not replied:
        statuses[0] += 1
        return

    class Socket:
        def makefile(self, *_: Any) -> BytesIO:
            return BytesIO(replied)

    response = HTTPResponse(Socket(), method=sent.split(b" ", 1)[0].decode("latin-1"))  # type: ignore[arg-type]
    response.begin()
    body = response.read()
    statuses[response.status] += 1
    assert response.status < 500, (sent, replied)
    if response.status >= 400 and response.headers["content-length"] != "0" and not sent.startswith(b"HEAD "):
        assert response.headers["content-type"] == "application/problem+json", (sent, replied)
        problem = json.loads(body)
        assert problem["status"] == response.status
        assert problem["title"]
        assert problem["detail"]


@pytest.fixture(scope="module")
def admin(line: Line, database: Database) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, line.folder, line.environment)
        take_time(patch)
        with kept(database), linked_intents(line, database), open_client("admin") as client:
            yield client


@pytest.mark.timeout(60 + MUTATIONS)
def test_changed_bytes(admin: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    app: FastAPI = admin.app  # type: ignore[assignment]
    shop = Shop(app, str(admin.headers["X-API-Key"]))
    draw = random.Random(20)

    async def some(count: int) -> None:
        for _ in range(count):
            await shop.ask(request(draw, shop.key))

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(some(MUTATIONS // AT_ONCE))

    asyncio.run(all_of_them())
    print(f"{MUTATIONS} requests: {dict(sorted(shop.statuses.items()))}")  # noqa: T201  shown with -s
    assert shop.statuses.keys() >= {200, 400, 404, 422}
    assert [record.getMessage() for record in caplog.records if record.name != "asyncio"] == []
    assert admin.get("/health/ready").status_code == 200


HOSTILE = [
    *(
        "%00",
        "%ff%fe",
        "%ED%A0%80",
        "%F0%9F%98%80",
        "..%2f..%2fetc",
        "%0d%0aX-Evil:1",
        "a" * 300,
        "%27%20OR%201=1",
        "$user",
    ),
    *("-1", "0", "1e999", "NaN", "9" * 400, "%E2%80%AE", "true", "null", "%7B%7D", "[]", "%25", "", "%20", "1.5"),
]


def test_hostile_values_everywhere(admin: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Each value in each place of each reading route: in its path, and in every parameter that any of them takes."""
    caplog.set_level(logging.ERROR)
    document = admin.get("/openapi.json").json()
    given = [one for path in document["paths"].values() for one in path.get("get", {}).get("parameters", ())]
    parameters = sorted({one["name"] for one in given if one["in"] == "query"})
    templates = [path for path, operations in document["paths"].items() if "get" in operations]
    statuses: Counter[int] = Counter()
    for template in templates:
        for value in HOSTILE:
            path = "/".join(value if part.startswith("{") else part for part in template.split("/"))
            query = "&".join(f"{name}={value}" for name in parameters)
            for address in (path, template.replace("{", "").replace("}", "") + "?" + query):
                response = admin.get(address)
                statuses[response.status_code] += 1
                assert response.status_code < 500, (address, response.text)
                if response.status_code >= 400:
                    assert response.headers["content-type"] == "application/problem+json"
    assert {200, 404, 422} <= statuses.keys()
    assert [record.getMessage() for record in caplog.records] == []
