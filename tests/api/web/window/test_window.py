"""What the window shows, in a real Chromium."""

import re
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from api.web.routes import window
from cypher.walk import NEIGHBOURS, TRIGGERS
from graph.driver import Database
from graph.keys import create_key, revoke_key
from tests.api.web.window.conftest import EMOJI, RTL, SHOPPER, XSS, Served, api, ids, recommended, visit, wide

pytestmark = pytest.mark.browser

TO_ITSELF = """
MATCH (serving:Serving {id: 'weights'}) MATCH (g:Generation {id: serving.generation}) MATCH (had:Item {id: 'zz-emoji'})
CREATE (had)-[:SIMILAR {trigger: had.id, generation: g.id, rank: 0, weight: 2.0}]->(had)
SET g.repeat_power = 2.0
"""
NOT_TO_ITSELF = """
MATCH (serving:Serving {id: 'weights'}) MATCH (g:Generation {id: serving.generation})
MATCH (had:Item {id: 'zz-emoji'})-[s:SIMILAR]->(had)
DELETE s SET g.repeat_power = 1.0
"""


# The files


def test_files_have_a_strict_policy_and_etags(served: Served) -> None:
    for path in ("", "window/window.js", "window/window.css", "window/icon.svg", "window/cytoscape.js"):
        answer = httpx.get(served.url + path)
        assert answer.status_code == 200, path
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        again = httpx.get(served.url + path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert b"Cytoscape Consortium" in httpx.get(f"{served.url}window/cytoscape.js").content
    assert httpx.get(f"{served.url}window/window.py").status_code == 404
    assert httpx.get(f"{served.url}window/..%2F..%2Fapp.py").status_code == 404


def test_no_module_parses_markup() -> None:
    text = "".join(content.decode() for name, content in window.FILES.items() if name.endswith((".js", ".html")))
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|style=|https?://", text) == []


def test_a_library_that_cannot_be_fetched(
    page: Page, served: Served, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    window.read_library.cache.clear()
    real = window.fetch
    monkeypatch.setattr(window, "fetch", lambda _, **rest: real("http://127.0.0.1:9", **rest))
    monkeypatch.setattr("graph.jars.TRIES", 1)
    visit(page, served, keys["read"], "user=u01")
    expect(page.locator("#all")).to_contain_text("No drawing: the server could not fetch the library")
    expect(recommended(page)).to_have_count(10)
    window.read_library.cache.clear()


# Who may look


def test_asks_for_a_key_and_hides_it(page: Page, served: Served, keys: dict[str, str]) -> None:
    page.goto(f"{served.url}#user=u01")
    page.get_by_label("API key").fill("th_000000000000_" + "a" * 43)
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#gate")).to_contain_text("No valid API key")
    page.get_by_label("API key").fill(keys["read"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Shopper u01")).to_be_visible()
    visit(page, served, keys["read"], "user=u02")
    expect(page.get_by_role("heading", name="Shopper u02")).to_be_visible()
    assert page.url == f"{served.url}#user=u02"
    page.reload()
    expect(page.get_by_role("heading", name="Shopper u02")).to_be_visible()


def test_a_key_that_is_taken_back(page: Page, served: Served, database: Database) -> None:
    key_id, key = create_key(database, "short", "read")
    visit(page, served, key, "user=u01")
    expect(recommended(page)).to_have_count(10)
    revoke_key(database, key_id)
    time.sleep(6)  # the server keeps a key for five seconds
    page.get_by_label("k Items", exact=True).press("ArrowRight")
    expect(page.get_by_role("heading", name="Which key?")).to_be_visible()


# What is shown


def test_first_visit_offers_shoppers(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "")
    expect(page.get_by_role("heading", name="Choose a shopper")).to_be_visible()
    page.locator(".pick").first.click()
    expect(recommended(page)).to_have_count(10)
    page.go_back()
    expect(page.get_by_role("heading", name="Choose a shopper")).to_be_visible()


def test_shows_what_the_api_says(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "user=u01")
    said = api(served, keys["read"], "users/u01/recommendations", explain=True)
    expect(recommended(page)).to_have_count(10)
    assert ids(recommended(page)) == [one["id"] for one in said["items"]]
    first, item = recommended(page).first, said["items"][0]
    expect(first.locator(".score")).to_have_text(f"{item['score']:.3f}")
    expect(first.locator(".bar")).to_contain_text(
        f"paths {item['score'] - item['direct']:.3f}, direct {item['direct']:.3f}"
    )
    shares = [
        float(one.evaluate("e => e.style.getPropertyValue('--share')"))
        for one in first.locator(".bar > span[style]").all()
    ]
    assert sum(shares) == pytest.approx(1)
    history = api(served, keys["read"], "users/u01/history", k=6)["items"]
    expect(page.locator("#happened .days ul li")).to_have_count(6)
    expect(page.locator("#happened .days a").first).to_have_text(history[0]["title"])
    expect(page.locator("#all .canvas canvas").first).to_be_visible()
    expect(page.locator("#all .canvas")).to_have_attribute(
        "aria-label", re.compile(r"Drawing of \d+ paths from shopper u01")
    )
    expect(page.locator("#intents")).to_contain_text("No intents are linked to this store yet")


def test_intents_and_what_they_need(page: Page, served: Served, keys: dict[str, str], intents: None) -> None:
    visit(page, served, keys["read"], f"user={SHOPPER}")
    headings = page.locator("#intents .intents h3")
    expect(headings).to_have_text([re.compile("Prepare for a grill party"), re.compile("Bake cakes")])
    first = page.locator("#intents .intents > li").first
    expect(first).to_contain_text("1 Mar 2024")
    expect(first.get_by_role("list", name="had")).to_have_text("Ice boxes")
    expect(first.get_by_role("list", name="still needs")).to_have_text("Charcoal")
    expect(page.locator("#needed")).to_contain_text("To prepare for a grill party")
    expect(page.locator("#needed a")).to_have_text("Charcoal, 3 kg")
    # Without recency the busier one is first, and both signs say so.
    page.get_by_label("Recency").fill("0")
    expect(headings).to_have_text([re.compile("Bake cakes"), re.compile("Prepare for a grill party")])
    expect(headings.locator(".move")).to_have_text([re.compile("up 1"), re.compile("down 1")])
    expect(page.locator("#intents .moved")).to_contain_text("1 up, 1 down, compared with the default settings")
    page.locator("#intents").get_by_role("button", name="Reset").click()
    expect(headings.first).to_have_text(re.compile("Prepare for a grill party"))
    expect(page.locator("#intents .moved")).to_have_count(0)


def test_controls_ask_anew_and_say_what_moved(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "user=u01")
    expect(recommended(page)).to_have_count(10)
    before = ids(recommended(page))
    slider = page.get_by_label("Triggers")
    slider.focus()
    slider.press("Home")
    expect(page.locator("#next .moved")).to_contain_text("compared with the default settings")
    after = [one["id"] for one in api(served, keys["read"], "users/u01/recommendations", m=1)["items"]]
    assert ids(recommended(page)) == after
    assert after != before
    for place, one in enumerate(after):
        row = recommended(page).nth(place)
        rise = before.index(one) - place if one in before else None
        sign = "new" if rise is None else f"up {rise}" if rise > 0 else f"down {-rise}" if rise < 0 else None
        if sign is None:
            expect(row.locator(".move")).to_have_count(0)
        else:
            expect(row.locator(".move")).to_contain_text(sign)
    assert page.url.endswith("#user=u01&m=1")
    defaults = page.evaluate("import('./window/address.js').then((module) => module.DEFAULTS)")
    assert (defaults["m"], defaults["neighbours"]) == (TRIGGERS, NEIGHBOURS)
    page.reload()  # a link with settings knows what to compare with
    expect(page.locator("#next .moved")).to_contain_text("compared with the default settings")
    page.locator("#next").get_by_role("button", name="Reset").click()
    expect(page.locator("#next .moved")).to_have_count(0)
    assert ids(recommended(page)) == before
    page.get_by_label("k Items", exact=True).fill("5")
    expect(recommended(page)).to_have_count(5)
    expect(page.locator("#next .move")).to_have_count(0)


def test_an_item_with_its_paths_and_back(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "user=u01")
    expect(recommended(page)).to_have_count(10)
    chosen = ids(recommended(page))[1]
    recommended(page).nth(1).get_by_role("link").click()
    said = api(served, keys["read"], f"users/u01/explanations/{chosen}")
    served_paths = [path for path in said["paths"] if path["served"]]
    view = page.locator("#item")
    expect(view.locator("#item-title")).to_have_text(said["title"])
    expect(view.locator("#item-title")).to_be_focused()
    expect(view.locator(".split b")).to_have_text(f"{said['score']:.3f}")
    expect(view.locator("tbody tr")).to_have_count(min(8, len(served_paths)))
    expect(view.locator("tbody tr").first).to_contain_text(served_paths[0]["trigger_title"])
    expect(view.locator(".canvas canvas").first).to_be_visible()
    similar = api(served, keys["read"], f"items/{chosen}/similar", k=8)["items"]
    expect(view.locator(".plain a")).to_have_text([one["title"] for one in similar])
    view.locator(".plain a").first.click()
    expect(view.locator("#item-title")).to_have_text(similar[0]["title"])
    page.go_back()
    expect(view.locator("#item-title")).to_have_text(said["title"])
    page.go_back()
    expect(view).to_be_hidden()
    expect(page.locator("#all .canvas canvas").first).to_be_visible()


def test_a_path_of_an_item_to_itself(page: Page, served: Served, keys: dict[str, str], database: Database) -> None:
    database.write(TO_ITSELF)
    try:
        visit(page, served, keys["read"], f"user={SHOPPER}&item=zz-emoji")
        expect(page.locator("#item caption")).to_contain_text("the first hop is to the power of 2.")
        expect(page.locator("#item tbody tr").first).to_contain_text("2.25")  # 1.5 squared
        visit(page, served, keys["read"], f"user={SHOPPER}&item=zz-next")
        expect(page.locator("#item caption")).to_contain_text("below it is its share of the score.")
        expect(page.locator("#item caption")).not_to_contain_text("power")
    finally:
        database.write(NOT_TO_ITSELF)


def test_titles_are_text_in_any_script(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], f"user={SHOPPER}")
    links = page.locator("#happened .days a")
    expect(links).to_have_count(3)
    assert set(links.all_inner_texts()) == {XSS, RTL, EMOJI}
    assert links.filter(has_text="שלום").locator("bdi").evaluate("e => getComputedStyle(e).direction") == "rtl"
    expect(recommended(page).first).to_contain_text(XSS + " too")
    recommended(page).first.get_by_role("link").click()
    expect(page.locator("#item-title")).to_have_text(XSS + " too")
    expect(page.locator("#item tbody th")).to_have_count(3)
    assert page.locator("img").count() == 0
    assert page.evaluate("window.hacked") is None
    assert wide(page) <= 0


def test_unknown_shopper(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "user=nobody")
    expect(page.get_by_role("heading", name="No shopper has the id nobody")).to_be_visible()
    box = page.get_by_role("combobox", name="Shopper")
    box.fill("u03")
    box.press("Enter")
    expect(page.get_by_role("heading", name="Shopper u03")).to_be_visible()
    expect(recommended(page)).to_have_count(10)


def test_a_shopper_with_nothing(page: Page, served: Served, keys: dict[str, str], database: Database) -> None:
    database.write("MERGE (:User {id: 'zz-empty'})")
    visit(page, served, keys["read"], "user=zz-empty")
    expect(page.locator("#happened")).to_contain_text("no event of this shopper is known")
    expect(page.locator("#next")).to_contain_text("No paths yet")
    expect(recommended(page).first).to_contain_text("popular")
    expect(page.locator("#all")).to_contain_text("No path")
