"""Recommendations for somebody unknown on the small shop; nothing of a session is stored."""

import pytest
from fastapi.testclient import TestClient

from graph.driver import Database
from tests.api.conftest import ITEMS, group_of

PATH = "/sessions/recommendations"
COUNTS = "RETURN COUNT { () } AS nodes, COUNT { ()-->() } AS edges"


def test_a_session_leads_where_its_items_lead(client: TestClient, database: Database) -> None:
    before = database.read(COUNTS)
    told = client.post(PATH, json={"items": ["g16", "g17", "gone", "g16"], "k": 6, "explain": True}).json()
    assert database.read(COUNTS) == before
    assert told["unknown"] == ["gone"]
    assert (told["variant"], told["weights"]) == ("control", "network")
    assert not {"g16", "g17"} & {item["id"] for item in told["items"]}
    for item in told["items"]:
        assert {path["trigger"] for path in item["paths"]} <= {"g16", "g17"}
        total = sum(path["path"] for path in item["paths"])
        assert item["score"] == pytest.approx(item["direct"] + total if item["source"] == "paths" else 0.0)
    scores = [item["score"] for item in told["items"]]
    assert scores == sorted(scores, reverse=True)


def test_without_networks_every_trigger_weighs_one(client: TestClient, database: Database) -> None:
    database.write("MATCH (n:Network) SET n.artefact = n.artefact + ' away'")
    try:
        told = client.post(PATH, json={"items": ["g16", "g17"], "explain": True}).json()
    finally:
        database.write("MATCH (n:Network) SET n.artefact = replace(n.artefact, ' away', '')")
    assert told["weights"] == "uniform"
    assert group_of(told["items"][0]["id"]) == "Baking"
    assert {path["trigger_weight"] for item in told["items"] for path in item["paths"]} == {1.0}
    assert {item["direct"] for item in told["items"]} == {0.0}


def test_filters_hold_and_k_items_come(client: TestClient) -> None:
    filters = {"category": "Grill", "min_price": 3, "max_price": 12, "exclude": ["g05"]}
    told = client.post(PATH, json={"items": ["g16", "g04"], "k": 1000, "filters": filters}).json()
    assert {item["id"] for item in told["items"]} == {f"g{n:02}" for n in range(3, 13)} - {"g04", "g05"}
    again = client.post(PATH, json={"items": ["g16", "g04"], "k": 1000, "filters": filters, "repeats": True}).json()
    assert {item["id"] for item in again["items"]} == {f"g{n:02}" for n in range(3, 13)} - {"g05"}
    assert len(client.post(PATH, json={"items": ["g16"], "k": 1000, "m": 1}).json()["items"]) == ITEMS - 1


def test_a_session_that_tells_nothing_gets_popular_items(client: TestClient) -> None:
    popular = client.get("/items", params={"k": 4}).json()["items"]
    impression = {"events": [{"item": "g16", "kind": "impression"}]}
    for body in ({"items": []}, {"items": ["gone"]}, {"events": []}, impression):
        told = client.post(PATH, json=body | {"k": 4}).json()
        assert told["fallback"] == "popular"
        assert [item["id"] for item in told["items"]] == [item["id"] for item in popular]


def test_events_count_in_the_order_of_their_times(client: TestClient) -> None:
    events = [
        {"item": "g40", "kind": "click", "time": "2024-02-01T10:00:00+01:00"},
        {"item": "g16", "kind": "purchase", "time": 1_706_745_600, "session": "s", "quantity": 2, "value": 3.5},
    ]
    told = client.post(PATH, json={"events": events, "explain": True})
    assert told.status_code == 200
    assert told.json() == client.post(PATH, json={"events": events[::-1], "explain": True}).json()


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "give events or items, and not both"),
        ({"items": [], "events": []}, "give events or items, and not both"),
        ({"items": ["g16"], "n": 3}, "Extra inputs are not permitted"),
        ({"items": [16]}, "Input should be a valid string"),
        ({"items": [""]}, "at least 1 character"),
        ({"items": ["x"] * 1001}, "at most 1000 items"),
        ({"items": [], "k": "3"}, "Input should be a valid integer"),
        ({"items": [], "k": 0}, "greater than or equal to 1"),
        ({"items": [], "filters": {"min_price": "1"}}, "Input should be a valid number"),
        ({"items": [], "filters": {"min_price": 2, "max_price": 1}}, "min_price 2 is above max_price 1"),
        ({"events": [{"item": "g16", "time": "2024-02-01T10:00:00"}]}, "zone"),
        ({"events": [{"item": "g16", "time": "2999-02-01T10:00:00Z"}]}, "future"),
        ({"events": [{"item": "g16", "kind": "Click!"}]}, "pattern"),
        ({"events": [{"item": "g16\x00"}]}, "control characters"),
    ],
)
def test_sessions_that_cannot_be(client: TestClient, body: dict[str, object], detail: str) -> None:
    response = client.post(PATH, json=body)
    assert response.status_code == 422
    assert detail in response.json()["detail"]


def test_an_unknown_category_is_named(client: TestClient) -> None:
    response = client.post(PATH, json={"items": ["g16"], "filters": {"category": "Nowhere"}})
    assert (response.status_code, response.json()["detail"]) == (404, "browse node 'Nowhere' is not in the graph")
