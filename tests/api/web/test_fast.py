"""Recommendations of both engines over HTTP, by the short way and by the ordinary one, and what events change."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi.testclient import TestClient

from api.web.fast import Fast
from api.web.limits import Rates
from tests.api.conftest import ITEMS, USERS, Line
from tests.api.web.conftest import PATIENCE, open_client

ROUTE = "/users/{}/recommendations"
PLAIN = ("", "k=3", "k=5&m=2&neighbours=4", "repeats=true&k=4", "neighbours=15&m=9&repeats=false")
NOT_PLAIN = (
    "explain=true",
    "k=0",
    "k=1&k=2",
    "k=1&k=1",
    "what=1",
    "k=1001",
    "min_price=3",
    "exclude=g01",
    "m=0",
    "k=x",
)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each request whether the short way took it."""
    found: list[bool] = []
    reply = Fast._reply

    async def told(self: Fast, scope: object) -> object:
        result = await reply(self, scope)  # type: ignore[arg-type]
        found.append(result is not None)
        return result

    monkeypatch.setattr(Fast, "_reply", told)
    return found


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWOHOP_RATE_LIMIT", "1000000/second")
    monkeypatch.setattr("graph.projection.follower.STALE", 3_600.0)  # a busy machine


@pytest.fixture
def fast(shop: Line, taken: list[bool], patient: None) -> Iterator[TestClient]:
    """Of the engine projection; `client` is of the engine cypher."""
    with open_client(engine="projection") as opened:
        wait(lambda: opened.app.state.projections.chosen() is not None)  # type: ignore[attr-defined]
        yield opened


@pytest.fixture(params=["fast", "client"])
def either(request: pytest.FixtureRequest, shop: Line, patient: None) -> TestClient:
    found: TestClient = request.getfixturevalue(request.param)
    return found


def wait(there: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


def shown(reply: httpx.Response) -> tuple[int, str, object]:
    return reply.status_code, reply.headers["content-type"], reply.json()


def test_all_ways_give_the_same(fast: TestClient, client: TestClient, taken: list[bool]) -> None:
    short = 0
    for user in (f"u{number:02}" for number in range(0, USERS, 3)):
        for query in PLAIN:
            taken.clear()
            by_query, quick = (one.get(f"{ROUTE.format(user)}?{query}") for one in (client, fast))
            assert taken[0]
            short += taken[1]
            reference, ordinary = (one.get(f"{ROUTE.format(user)}?{query}&exclude=nothing") for one in (client, fast))
            assert taken[2:] == [False, False]
            for mine, other in ((by_query, reference), (quick, ordinary)):
                assert shown(mine) == shown(other)
                assert list(mine.json()) == list(other.json())
                assert "x-request-id" in mine.headers
            assert (quick.status_code, quick.headers["content-type"]) == shown(reference)[:2]
            found, wanted = quick.json(), reference.json()
            assert list(found) == list(wanted)
            for item, same in zip(found["items"], wanted["items"], strict=True):
                scores = ("score", "direct")
                assert [item.pop(name) for name in scores] == pytest.approx(
                    [same.pop(name) for name in scores], rel=1e-9
                )
                assert item == same
    assert short > USERS  # of some 70; the others were filled with popular items


@pytest.mark.parametrize("query", NOT_PLAIN)
def test_what_is_unusual_goes_the_ordinary_way(
    fast: TestClient, client: TestClient, taken: list[bool], query: str
) -> None:
    mine, other = (one.get(f"{ROUTE.format('u00')}?{query}") for one in (fast, client))
    assert taken == [False, False]
    assert mine.status_code == other.status_code
    if mine.status_code != 200:
        assert mine.json() == other.json()


def test_keys_and_methods_are_checked(either: TestClient, taken: list[bool]) -> None:
    assert either.get(ROUTE.format("u00"), headers={"X-API-Key": ""}).status_code == 401
    assert either.get(ROUTE.format("u00"), headers={"X-API-Key": "th_0_0"}).status_code == 401
    assert either.post(ROUTE.format("u00")).status_code == 405
    assert True not in taken
    metrics = either.get("/metrics").text
    assert either.get(ROUTE.format("u00")).status_code == 200
    assert taken[-1]
    counted = 'twohop_requests_total{method="GET",route="/users/{user}/recommendations",status="200"} '
    before = float(metrics.partition(counted)[2].split("\n")[0] or 0)
    assert float(either.get("/metrics").text.partition(counted)[2].split("\n")[0]) == before + 1


def test_each_request_counts_once_for_its_rate(either: TestClient, taken: list[bool]) -> None:
    either.app.state.rates = Rates("4/minute")  # type: ignore[attr-defined]
    replies = [either.get(f"{ROUTE.format('u00')}?k={k}") for k in (3, ITEMS, 3, ITEMS, 3, ITEMS)]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 200, 429, 429]
    projected = either.app.state.projections is not None  # type: ignore[attr-defined]
    assert taken[:2] == [True, not projected]  # the second was too long a list for a projection, and went on
    assert replies[4].json() == replies[5].json()
    assert "retry-after" in replies[4].headers


def test_failures_are_those_of_the_ordinary_way(
    either: TestClient, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def both(user: str) -> httpx.Response:
        mine, other = (either.get(f"{ROUTE.format(user)}?k=3{more}") for more in ("", "&exclude=nothing"))
        assert shown(mine) == shown(other)
        assert mine.headers.get("retry-after") == other.headers.get("retry-after")
        return mine

    state = either.app.state  # type: ignore[attr-defined]
    assert "'nobody'" in both("nobody").json()["detail"]
    if state.projections is not None:
        assert True not in taken  # the ordinary way knows why
        return
    assert taken == [True, False]
    state.gate.most = 0
    assert both("u00").status_code == 503
    state.gate.most = 1
    assert either.get(ROUTE.format("u00")).status_code == 200  # both left the place that they took
    monkeypatch.setattr("api.web.connection.STALE", -1.0)  # the database is away
    assert both("u00").status_code == 503


@pytest.mark.usefixtures("unchanged")  # before `fast`: the app ends first, else it refreshes what was put back
def test_an_event_is_seen_at_once(fast: TestClient, taken: list[bool]) -> None:
    first = fast.get(f"{ROUTE.format('u01')}?k=3").json()["items"][0]["id"]
    event = {"key": "seen-at-once", "user": "u01", "item": first, "kind": "purchase"}
    assert fast.post("/events", json=event).status_code == 200
    wait(lambda: first not in [one["id"] for one in fast.get(f"{ROUTE.format('u01')}?k=3").json()["items"]])
    assert taken[-1]
    second = fast.get(f"{ROUTE.format('u01')}?k=3").json()["items"][0]["id"]
    assert fast.patch(f"/items/{second}", json={"available": False}).status_code == 200
    wait(lambda: second not in [one["id"] for one in fast.get(f"{ROUTE.format('u01')}?k=3").json()["items"]])
