"""The reading routes of users on the small shop, against the command and against what its files hold."""

from collections import Counter

import pytest
from fastapi.testclient import TestClient

from api.web.experiment import BUCKETS, bucket
from graph.driver import Database
from tests.api.conftest import EVENTS, ITEMS, USERS, answer, group_of


def test_users_are_listed_in_the_order_of_their_ids(client: TestClient) -> None:
    told = client.get("/users", params={"k": 3}).json()
    assert told == {"users": [{"id": f"u0{place}", "items": EVENTS - 1} for place in range(3)]}
    begun = client.get("/users", params={"q": "u3", "k": 1000}).json()["users"]
    assert [one["id"] for one in begun] == [f"u3{place}" for place in range(10)]
    assert len(client.get("/users", params={"k": 1000}).json()["users"]) == USERS
    assert client.get("/users", params={"q": "'"}).json() == {"users": []}


def test_a_user_has_a_profile(client: TestClient) -> None:
    told = client.get("/users/u01").json()
    assert told["profile"]["age_band"] in ("young", "old")
    assert {name: told[name] for name in ("id", "items", "triggers", "variant")} == {
        "id": "u01", "items": EVENTS - 1, "triggers": EVENTS - 1, "variant": "control",
    }  # fmt: skip
    assert told["generation"] == answer("recommend", "u01")["generation"]


def test_filters_are_those_of_the_command(client: TestClient) -> None:
    given = {"k": 7, "category": "Baking", "min_price": 16, "max_price": 28.5, "exclude": ["g17", "g18"]}
    words = ["--category", "Baking", "--min-price", "16", "--max-price", "28.5", "--exclude", "g17", "--exclude", "g18"]
    told = client.get("/users/u02/recommendations", params=given).json()
    assert told == answer("recommend", "u02", "-n", "7", *words)
    assert len(told["items"]) == 7
    for item in told["items"]:
        place = int(item["id"][1:])
        assert group_of(item["id"]) == "Baking"
        assert 16 <= place <= 28
        assert place not in (17, 18)


@pytest.mark.parametrize("repeats", [False, True])
def test_k_items_come_whenever_there_are_k(client: TestClient, repeats: bool) -> None:
    there = ITEMS - (0 if repeats else EVENTS - 1)
    for k in (1, 10, there, 1000):
        told = client.get("/users/u01/recommendations", params={"k": k, "m": 1, "neighbours": 2, "repeats": repeats})
        items = told.json()["items"]
        assert len({item["id"] for item in items}) == len(items) == min(k, there)
        sources = [item["source"] for item in items]
        assert sources == sorted(sources)  # paths, then popular
        assert sources.count("paths") <= 2
        assert all(item["score"] == 0 for item in items if item["source"] == "popular")
    assert told.json().keys() == {"user", "generation", "variant", "items"}


def test_triggers_and_history(client: TestClient) -> None:
    told = client.get("/users/u01/triggers").json()
    weights = [one["weight"] for one in told["triggers"]]
    assert len(weights) == EVENTS - 1
    assert weights == sorted(weights, reverse=True)
    assert (told["user"], told["variant"]) == ("u01", "control")
    assert client.get("/users/u01/triggers", params={"m": 2}).json()["triggers"] == told["triggers"][:2]
    history = client.get("/users/u01/history", params={"k": 1000}).json()
    assert {one["id"] for one in history["items"]} == {one["id"] for one in told["triggers"]}
    times = [one["last_time"] for one in history["items"]]
    assert times == sorted(times, reverse=True)
    assert client.get("/users/u01/history", params={"k": 3}).json()["items"] == history["items"][:3]


@pytest.mark.parametrize(
    "path",
    ["", "/recommendations", "/triggers", "/history", "/explanations/g01"],
)
def test_unknown_users_are_named(client: TestClient, path: str) -> None:
    response = client.get(f"/users/no/body{path}")
    assert response.status_code == 404
    assert response.json()["detail"] == "user 'no/body' is not in the graph"


@pytest.mark.parametrize(
    ("query", "status", "detail"),
    [
        ("category=Nowhere", 404, "browse node 'Nowhere' is not in the graph"),
        ("min_price=3&max_price=2", 422, "min_price 3 is above max_price 2: no item can have such a price"),
        ("min_price=-1", 422, "min_price: Input should be greater than or equal to 0"),
        ("max_price=inf", 422, "max_price: Input should be a finite number"),
        ("max_price=nan", 422, "max_price: Input should be a finite number"),
        ("category=", 422, "category: String should have at least 1 character"),
        ("exclude=%00", 422, "0: control characters are not allowed"),
        ("k=1001", 422, "k: Input should be less than or equal to 1000"),
        (
            "&".join(["exclude=x"] * 1001),
            422,
            "exclude: List should have at most 1000 items after validation, not 1001",
        ),
    ],
)
def test_filters_that_cannot_be(client: TestClient, query: str, status: int, detail: str) -> None:
    response = client.get(f"/users/u01/recommendations?{query}")
    assert (response.status_code, response.json()["detail"]) == (status, detail)


def test_an_experiment_shows_in_every_answer(client: TestClient, database: Database) -> None:
    """A copy of the live generation is the challenger: the weights are the same, the id is not."""
    [row] = database.read("MATCH (s:Serving {id: 'weights'}) RETURN s.generation AS live")
    copy = """
    MATCH (g:Generation {id: $live})
    CREATE (c:Generation {id: 1000000000}) SET c += g {.*, id: 1000000000}
    WITH c MATCH (s:Serving {id: 'weights'}) SET s.challenger = c.id, s.share = $share
    """
    away = """
    MATCH (s:Serving {id: 'weights'}) REMOVE s.challenger, s.share
    WITH s MATCH (c:Generation {id: 1000000000}) DELETE c
    """
    there = next(user for user in (f"u{place:02}" for place in range(USERS)) if bucket(user) < BUCKETS / 2)
    other = next(user for user in (f"u{place:02}" for place in range(USERS)) if bucket(user) >= BUCKETS / 2)
    database.write(copy, {"live": row["live"], "share": 0.5})
    try:
        for user, variant in ((there, "challenger"), (other, "control")):
            for path in ("", "/recommendations", "/triggers", "/explanations/g01"):
                told = client.get(f"/users/{user}{path}").json()
                assert told["variant"] == variant
                assert (told["generation"] == row["live"]) == (variant == "control")
            assert client.get(f"/users/{user}/explanations/g01").json() == answer("explain", user, "g01")
    finally:
        database.write(away)


def test_buckets_are_even_and_stay() -> None:
    assert [bucket("1"), bucket("é")] == [bucket("1"), bucket("é")]
    assert bucket("1") == 0x6B86B273FF34FCE1 % BUCKETS  # SHA-256 of "1" begins so
    counts = Counter(bucket(str(user)) * 10 // BUCKETS for user in range(20_000))
    assert set(counts) == set(range(10))
    assert all(abs(count - 2000) < 5 * 2000**0.5 for count in counts.values())
