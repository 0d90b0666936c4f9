"""Shopping intents over HTTP: lists, one, and search by meaning and by words."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from cypher.intents_by_words import intents_by_words
from graph.driver import Database
from tests.api.conftest import Line
from tests.api.shop_intents import INTENTS, linked_intents

GRILL, BAKING, OFFICE = (one.id for one in INTENTS)


@pytest.fixture(scope="module")
def linked(line: Line, database: Database) -> Iterator[Database]:
    with linked_intents(line, database) as opened:
        yield opened


pytestmark = pytest.mark.usefixtures("linked")


def test_pages_hold_every_intent_once(client: TestClient) -> None:
    found: list[str] = []
    pages, after = 0, ""
    while after is not None:
        told = client.get("/intents", params={"k": 2, "after": after}).json()
        found += [one["id"] for one in told["intents"]]
        pages, after = pages + 1, told["next"]
    assert (found, pages) == (sorted([GRILL, BAKING, OFFICE]), 2)
    whole = client.get("/intents", params={"k": 3}).json()
    assert ([one["id"] for one in whole["intents"]], whole["next"]) == (found, None)
    assert whole["intents"][0] == {
        "id": GRILL,
        "sentence": "prepare for a grill party",
        "source": "table",
        "department": "Grill",
    }


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"source": "mined"}, [OFFICE]),
        ({"source": "table"}, [GRILL, BAKING]),
        ({"department": "Baking"}, [BAKING]),
        ({"department": "Baking", "source": "mined"}, []),
        ({"after": OFFICE}, []),
    ],
)
def test_lists_of_some(client: TestClient, asked: dict[str, str], ids: list[str]) -> None:
    told = client.get("/intents", params=asked).json()
    assert [one["id"] for one in told["intents"]] == ids
    assert told["next"] is None


def test_one_intent(client: TestClient) -> None:
    assert client.get(f"/intents/{GRILL}").json() == {
        "id": GRILL,
        "sentence": "prepare for a grill party",
        "source": "table",
        "department": "Grill",
        "says": ["host a barbecue in the garden", "cookout with friends"],
        "season": ["summer"],
        "audience": [],
        "tree": "small-shop",
        "needs": [
            {"id": "Grill", "name": "Grill", "score": 1.0, "source": "table"},
            {"id": "Garden", "name": "Garden", "score": 0.9, "source": "table"},
        ],
        "serving": [
            {"id": "Garden", "name": "Garden", "confidence": 0.9, "rank": 1, "source": "hand"},
            {"id": "Grill", "name": "Grill", "confidence": 0.9, "rank": 1, "source": "hand"},
        ],
        "served_by": 2,
    }


def test_an_intent_before_anything_is_linked(client: TestClient, linked: Database) -> None:
    linked.write("MATCH (s:Serving {id: 'intents'}) SET s.id = 'away'")
    try:
        told = client.get(f"/intents/{GRILL}").json()
    finally:
        linked.write("MATCH (s:Serving {id: 'away'}) SET s.id = 'intents'")
    assert (told["tree"], told["needs"], told["serving"], told["served_by"]) == (None, [], [], 0)


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/intents/nothing", 404, "intent 'nothing' is not in the graph"),
        ("/intents/a%2Fb", 404, "intent 'a/b' is not in the graph"),
        ("/intents?k=0", 422, "k: Input should be greater than or equal to 1"),
        ("/intents?k=1001", 422, "k: Input should be less than or equal to 1000"),
        ("/intents?source=guess", 422, "source: Input should be 'table' or 'mined'"),
        ("/intents?after=a%00", 422, "after: control characters are not allowed"),
        ("/intents/search", 422, "q: Field required"),
        ("/intents/search?q=", 422, "q: String should have at least 1 character"),
        (f"/intents/search?q={'x' * 2001}", 422, "q: String should have at most 2000 characters"),
    ],
)
def test_problems(client: TestClient, path: str, status: int, detail: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()["detail"]) == (status, detail)


def test_search_by_meaning(client: TestClient) -> None:
    """No word of the question is in what it finds."""
    told = client.get("/intents/search", params={"q": "roasting sausages outdoors", "k": 2}).json()
    assert (told["q"], told["by"]) == ("roasting sausages outdoors", "meaning")
    first, second = told["intents"]
    assert (first["id"], first["sentence"]) == (GRILL, "prepare for a grill party")
    assert 1 > first["score"] > second["score"] > -1
    same = client.get("/intents/search", params={"q": "set up an office", "k": 1}).json()["intents"]
    assert same[0]["id"] == OFFICE
    assert same[0]["score"] == pytest.approx(1, abs=1e-3)


def test_search_by_words_where_no_encoder_is_at_hand(client: TestClient, linked: Database) -> None:
    """Vectors of a model that is not here; word stems count, and all ways to say an intent."""
    [before] = linked.read("MATCH (s:Serving {id: 'intents'}) RETURN s.model AS model")
    linked.write("MATCH (s:Serving {id: 'intents'}) SET s.model = 'of elsewhere'")
    try:
        told = client.get("/intents/search", params={"q": "friend's cookouts, parties"}).json()
        none = client.get("/intents/search", params={"q": "roasting sausages outdoors"}).json()
    finally:
        linked.write("MATCH (s:Serving {id: 'intents'}) SET s.model = $model", before)
    assert told["by"] == none["by"] == "words"
    assert [one["id"] for one in told["intents"]] == [GRILL]
    assert told["intents"][0]["score"] > 0
    assert none["intents"] == []


@pytest.mark.parametrize(
    "text",
    [
        "grill AND party",
        "grill party OR",
        "NOT grill",
        "sentence:grill",
        '"grill party',
        "grill~2 party^3 (+garden -home)",
        "grill*",
        "/grill/",
        "[grill TO party]",
        "{grill",
        "grill \\",
        "grill && party || !home",
        "<grill>=",
    ],
)
def test_lucenes_syntax_is_only_words(linked: Database, text: str) -> None:
    assert [one.id for one in intents_by_words(linked, text)] == [GRILL]


@pytest.mark.parametrize("text", ["*", "AND", "&& || !", '"', "?:~", " ", "NOT OR"])
def test_a_text_without_words_finds_nothing(linked: Database, text: str) -> None:
    assert intents_by_words(linked, text) == []
