"""The served app with a small shop behind it, and pages of a real Chromium that look at it."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from api.web import connection
from api.web.app import create_app
from graph.driver import Database
from graph.keys import create_key, revoke_key
from tests.api.conftest import Line, enter
from tests.conftest import CHROMIUM

PATIENCE = 60_000  # milliseconds
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
MERGE (had)-[s:SIMILAR {trigger: had.id, generation: g.id, rank: rank}]->(next)
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
        return httpx.get(f"{self.url}health/ready", timeout=30).status_code == 200

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
        patch.setattr(connection, "DEADLINE", 30.0)  # seconds: how fast queries are is not what these tests look at
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
    expect.set_options(timeout=PATIENCE)
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
    answer = httpx.get(served.url + path, params=query, headers={"X-API-Key": key}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
