"""The window in a real Chromium, on the served app with the small shop behind it."""

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from api.web.app import create_app
from api.web.routes import window
from graph.driver import Database
from graph.keys import create_key, revoke_key
from tests.api.conftest import Line, enter
from tests.conftest import CHROMIUM

pytestmark = pytest.mark.browser

PATIENCE = 30_000  # milliseconds
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
XSS = '<img src=x onerror="window.hacked=1">'
RTL = "שלום עולם, فحم للشواء"
EMOJI = "🧁 Кекс 👩‍👩‍👧 " + "ohneLeerzeichen" * 9
TITLES = {"zz-xss": XSS, "zz-rtl": RTL, "zz-emoji": EMOJI, "zz-next": XSS + " too"}
SHOPPER = "zz-window/1"
SET_UP = """
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {id: serving.generation})
MERGE (u:User {id: $user})
WITH u, g
UNWIND keys($titles) AS id
MERGE (i:Item {id: id}) SET i.title = $titles[id], i.available = true, i.popularity = 1
WITH u, g, i
FOREACH (_ IN CASE WHEN i.id <> 'zz-next' THEN [1] ELSE [] END |
  MERGE (u)-[r:INTERACTED]->(i)
  SET r.kind = 'purchase', r.count = 1, r.last_time = datetime('2024-03-01T10:00:00Z'), r.times = [1709287200],
      r.positions = [-1], r.sessions = [''], r.quantities = [1.0], r.values = [1.0], r.places = [''],
      r[g.weight_property] = 1.5)
WITH DISTINCT g
MATCH (had:Item) WHERE had.id IN ['zz-xss', 'zz-rtl', 'zz-emoji']
MATCH (next:Item) WHERE next.id IN ['zz-next', 'g00', 'g01']
WITH g, had, next, CASE next.id WHEN 'zz-next' THEN 1 WHEN 'g00' THEN 2 ELSE 3 END AS rank
MERGE (had)-[s:SIMILAR {generation: g.id, rank: rank}]->(next)
SET s.weight = CASE WHEN next.id = 'zz-next' THEN 2.0 ELSE 1.0 END / (1 + size(had.id))
"""
TAKE_AWAY = "MATCH (n) WHERE n.id STARTS WITH 'zz-' OR n.user STARTS WITH 'zz-' DETACH DELETE n"
INTENTS = """
MERGE (state:Serving {id: 'intents'})
SET state += {now: 1709400000, lambda: 1.0, tau: 1.0, alpha: 2.0, epsilon: 2.718281828, covered_days: 28, tree: 'zz',
              links: 1, model: 'zz'}
MERGE (had:BrowseNode {id: 'zz-cold'}) SET had.name = 'ICE BOXES', had.tree = 'zz'
MERGE (wanted:BrowseNode {id: 'zz-coal'}) SET wanted.name = 'CHARCOAL', wanted.tree = 'zz'
WITH had, wanted
MATCH (u:User {id: $user})
UNWIND [['zz-grill', 'prepare for a grill party', 9, 1709287200, 1],
        ['zz-bake', 'bake cakes', 30, 1707000000, 2]] AS row
MERGE (i:Intent {id: row[0]}) SET i.sentence = row[1], i.source = 'table'
MERGE (i)-[n:NEEDS]->(wanted) SET n.score = 1.0, n.rank = 1, n.source = 'table'
MERGE (u)-[p:PURSUES]->(i)
SET p.score = 1.0, p.rank = row[4], p.activeness = row[2], p.recency = 0.5, p.categories = ['zz-cold'],
    p.first_time = datetime({epochSeconds: row[3]}), p.last_time = datetime({epochSeconds: row[3]})
WITH DISTINCT wanted
MERGE (coal:Item {id: 'zz-charcoal'}) SET coal.title = 'Charcoal, 3 kg', coal.available = true, coal.popularity = 3
MERGE (coal)-[:IN_CATEGORY]->(wanted)
"""
NO_INTENTS = "MATCH (s:Serving {id: 'intents'}) DELETE s"


