"""The Python client against the app as a process of its own, over real HTTP."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic_core import to_json

import api.client
from api.client import Client, ProblemError, Unreachable
from api.web.app import create_app
from api.web.documents.catalogue import ItemChanges, ItemContent
from api.web.documents.events import EventDocument
from graph.driver import Database
from graph.generations import drop, list_generations, live_generation, switch
from graph.keys import create_key
from graph.settings import Settings
from tests.api.conftest import Line, answer, enter, twohop
from tests.api.serving import cutting, scripted, served
from tests.api.shop_intents import linked_intents

REPOSITORY = Path(__file__).parents[2]
ODD = ("zz/a b", "zz?#%2F", "zz..", "zz漢字😀", "zz+&=;,'\"")
GENERATION = {
    "id": 7, "live": True, "challenger": False, "state": "ready", "model": "pdn", "data": "d", "artefact": "a",
    "metrics": {}, "created": "2026-01-31T12:00:00Z", "users": 1, "items": 1, "interactions": 1, "similar": 1,
}  # fmt: skip
NO_EVENTS = "MATCH (e:Event) WHERE e.user STARTS WITH 'zz' DELETE e"
NO_NODES = "MATCH (n:User|Item|BrowseNode) WHERE n.id STARTS WITH 'zz' DETACH DELETE n"


@pytest.fixture(scope="module")
def shop_address(line: Line, database: Database) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, linked_intents(line, database):
        enter(patch, line.folder, line.environment)
        with served(TWOHOP_RATE_LIMIT="100000/second") as address:
            yield address


@pytest.fixture(scope="module")
def key(line: Line, database: Database) -> str:
    return create_key(database, "tests", "admin")[1]


@pytest.fixture
def client(shop: Line, shop_address: str, key: str) -> Iterator[Client]:
    with Client(shop_address, key) as opened:
        yield opened


@pytest.fixture
def own(client: Client, database: Database) -> Iterator[Client]:
    """A client with an item `zz-item` to write about; all that begins with zz is gone afterwards."""
    database.write(NO_EVENTS)
    client.put_item("zz-item", {"title": "Own", "categories": ["Grill"]})
    yield client
    database.write(NO_EVENTS)
    database.write(NO_NODES)


# Every route


def test_there_is_a_method_for_every_route() -> None:
    document = create_app(Settings(_env_file=None)).openapi()
    named = {one["operationId"] for path in document["paths"].values() for one in path.values()}
    methods = {name for name in vars(Client) if not name.startswith("_")} - {"close", "send_event", "stream_events"}
    assert methods == named
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in named)


def test_what_it_reads_is_what_the_command_reads(client: Client) -> None:
    told = client.recommend("u01", 5, explain=True, m=3, neighbours=5, repeats=True)
    shown = answer("recommend", "u01", "--explain", "-n", "5", "-m", "3", "-k", "5", "--repeats")
    assert told.model_dump(mode="json", exclude_unset=True) == shown
    best = told.items[0].id
    assert [one.id for one in client.show_similar_items("g07", 3).items] == [
        one["id"] for one in answer("similar", "g07", "-n", "3")["items"]
    ]
    assert client.explain("u01", best).score == answer("explain", "u01", best)["score"]


def test_reading_users_and_items(client: Client) -> None:
    assert [one.id for one in client.list_users("u0", 3).users] == ["u00", "u01", "u02"]
    assert client.show_user("u01").items > 0
    assert client.show_triggers("u01", 2).user == "u01"
    assert len(client.show_history("u01", 2).items) == 2
    assert len(client.list_items(k=4).items) == 4
    assert client.show_item("g07").id == "g07"
    assert {one.id for one in client.list_items(q="grill g03").items} == {"g03"}


def test_filters_reach_the_server(client: Client) -> None:
    every = [one.id for one in client.recommend("u00", 60, category="Baking").items]
    assert {int(one[1:]) // 15 for one in every} == {1}
    left = client.recommend("u00", 60, category="Baking", exclude=every[:2], max_price=24.0).items
    assert left
    assert not {one.id for one in left} & set(every[:2])
    assert all(int(one.id[1:]) <= 24 for one in left)


def test_intents_and_what_they_need(client: Client) -> None:
    assert [one.id for one in client.list_intents(2).intents] == ["grill-party", "holiday-baking"]
    assert client.list_intents(source="mined").intents[0].id == "set-up-an-office"
    assert client.search_intents("prepare a party").intents[0].id == "grill-party"
    assert client.show_intent("grill-party").needs[0].id == "Grill"
    pursued = client.show_user_intents("u00", recency_power=2.0, needs=1).intents
    assert pursued[0].id == "grill-party"
    assert client.complete_user("u00").user == "u00"
    assert client.complete_item("g00").items[0].category == "Garden"
    assert client.rank_contents("u00", {"own": ["g00"]}).contents[0].id == "own"


def test_browse_trees(client: Client) -> None:
    assert len(client.list_nodes().nodes) == 4
    assert client.list_nodes("Grill").nodes == []
    assert client.show_node("Grill").items == 15
    assert client.complete_node("Grill").categories[0].id == "Garden"


def test_a_session(client: Client) -> None:
    told = client.recommend_to_session(["g00", "g01"], k=3, exclude=["g02"])
    assert len(told.items) == 3
    assert not {"g00", "g01", "g02"} & {one.id for one in told.items}
    same = client.recommend_to_session(events=[{"item": "g00"}, {"item": "g01"}], k=3, exclude=["g02"])
    assert [one.id for one in same.items] == [one.id for one in told.items]


def test_the_process(client: Client) -> None:
    client.check_live()
    client.check_ready()
    assert "twohop_" in client.show_metrics()


# Writing


def test_items_users_and_browse_nodes(own: Client) -> None:
    made = own.put_item("zz1", ItemContent(title="One", price=2.0, categories=["Grill"]))
    assert (made.title, made.price, made.available) == ("One", 2.0, True)
    changed = own.patch_item("zz1", ItemChanges(available=False))
    assert (changed.title, changed.price, changed.available) == ("One", 2.0, False)
    assert own.patch_item("zz1", {"price": None}).price is None
    own.delete_item("zz1")
    with pytest.raises(ProblemError, match="404: item 'zz1'"):
        own.show_item("zz1")
    assert own.put_user("zz1", {"profile": {"age_band": "old"}}).profile == {"age_band": "old"}
    assert own.patch_user("zz1", {"profile": {"age_band": "young"}}).profile == {"age_band": "young"}
    own.delete_user("zz1")
    assert own.put_node("zz top", {"name": "Top"}).level == 0
    assert own.put_node("zz/low", {"name": "Low", "parent": "zz top"}).level == 1
    assert own.patch_node("zz/low", {"name": "Lower"}).name == "Lower"
    with pytest.raises(ProblemError) as raised:
        own.delete_node("zz top")
    assert raised.value.status == 409
    own.delete_node("zz top", cascade=True)


@pytest.mark.parametrize("name", ODD)
def test_ids_of_all_kinds(own: Client, name: str) -> None:
    own.put_item(name, {"title": name})
    assert own.show_item(name).id == name
    assert own.show_similar_items(name).item == name
    own.delete_item(name)
    with pytest.raises(ProblemError) as raised:
        own.show_item(name)
    assert (raised.value.status, repr(name) in raised.value.detail) == (404, True)


@pytest.mark.parametrize("name", [".", "..", "...", "%2E"])
def test_ids_that_look_like_paths(client: Client, name: str) -> None:
    with pytest.raises(ProblemError, match=f"404: item {name!r} is not in the graph"):
        client.show_item(name)


# Events


def test_one_event_and_some(own: Client) -> None:
    event = {"key": "zz1", "user": "zz1", "item": "zz-item", "kind": "click"}
    assert own.send_event(event).accepted == 1
    assert own.send_event(event).repeated == 1
    with pytest.raises(ProblemError) as raised:
        own.send_event(event | {"kind": "view"})
    assert (raised.value.status, raised.value.detail[:10]) == (409, "event 'zz1")
    document = EventDocument(key="zz2", user="zz1", item="zz-item", kind="purchase", time=1_700_000_000)
    reply = own.send_events([document, event])
    assert [one.status for one in reply.results] == ["accepted", "repeated"]
    assert own.show_history("zz1").items[0].count == 2


def test_an_event_without_a_key_gets_one(own: Client, database: Database) -> None:
    event = {"user": "zz1", "item": "zz-item", "kind": "click"}
    first, second = own.send_event(event).results[0], own.send_event(event).results[0]
    assert first.key != second.key
    assert own.show_history("zz1").items[0].count == 2
    assert "key" not in event


def test_a_stream_in_several_requests(own: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.client, "LINES", 3)
    events: list[dict[str, Any]] = [
        {"key": f"zz{number}", "user": "zz1", "item": "zz-item", "kind": "view"} for number in range(10)
    ]
    events[1]["item"] = "zz-nothing"
    events[7]["kind"] = "NO"
    reply = own.stream_events(event for event in events)
    assert (reply.accepted, reply.repeated, reply.refused) == (8, 0, 2)
    assert [(one.line, one.key) for one in reply.rejected] == [(2, "zz1"), (8, "zz7")]
    again = own.stream_events(events)
    assert (again.accepted, again.repeated, again.refused) == (0, 8, 2)
    assert own.stream_events([]).accepted == 0


@pytest.mark.parametrize("cuts", [1, 2])
def test_an_event_whose_answer_was_lost_counts_once(
    own: Client, shop_address: str, key: str, database: Database, cuts: int
) -> None:
    """The server stores it; the answer never comes; the client sends it again by itself."""
    with cutting(shop_address, cuts) as address, Client(address, key) as through:
        reply = through.send_event({"user": "zz1", "item": "zz-item", "kind": "purchase"})
        assert [one.status for one in reply.results] == ["repeated"]
        stream = [{"key": f"zz{number}", "user": "zz1", "item": "zz-item", "kind": "view"} for number in range(5)]
        assert through.stream_events(stream).accepted == 5
    assert own.show_history("zz1").items[0].count == 6
    assert database.read("MATCH (e:Event {user: 'zz1'}) RETURN count(e) AS events") == [{"events": 6}]


# Generations and the experiment


def test_an_experiment(own: Client, shop: Line, database: Database) -> None:
    live = live_generation(database).id
    assert twohop("index", "--no-switch", "-k", "3").exit_code == 0
    other = list_generations(database)[0].id
    try:
        assert [one.id for one in own.list_generations().generations] == [other, live]
        assert own.start_experiment(other, 0.5).variants[1].generation == other
        shown = [
            {"user": f"zz{number}", "item": "zz-item", "kind": "impression", "variant": "challenger"}
            for number in range(8)
        ]
        own.send_events([*shown, shown[0] | {"kind": "click"}])
        control, challenger = own.show_experiment().variants
        assert (control.users, control.click_through) == (0, None)
        assert (challenger.users, challenger.impressions, challenger.clicks) == (8, 8, 1)
        assert own.stop_experiment().variants[1] == challenger
        assert own.activate_generation(other).live
        assert own.roll_back().id == live
    finally:
        switch(database, live)
        drop(database, other)


# What goes wrong


def test_problems_are_errors_with_status_and_detail(client: Client, shop_address: str, database: Database) -> None:
    with pytest.raises(ProblemError, match=r"^404: user 'nobody' is not in the graph$") as raised:
        client.recommend("nobody")
    assert (raised.value.status, raised.value.detail) == (404, "user 'nobody' is not in the graph")
    with pytest.raises(ProblemError) as raised:
        client.recommend("u01", k=0)
    assert (raised.value.status, raised.value.errors[0]["where"]) == (422, "query.k")
    with Client(shop_address) as nobody, pytest.raises(ProblemError, match="401: no valid API key"):
        nobody.show_item("g07")
    with Client(shop_address, create_key(database, "reader", "read")[1]) as reader:
        assert reader.show_item("g07").id == "g07"
        with pytest.raises(ProblemError, match="403: this key's role is read"):
            reader.put_item("zz1", {})


def test_it_waits_as_long_as_the_server_asks() -> None:
    wait = {"Retry-After": "1"}
    good = to_json(GENERATION)
    with scripted((429, wait, b""), (503, wait, b""), (200, {}, good)) as (address, came), Client(address) as client:
        begun = time.monotonic()
        assert client.activate_generation(7).id == 7
        assert time.monotonic() - begun > 2
    assert came == ["POST /generations/7/activate"] * 3


def test_it_gives_up() -> None:
    problem = to_json({"status": 503, "title": "Service Unavailable", "detail": "the database does not answer"})
    with (
        scripted((503, {"Retry-After": "0"}, problem)) as (address, came),
        Client(address, retries=2) as client,
        pytest.raises(ProblemError, match="503: the database does not answer"),
    ):
        client.list_generations()
    assert len(came) == 3


@pytest.mark.parametrize("status", [400, 404, 409, 500, 504])
def test_other_failures_are_not_tried_again(status: int) -> None:
    with (
        scripted((status, {}, b"<html>sorry\n</html>")) as (address, came),
        Client(address) as client,
        pytest.raises(ProblemError, match=f"{status}: <html>sorry </html>"),
    ):
        client.send_event({"user": "1", "item": "2", "kind": "view"})
    assert came == ["POST /events"]


def test_a_rollback_is_never_sent_twice() -> None:
    """The second would undo the first."""
    with scripted((503, {}, b""), (200, {}, to_json(GENERATION))) as (address, came), Client(address) as client:
        with pytest.raises(ProblemError, match="503: Service Unavailable"):
            client.roll_back()
        assert came == ["POST /generations/rollback"]
        with cutting(address, 1) as lossy, Client(lossy) as unlucky, pytest.raises(Unreachable):
            unlucky.roll_back()
    assert len(came) == 2


def test_a_server_that_is_not_there() -> None:
    with Client("http://127.0.0.1:9", retries=1) as client, pytest.raises(Unreachable, match=r"^http://127.0.0.1:9.*"):
        client.check_live()


def test_a_server_of_another_kind() -> None:
    with (
        scripted((200, {}, b'{"id": 7}')) as (address, _),
        Client(address) as client,
        pytest.raises(Unreachable, match="its answer is no GenerationsDocument: is it a Twohop server"),
    ):
        client.list_generations()


def test_a_client_that_is_closed(shop_address: str) -> None:
    with Client(shop_address) as client:
        client.check_live()
    with pytest.raises(RuntimeError, match="closed"):
        client.check_live()
    assert httpx.get(f"{shop_address}/health/live").status_code == 200


def test_the_client_never_imports_torch() -> None:
    heavy = {"torch", "polars", "torch_geometric", "transformers", "loaders", "sklearn", "scipy"}
    code = f"import sys, api.client; print(*sorted({heavy} & set(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
