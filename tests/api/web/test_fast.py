"""The engine projection over HTTP: by the short way and by the ordinary one, and what events change."""

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
def fast(shop: Line, taken: list[bool], monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("TWOHOP_RATE_LIMIT", "1000000/second")
    monkeypatch.setattr("graph.projection.follower.STALE", 3_600.0)  # a busy machine
    with open_client(engine="projection") as client:
        wait(lambda: client.app.state.projections.chosen() is not None)  # type: ignore[attr-defined]
        yield client


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
            quick = fast.get(f"{ROUTE.format(user)}?{query}")
            short += taken[0]
            ordinary = fast.get(f"{ROUTE.format(user)}?{query}&exclude=nothing")
            assert taken[1:] == [False]
            reference = client.get(f"{ROUTE.format(user)}?{query}")
            assert shown(quick) == shown(ordinary)
            assert list(quick.json()) == list(ordinary.json())
            status, kind, document = shown(reference)
            assert (quick.status_code, quick.headers["content-type"]) == (status, kind)
            assert [one["id"] for one in quick.json()["items"]] == [one["id"] for one in document["items"]]  # type: ignore[index]
            assert list(quick.json()) == list(document)  # type: ignore[call-overload]
            for mine, other in zip(quick.json()["items"], document["items"], strict=True):  # type: ignore[index]
                scores = ("score", "direct")
                assert [mine.pop(name) for name in scores] == pytest.approx(
                    [other.pop(name) for name in scores], rel=1e-9
                )
                assert mine == other
            assert "x-request-id" in quick.headers
    assert short > USERS  # of some 70; the others were filled with popular items


@pytest.mark.parametrize("query", NOT_PLAIN)
def test_what_is_unusual_goes_the_ordinary_way(
    fast: TestClient, client: TestClient, taken: list[bool], query: str
) -> None:
    mine, other = (one.get(f"{ROUTE.format('u00')}?{query}") for one in (fast, client))
    assert taken == [False]
    assert mine.status_code == other.status_code
    if mine.status_code != 200:
        assert mine.json() == other.json()


def test_keys_users_and_methods_are_checked(fast: TestClient, taken: list[bool]) -> None:
    assert fast.get(ROUTE.format("u00"), headers={"X-API-Key": ""}).status_code == 401
    assert fast.get(ROUTE.format("u00"), headers={"X-API-Key": "th_0_0"}).status_code == 401
    assert fast.get(ROUTE.format("nobody")).status_code == 404
    assert fast.post(ROUTE.format("u00")).status_code == 405
    assert True not in taken
    metrics = fast.get("/metrics").text
    assert fast.get(ROUTE.format("u00")).status_code == 200
    assert taken[-1]
    counted = 'twohop_requests_total{method="GET",route="/users/{user}/recommendations",status="200"} '
    before = float(metrics.partition(counted)[2].split("\n")[0] or 0)
    assert float(fast.get("/metrics").text.partition(counted)[2].split("\n")[0]) == before + 1


def test_each_request_counts_once_for_its_rate(fast: TestClient, taken: list[bool]) -> None:
    fast.app.state.rates = Rates("4/minute")  # type: ignore[attr-defined]
    replies = [fast.get(f"{ROUTE.format('u00')}?k={k}") for k in (3, ITEMS, 3, ITEMS, 3, ITEMS)]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 200, 429, 429]
    assert taken[:2] == [True, False]  # the second was too long a list, and went on
    assert replies[4].json() == replies[5].json()
    assert "retry-after" in replies[4].headers


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
