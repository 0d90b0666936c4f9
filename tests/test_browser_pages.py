"""What Neo4j Browser gets: a style for all that is in the graph, and a guide and saved scripts that run."""

import html
import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.browser import script, style
from docs import collection
from graph.browser import DOCUMENTS, PAGES, guide_uri, read_page
from graph.driver import Database
from graph.server import ManagedServer
from tests.cypher.test_statements import graph as graph  # noqa: PLC0414  the fixture

REPOSITORY = Path(__file__).parent.parent
STATEMENTS = [*REPOSITORY.glob("graph/statements/*.cypher"), *REPOSITORY.glob("cypher/*.cypher")]
# As in the header of the files, on the graph of tests/cypher/test_statements.py.
SMALL = {
    "user": "1",
    "item": "2",
    "items": ["1", "2"],
    "intent": "party",
    "node": "1",
    "category": "2",
    "tree": "shop",
}
BOX = re.compile(r'<pre [^>]*class="[^"]*runnable"[^>]*>(.*?)</pre>', re.DOTALL)


def rules(text: str) -> dict[str, dict[str, str]]:
    """Read a style as Browser does: braces and colons within quotes are text, else they part."""
    found: dict[str, dict[str, str]] = {}
    rest = text
    while rest.strip():
        whole = re.match(r"\s*([\w.]+)\s*\{((?:[^'{}]|'[^']*')*)\}", rest)
        assert whole, f"no rule at {rest.strip()[:60]!r}"
        pairs = [part.split(":") for part in whole[2].split(";") if part.strip()]
        assert all(len(pair) == 2 for pair in pairs), f"Browser leaves out what has two colons: {whole[0]}"
        found[whole[1]] = {name.strip(): value.strip().strip("'") for name, value in pairs}
        rest = rest[whole.end() :]
    return found


@pytest.fixture(scope="module")
def styled() -> dict[str, dict[str, str]]:
    return rules(style("weight_7"))


def named(pattern: str) -> set[str]:
    """What the statements name, without their comments and texts."""
    names: set[str] = set()
    for file in STATEMENTS:
        code = re.sub(r"//.*|'[^']*'", "", file.read_text("utf-8"))
        for group in re.findall(pattern, code):
            names |= set(re.findall(r"\w+", group))
    return names


def test_every_label_has_a_rule(styled: dict[str, dict[str, str]]) -> None:
    labels = named(r"(?<=[(\w]):([A-Z][a-z]\w*(?::[A-Z]\w*)*)")
    assert {"User", "Item", "BrowseNode", "Intent", "Generation", "Query"} <= labels
    nodes = {label for selector in styled for label in selector.split(".")[1:] if selector.startswith("node.")}
    assert labels - nodes == set()
    assert {"ProductCategory", "ProductAssortment", "Alias"} <= nodes
    kinds = [styled[name] for name in styled if name.startswith("node.")]
    assert all(rule["color"] and "caption" in rule for rule in kinds)
    shown = ("User", "Item", "BrowseNode", "Intent", "Generation", "Query")
    assert len({styled[f"node.{label}"]["color"] for label in shown}) == len(shown)


def test_every_type_has_a_rule(styled: dict[str, dict[str, str]]) -> None:
    types = named(r"\[\w*:([A-Z][A-Z_|]+)")
    assert {"INTERACTED", "SIMILAR", "NEEDS", "COMPLEMENTS", "PURSUES"} <= types
    assert types - {name.removeprefix("relationship.") for name in styled} == set()


def test_weighed_edges_show_their_weights(styled: dict[str, dict[str, str]], graph: Database) -> None:
    """The caption is one number of the edge, which is what thickness.js makes the width of."""
    captions = {
        "INTERACTED": "weight_7",
        "SIMILAR": "weight",
        "NEEDS": "score",
        "COMPLEMENTS": "score",
        "PURSUES": "score",
        "SERVES": "confidence",
    }
    assert {name: styled[f"relationship.{name}"]["caption"] for name in captions} == {
        name: f"{{{caption}}}" for name, caption in captions.items()
    }
    first = rules(read_page("style.grass", "").decode())["relationship.INTERACTED"]["caption"].strip("{}")
    for name, caption in (captions | {"INTERACTED": first}).items():
        text = "MATCH ()-[r]->() WHERE type(r) = $name RETURN count(r) AS all, count(r[$caption]) AS numbers"
        row = graph.read(text, {"name": name, "caption": caption})[0]
        assert row["numbers"] > 0, name


