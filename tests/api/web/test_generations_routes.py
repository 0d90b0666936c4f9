"""Generations and the experiment over HTTP: who may do what, and how the variants are counted."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from scipy.stats import binomtest

from cypher.variants import Variant
from graph.driver import Database
from graph.generations import drop, list_generations, live_generation, switch
from tests.api.conftest import Line, answer, enter, refused, twohop
from tests.api.web.conftest import open_client

EVENTS = """
UNWIND range(1, $events) AS n
CREATE (:Event {key: 'zz' + $variant + $kind + n, user: 'zz' + $variant + (n % $users), kind: $kind, variant: $variant,
                time: datetime({epochSeconds: $time})})
"""
NO_EVENTS = "MATCH (e:Event) WHERE e.key STARTS WITH 'zz' DELETE e"


@pytest.fixture(scope="module")
def pair(line: Line, database: Database) -> Iterator[tuple[int, int]]:
    """The live generation and a ready one beside it, which is gone afterwards."""
    live = live_generation(database).id
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, line.folder, line.environment)
        assert twohop("index", "--no-switch", "-k", "3").exit_code == 0
    other = list_generations(database)[0].id
    yield live, other
    switch(database, live)
    drop(database, other)


@pytest.fixture
def live(pair: tuple[int, int], database: Database) -> Iterator[int]:
    switch(database, pair[0])
    yield pair[0]
    switch(database, pair[1])  # ends an experiment
    switch(database, pair[0])


@pytest.fixture
def other(pair: tuple[int, int], live: int) -> int:
    return pair[1]


def add_events(database: Database, variant: str, kind: str, events: int, time: int, users: int = 4) -> None:
    given = {"variant": variant, "kind": kind, "events": events, "users": users, "time": time}
    database.write(EVENTS, given)


@pytest.fixture
def events(database: Database) -> Iterator[Database]:
    database.write(NO_EVENTS)
    yield database
    database.write(NO_EVENTS)


def test_generations(client: TestClient, live: int, other: int) -> None:
    told = client.get("/generations").json()["generations"]
    assert [(one["id"], one["live"], one["challenger"]) for one in told] == [(other, False, False), (live, True, False)]
    assert {one["state"] for one in told} == {"ready"}
    listed = {one["id"]: one for one in answer("generations", "list")}
    for one in told:
        assert one.items() <= listed[one["id"]].items()
    assert not {"missing", "weight_property", "digest"} & set(told[0])


def test_activate_and_roll_back(client: TestClient, live: int, other: int) -> None:
    told = client.post(f"/generations/{other}/activate")
    assert (told.status_code, told.json()["id"], told.json()["live"]) == (200, other, True)
    assert client.get("/users/u01/recommendations").json()["generation"] == other
    again = client.post(f"/generations/{other}/activate")
    assert (again.status_code, again.json()) == (200, told.json())
    back = client.post("/generations/rollback")
    assert (back.status_code, back.json()["id"], back.json()["live"]) == (200, live, True)
    assert client.get("/users/u01/recommendations").json()["generation"] == live


def test_what_cannot_be_activated(client: TestClient, database: Database, live: int, other: int) -> None:
    unknown = client.post("/generations/9999/activate")
    assert (unknown.status_code, unknown.json()["detail"][:34]) == (404, "generation 9999 does not exist: se")
    database.write("MATCH (g:Generation {id: $id}) SET g.state = 'writing'", {"id": other})
    try:
        unready = client.post(f"/generations/{other}/activate")
        unfit = client.put("/experiment", json={"challenger": other, "share": 0.5})
    finally:
        database.write("MATCH (g:Generation {id: $id}) SET g.state = 'ready'", {"id": other})
    assert (unready.status_code, unfit.status_code) == (409, 409)
    assert unready.json()["detail"].startswith(f"generation {other} is writing, not ready")
    assert client.post("/generations/0/activate").status_code == 422
    assert client.post(f"/generations/{2**63}/activate").status_code == 422
    assert live_generation(database).id == live


def test_nothing_to_roll_back_to(client: TestClient, database: Database, other: int) -> None:
    [before] = database.read("MATCH (g:Generation {id: $id}) RETURN g.served AS served", {"id": other})
    database.write("MATCH (g:Generation {id: $id}) REMOVE g.served", {"id": other})
    response = client.post("/generations/rollback")
    database.write("MATCH (g:Generation {id: $id}) SET g.served = $served", {"id": other, **before})
    assert (response.status_code, response.json()["detail"][:31]) == (409, "no earlier generation is stored")


def test_roles(other: int, shop: Line) -> None:
    """Readers see; only admins change what is served."""
    asked = {"challenger": other, "share": 0.5}
    for role in ("read", "write"):
        with open_client(role) as limited:
            assert limited.get("/generations").status_code == 200
            assert limited.get("/experiment").status_code == 404
            for response in (
                limited.post(f"/generations/{other}/activate"),
                limited.post("/generations/rollback"),
                limited.put("/experiment", json=asked),
                limited.delete("/experiment"),
            ):
                assert response.status_code == 403
                assert response.json()["detail"] == f"this key's role is {role}: the request needs admin"


def test_an_experiment_from_start_to_end(client: TestClient, events: Database, live: int, other: int) -> None:
    none = client.get("/experiment")
    assert (none.status_code, none.json()["detail"][:24]) == (404, "no experiment is running")
    begun = client.put("/experiment", json={"challenger": other, "share": 0.25})
    assert begun.status_code == 200
    empty = {"users": 0, "impressions": 0, "clicks": 0, "click_through": None, "interval": None}
    assert begun.json()["variants"] == [
        {"variant": "control", "generation": live, "share": 0.75, **empty},
        {"variant": "challenger", "generation": other, "share": 0.25, **empty},
    ]
    [row] = events.read("MATCH (s:Serving {id: 'weights'}) RETURN s.experiment_began.epochSeconds AS began")
    began = row["began"]  # events of that very second count
    add_events(events, "control", "impression", 200, began)
    add_events(events, "control", "click", 10, began)
    add_events(events, "control", "purchase", 5, began, users=5)  # a user who neither saw nor clicked
    add_events(events, "challenger", "impression", 50, began)
    add_events(events, "challenger", "view", 3, began - 1)
    told = client.get("/experiment").json()
    assert told["began"] == begun.json()["began"]
    control, challenger = told["variants"]
    assert (control["users"], control["impressions"], control["clicks"]) == (5, 200, 10)
    assert control["click_through"] == 0.05
    assert control["interval"] == pytest.approx(tuple(binomtest(10, 200).proportion_ci(method="wilson")))
    assert (challenger["users"], challenger["impressions"], challenger["clicks"]) == (4, 50, 0)
    assert (challenger["click_through"], challenger["interval"][0]) == (0, 0)
    assert client.put("/experiment", json={"challenger": other, "share": 0.25}).json() == told
    ended = client.delete("/experiment")
    assert (ended.status_code, ended.json()) == (200, told)
    assert client.delete("/experiment").status_code == 404
    assert client.get("/experiment").status_code == 404


def test_activating_the_challenger_ends_the_experiment(client: TestClient, live: int, other: int) -> None:
    client.put("/experiment", json={"challenger": other, "share": 0.5})
    assert [one["challenger"] for one in client.get("/generations").json()["generations"]] == [True, False]
    told = client.post(f"/generations/{other}/activate").json()
    assert (told["live"], told["challenger"]) == (True, False)
    assert client.get("/experiment").status_code == 404


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"challenger": 1, "share": 0.0}, "share: Input should be greater than or equal to 0.0001"),
        ({"challenger": 1, "share": 1.0}, "share: Input should be less than or equal to 0.9999"),
        ({"challenger": 1, "share": "half"}, "share: Input should be a valid number"),
        ({"challenger": True, "share": 0.5}, "challenger: Input should be a valid integer"),
        ({"challenger": 0, "share": 0.5}, "challenger: Input should be greater than or equal to 1"),
        ({"share": 0.5}, "challenger: Field required"),
        ({"challenger": 1, "share": 0.5, "until": "friday"}, "until: Extra inputs are not permitted"),
    ],
)
def test_experiments_that_no_form_takes(client: TestClient, body: dict[str, object], detail: str) -> None:
    response = client.put("/experiment", json=body)
    assert (response.status_code, response.json()["detail"]) == (422, detail)


def test_experiments_that_cannot_be(client: TestClient, live: int) -> None:
    unknown = client.put("/experiment", json={"challenger": 9999, "share": 0.5})
    same = client.put("/experiment", json={"challenger": live, "share": 0.5})
    assert (unknown.status_code, same.status_code) == (404, 409)
    assert same.json()["detail"] == f"generation {live} is live: an experiment needs another one beside it"


def test_the_command(shop: Line, events: Database, live: int, other: int) -> None:
    assert refused("generations", "experiment", "show").startswith("twohop: no experiment is running")
    begun = twohop("generations", "experiment", "start", str(other), "--share", "0.1")
    assert begun.stdout == f"10.00% of the users get generation {other}, the others {live}.\n"
    now = events.read("RETURN datetime().epochSeconds AS now")[0]["now"]
    add_events(events, "control", "impression", 200, now)
    add_events(events, "control", "click", 10, now)
    told = answer("generations", "experiment", "show")
    assert [one["impressions"] for one in told["variants"]] == [200, 0]
    shown = twohop("generations", "experiment", "show").stdout
    assert "5.00%" in shown
    assert "2.74% to 8.96%" in shown
    assert "challenger" in twohop("generations", "list").stdout
    line = refused("generations", "drop", str(other))
    assert line.startswith(f"twohop: generation {other} is in an experiment: end that first")
    assert twohop("generations", "experiment", "stop").stdout.startswith("The experiment is over")
    assert refused("generations", "experiment", "stop").startswith("twohop: no experiment is running")
    assert refused("generations", "experiment", "start", str(other), "--share", "1").startswith("twohop: share 1 of")


@pytest.mark.parametrize(
    ("clicks", "impressions"), [(0, 1), (1, 1), (0, 50), (50, 50), (1, 3), (62, 1000), (7, 10**6), (10**6, 10**6)]
)
def test_intervals_are_wilsons(clicks: int, impressions: int) -> None:
    one = Variant("control", 1, impressions, clicks)
    assert one.interval == pytest.approx(tuple(binomtest(clicks, impressions).proportion_ci(method="wilson")), abs=1e-9)
    assert 0 <= one.interval[0] <= one.click_through <= one.interval[1] <= 1


@pytest.mark.parametrize(("clicks", "impressions"), [(0, 0), (3, 0), (3, 2)])
def test_no_rate_without_impressions(clicks: int, impressions: int) -> None:
    one = Variant("control", 1, impressions, clicks)
    assert (one.click_through, one.interval) == (None, None)