class Served:
    """The app on a port of its own, that can go away and come back."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    def start(self) -> None:
        self.server = uvicorn.Server(uvicorn.Config(create_app(), port=self.port, log_level="warning"))
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        end = time.monotonic() + 60
        while not self.ready():
            assert time.monotonic() < end, "the app is not ready"
            time.sleep(0.05)

    def ready(self) -> bool:
        if not self.server.started:
            return False
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        return httpx.get(f"{self.url}health/ready").status_code == 200

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@pytest.fixture(scope="module")
def shop_data(line: Line, database: Database) -> Iterator[None]:
    """A shopper whose items have unusual titles, in the small shop."""
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, line.folder, line.environment)
        database.write(SET_UP, {"user": SHOPPER, "titles": TITLES})
        yield
        database.write(TAKE_AWAY)


@pytest.fixture(scope="module")
def served(shop_data: None) -> Iterator[Served]:
    served = Served()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def keys(shop_data: None, database: Database) -> Iterator[dict[str, str]]:
    made = {role: create_key(database, "window", role) for role in ("read", "write")}
    yield {role: key for role, (_, key) in made.items()}
    for key_id, _ in made.values():
        revoke_key(database, key_id)


@pytest.fixture
def intents(shop_data: None, database: Database) -> Iterator[None]:
    database.write(INTENTS, {"user": SHOPPER})
    yield
    database.write(NO_INTENTS)
    database.write(
        "MATCH (n) WHERE n.id IN ['zz-grill', 'zz-bake', 'zz-cold', 'zz-coal', 'zz-charcoal'] DETACH DELETE n"
    )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert CHROMIUM, "tests marked `browser` want chromium (Debian, Ubuntu: apt install chromium)"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """A fresh profile; the page may reach its own server and nothing else, and no script of it may fail."""
    failures: list[str] = []
    with chromium.new_context(viewport=DESKTOP, reduced_motion="reduce") as context:
        context.set_default_timeout(PATIENCE)
        context.on(
            "request", lambda asked: failures.append(asked.url) if not asked.url.startswith(served.url) else None
        )
        context.on("weberror", lambda error: failures.append(str(error.error)))
        context.on("console", lambda told: failures.append(told.text) if "Content Security" in told.text else None)
        yield context
    assert failures == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def visit(page: Page, served: Served, key: str, rest: str) -> None:
    page.goto("about:blank")  # a change behind the # alone would load nothing
    page.goto(f"{served.url}#key={key}&{rest}")


def recommended(page: Page) -> Locator:
    return page.locator("#next li[data-id]")


def ids(rows: Locator) -> list[str]:
    return [str(row.get_attribute("data-id")) for row in rows.all()]


def api(served: Served, key: str, path: str, **query: Any) -> Any:
    answer = httpx.get(served.url + path, params=query, headers={"X-API-Key": key})
    assert answer.status_code == 200, answer.text
    return answer.json()


def wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


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
    page.get_by_label("Items", exact=True).press("ArrowRight")
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
    history = api(served, keys["read"], "users/u01/history", k=8)
    events = history if isinstance(history, list) else history["items"]
    expect(page.locator("#happened .days ul li")).to_have_count(8)
    expect(page.locator("#happened .days a").first).to_have_text(events[0]["title"])
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
    page.reload()  # a link with settings knows what to compare with
    expect(page.locator("#next .moved")).to_contain_text("compared with the default settings")
    page.locator("#next").get_by_role("button", name="Reset").click()
    expect(page.locator("#next .moved")).to_have_count(0)
    assert ids(recommended(page)) == before
    page.get_by_label("Items", exact=True).fill("5")
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


# What can go wrong


def test_the_server_goes_away_and_comes_back(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "user=u01")
    expect(recommended(page)).to_have_count(10)
    served.stop()
    try:
        page.get_by_label("Items", exact=True).fill("5")
        notice = page.locator("#notice")
        expect(notice).to_contain_text(re.compile(r"The server does not answer\. Trying again in \d s"))
        expect(recommended(page)).to_have_count(10)  # what was there stays
    finally:
        served.start()
    expect(notice).to_be_hidden()
    expect(recommended(page)).to_have_count(5)


def test_an_outdated_answer_is_dropped(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "user=u01")
    expect(recommended(page)).to_have_count(10)

    def late(route: Any) -> None:
        time.sleep(0.7)
        route.continue_()

    page.route(re.compile("recommendations.*[?&]k=20"), late)
    page.get_by_label("Items", exact=True).fill("20")
    page.wait_for_timeout(200)
    page.get_by_label("Items", exact=True).fill("4")
    expect(recommended(page)).to_have_count(4)
    page.wait_for_timeout(1200)
    expect(recommended(page)).to_have_count(4)


# Adding an event


def test_a_key_that_only_reads_is_told(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "user=u01")
    page.get_by_text("Add an event", exact=True).click()
    expect(page.locator("#add")).to_contain_text("Your key may only read")
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_hidden()


def test_an_event_changes_weights_and_recommendations(
    page: Page, served: Served, keys: dict[str, str], database: Database
) -> None:
    database.write(
        "MATCH (u:User {id: 'u01'})-[r:INTERACTED]->(i) MERGE (z:User {id: 'zz-adds'}) SET z.age_band = u.age_band "
        "CREATE (z)-[n:INTERACTED]->(i) SET n = properties(r)"
    )
    visit(page, served, keys["write"], "user=zz-adds")
    expect(recommended(page)).to_have_count(10)
    bought = ids(recommended(page))[0]
    title = recommended(page).first.locator(".named").first.inner_text()
    page.get_by_text("Add an event", exact=True).click()
    box = page.get_by_role("combobox", name="Item")
    box.fill(title)
    option = page.get_by_role("option").filter(has_text=title)
    expect(option.first).to_be_visible()
    box.press("ArrowDown")
    box.press("Enter")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#add .told")).to_contain_text(re.compile(r"The weights followed after [\d.]+ m?s"))
    expect(page.locator("#happened .fresh a")).to_have_text(title)
    expect(page.locator("#next .moved")).to_contain_text("compared with the list before your event")
    assert bought not in ids(recommended(page))
    events = database.read("MATCH (e:Event {user: 'zz-adds'}) RETURN e.kind AS kind")
    assert [event["kind"] for event in events] == ["purchase"]


# For everybody


def test_by_keyboard_alone(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "")
    expect(page.locator(".pick").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("u0")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    active = page.locator(f"#{page.get_by_role('combobox').get_attribute('aria-activedescendant')}")
    expect(active).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Shopper u0")
    expect(recommended(page)).to_have_count(10)
    chosen = ids(recommended(page))[0]
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#next li[data-id]') !== null"):
            break
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    expect(page.locator("#item-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#item")).to_be_hidden()
    assert page.evaluate("document.activeElement.closest('li').dataset.id") == chosen


@pytest.mark.parametrize(
    "rest", ["", "user=u01", f"user={SHOPPER}", "user=u01&item=g07", "user=zz-window/1&item=zz-emoji"]
)
def test_phone_width(page: Page, served: Served, keys: dict[str, str], rest: str) -> None:
    page.set_viewport_size(PHONE)
    visit(page, served, keys["write"], rest)
    expect(page.locator(".pick, #happened .days a").first).to_be_attached()
    if "item" in rest:
        expect(page.locator("#item .canvas, #item .hint").first).to_be_visible()
        assert page.locator("#item").evaluate("e => e.scrollWidth - e.clientWidth") <= 0
        page.keyboard.press("Escape")
    if rest:
        page.get_by_text("Add an event", exact=True).click()
    assert wide(page) <= 0


LOW = """() => {
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return { r, g, b, a }; };
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = e => {
    const found = parse(getComputedStyle(e).backgroundColor);
    return found.a === 1 ? found : behind(e.parentElement);
  };
  const low = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const e = node.parentElement;
    if (!node.textContent.trim() || !e.checkVisibility() || e.closest(".unseen")) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(`${ratio.toFixed(2)} ${e.className} ${node.textContent.trim().slice(0, 30)}`);
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(page: Page, served: Served, keys: dict[str, str], intents: None, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    visit(page, served, keys["write"], f"user={SHOPPER}&m=1&lambda=0")
    expect(page.locator("#next .moved")).to_be_visible()
    expect(page.locator("#intents .move").first).to_be_visible()
    page.get_by_text("Add an event", exact=True).click()
    assert page.evaluate(LOW) == []
    page.locator("#next li a").first.click()
    expect(page.locator("#item tbody tr").first).to_be_visible()
    assert page.evaluate(LOW) == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert json.loads(f"[{re.sub('[^0-9,]', '', background)}]")[0] < 60 if scheme == "dark" else True


def test_motion_is_left_out_for_who_asked_for_less(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "user=u01")
    expect(recommended(page)).to_have_count(10)
    page.evaluate("Element.prototype.animate = () => { throw new Error('it moves'); }")
    page.get_by_label("Triggers").press("Home")
    expect(page.locator("#next .moved")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
