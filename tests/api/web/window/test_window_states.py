"""What can go wrong in the window, events that are added in it, and who can use it."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from graph.driver import Database
from tests.api.web.window.conftest import PHONE, SHOPPER, Served, ids, recommended, visit, wide

pytestmark = pytest.mark.browser


# What can go wrong


def test_the_server_goes_away_and_comes_back(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "user=u01")
    expect(recommended(page)).to_have_count(10)
    served.stop()
    try:
        page.get_by_label("k Items", exact=True).fill("5")
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

    def late(route: Route) -> None:
        time.sleep(0.7)
        route.continue_()

    page.route(re.compile("recommendations.*[?&]k=20"), late)
    page.get_by_label("k Items", exact=True).fill("20")
    page.wait_for_timeout(200)
    page.get_by_label("k Items", exact=True).fill("4")
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
    assert background == {"light": "rgb(246, 244, 238)", "dark": "rgb(17, 20, 26)"}[scheme]


def test_motion_is_left_out_for_who_asked_for_less(page: Page, served: Served, keys: dict[str, str]) -> None:
    visit(page, served, keys["read"], "user=u01")
    expect(recommended(page)).to_have_count(10)
    page.evaluate("() => { Element.prototype.animate = () => { throw new Error('it moves'); }; }")
    page.get_by_label("Triggers").press("Home")
    expect(page.locator("#next .moved")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