def test_collection_is_current() -> None:
    """Else: make collection."""
    with zipfile.ZipFile(collection.FAVOURITES) as written:
        assert {name: written.read(name).decode() for name in written.namelist()} == collection.favourites()


def test_guide_is_current() -> None:
    """Else: make collection."""
    text = collection.GUIDE.read_text("utf-8")
    assert collection.guide(text) == text


def test_collection_is_what_browser_takes() -> None:
    """It takes `.cypher` files, makes a folder of what stands before, and a title of the first line."""
    with zipfile.ZipFile(BytesIO(collection.archive())) as made:
        titles = [made.read(name).decode().splitlines()[0] for name in made.namelist()]
        assert all(re.fullmatch(r"Twohop[\w ]*/[\w ]+\.cypher", name) for name in made.namelist())
    assert all(re.fullmatch(r"// \S.{3,100}", title) for title in titles)
    assert len(set(titles)) == len(titles) > 20


def test_what_is_about_somebody_stays_a_parameter() -> None:
    text = script("picture", collection.PARAMETERS)
    assert set(re.findall(r"\$(\w+)", text)) == {"user"}
    assert ":param" not in text
    for one in collection.favourites().values():
        assert set(re.findall(r"\$(\w+)", one)) <= collection.PARAMETERS.keys() == SMALL.keys()


@pytest.mark.parametrize("name", sorted(collection.favourites()))
def test_saved_scripts_run(name: str, graph: Database) -> None:
    text = collection.favourites()[name]
    if ":params" in text:  # Browser's own command, with a map as Cypher writes it
        assert graph.read(f"RETURN {text.partition(':params ')[2]} AS given")[0]["given"].keys() == SMALL.keys()
    else:
        graph.read(text, SMALL)


def boxes() -> list[str]:
    return [html.unescape(box) for box in BOX.findall(collection.GUIDE.read_text("utf-8"))]


def test_guide_shows_the_pictures() -> None:
    asked = re.findall(r'data-query="(\w+)"', collection.GUIDE.read_text("utf-8"))
    pictures = {file.stem for file in REPOSITORY.glob("cypher/*picture.cypher")}
    assert pictures <= set(asked)
    assert len(boxes()) == len(asked) + 3  # and the style, the setting and the parameters


@pytest.mark.parametrize("text", [text for text in boxes() if not text.startswith(":")])
def test_queries_of_the_guide_show_something(text: str, graph: Database) -> None:
    rows = graph.read(text.replace("items >= 5", "items >= 1"), SMALL | {"item": "2"})
    assert rows


def test_documents_have_their_pictures() -> None:
    text = (DOCUMENTS / "browser.md").read_text("utf-8")
    pictures = set(re.findall(r"\]\(images/([\w-]+\.png)\)", text))
    assert pictures == {file.name for file in (DOCUMENTS / "images").glob("browser*.png")}
    assert {f"browser/{file.name}" for file in (DOCUMENTS / "browser").iterdir()} <= set(PAGES.values())


def test_managed_server_serves_the_pages(server: ManagedServer) -> None:
    browser = str(server.status().browser_uri)
    guide = httpx.get(guide_uri(browser))
    assert guide.status_code == 200
    assert f":style {browser}twohop/style.grass" in guide.text
    assert "{{" not in guide.text
    for name in PAGES:
        answer = httpx.get(f"{browser}twohop/{name}")
        assert answer.content == read_page(name, f"{browser}twohop")


def test_browser_itself_has_only_one_script_more(server: ManagedServer) -> None:
    shown = httpx.get(str(server.status().browser_uri)).text
    own = '<script src="twohop/thickness.js"></script>'
    assert shown.index(own) == shown.index("<script")
    with zipfile.ZipFile(server.folder.browser_jar) as jar:
        names = jar.namelist()
        assert len(names) == len(set(names))
        assert jar.read("browser/index.html").decode() == shown


def test_browser_may_read_the_pages(database: Database) -> None:
    rows: list[dict[str, Any]] = database.read("SHOW SETTINGS YIELD name, value WHERE name STARTS WITH 'browser.'")
    allowed = {row["name"]: row["value"] for row in rows}["browser.remote_content_hostname_whitelist"]
    assert set(allowed.split(",")) == {"127.0.0.1", "localhost"}
