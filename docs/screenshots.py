"""Take the pictures of the documents from a running store: `make screenshots`.

Chromium (Debian's package `chromium`) logs in to Neo4j Browser as a person would, runs `cypher/picture.cypher`, and
`docs/images/browser.png` is what it shows.
"""

import argparse
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, Playwright, expect, sync_playwright

from api.browser import query_text
from cypher.sample import sample
from graph.driver import connect
from graph.errors import TwohopError
from graph.generations import live_generation
from graph.server import ManagedServer, Status
from graph.settings import load_settings

IMAGES = Path(__file__).parent / "images"
STYLE = Path(__file__).parent / "browser.grass"
SIZE = {"width": 1280, "height": 960}
ITEMS, PATHS = 4, 3  # drawn; more than a dozen paths are hard to read
SETTLE = 6000  # milliseconds until the layout stands still
PATIENCE = 120_000  # milliseconds for each step
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Places of the nodes in the page by column; triggers stand in the order of the items that they lead to.
COLUMNS = """() => {
  const nodes = [...document.querySelectorAll("g.node")].map(g => g.__data__);
  const edges = [...document.querySelectorAll("g.relationship")].map(g => g.__data__);
  const to = type => edges.filter(e => e.type === type).map(e => e.target.id);
  const triggers = [...new Set(to("INTERACTED"))], items = [...new Set(to("SIMILAR"))];
  const mean = id => {
    const places = edges.filter(e => e.source.id === id).map(e => items.indexOf(e.target.id));
    return places.reduce((a, b) => a + b, 0) / places.length;
  };
  triggers.sort((a, b) => mean(a) - mean(b));
  const users = nodes.filter(n => n.labels.includes("User")).map(n => n.id);
  return [users, triggers, items].map(ids => ids.map(id => nodes.findIndex(n => n.id === id)));
}"""
LOOPBACK = "http://127.0.0.1:"


def open_browser(play: Playwright, profile: str) -> Page:
    """A fresh Chromium that reaches this machine only: Browser also asks for guides and news, which don't matter."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        sys.exit("screenshots: chromium is not installed (Debian, Ubuntu: apt install chromium)")
    context = play.chromium.launch_persistent_context(
        profile, executable_path=executable, args=FLAGS, viewport=SIZE, device_scale_factor=1.25
    )
    context.set_default_timeout(PATIENCE)
    context.route(lambda url: not url.startswith(LOOPBACK), lambda route: route.abort())
    return context.pages[0]


def log_in(page: Page, status: Status, password: str) -> None:
    page.goto(str(status.browser_uri))
    page.get_by_test_id("boltaddress").fill(str(status.bolt_uri).removeprefix("bolt://"))
    page.get_by_test_id("username").fill("neo4j")
    page.get_by_test_id("password").fill(password)
    page.get_by_test_id("connect").click()
    page.get_by_text("Getting started").first.wait_for()


def enter(page: Page, command: str) -> None:
    """Type a command into Browser's editor and run it."""
    page.get_by_test_id("activeEditor").locator(".monaco-editor").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(command)
    page.keyboard.press("Control+Enter")


def draw(page: Page, user: str, weight_property: str) -> None:
    """Set the style, run the query, and wait until its graph stands still."""
    style = " ".join(STYLE.read_text(encoding="utf-8").split()).replace("weight_1", weight_property)
    enter(page, ':config {"autoComplete": false}')  # only the paths of the result, no other edges between its nodes
    page.get_by_text("autoComplete").last.wait_for()
    enter(page, f":style {style}")
    page.get_by_test_id("styleResetButton").wait_for()
    enter(page, ":clear")
    expect(page.get_by_test_id("frame")).to_have_count(0)
    enter(page, query_text("picture", user=user, m=300, k=100, n=ITEMS, paths=PATHS))
    page.locator("svg g.node").first.wait_for()
    page.get_by_title("Fullscreen").last.click()
    page.wait_for_timeout(SETTLE)
    arrange(page)
    page.wait_for_timeout(SETTLE)


def arrange(page: Page) -> None:
    """Drag the nodes into columns: the user, the triggers, the items; a dragged node stays where it is put."""
    columns = page.evaluate(COLUMNS)
    area = page.locator("svg:has(g.node)").bounding_box()
    if area is None:
        return
    for place, column in enumerate(columns):
        for row, node in enumerate(column):
            circle = page.locator("g.node").nth(node).bounding_box()
            if circle:
                page.mouse.move(circle["x"] + circle["width"] / 2, circle["y"] + circle["height"] / 2)
                page.mouse.down()
                x, y = (0.08, 0.39, 0.71)[place], (row + 0.5) / len(column)
                page.mouse.move(area["x"] + x * area["width"], area["y"] + y * area["height"], steps=5)
                page.mouse.up()
    page.mouse.move(area["x"] + 5, area["y"] + 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", help="name of the store; else TWOHOP_STORE")
    parser.add_argument("--user", help="id of the user; else the first one who had 20 items or more")
    asked = parser.parse_args()
    server = ManagedServer(load_settings(asked.store))
    started = server.start()
    try:
        with connect(server.settings) as database:
            live = live_generation(database)
            users = sample(database, n=1, items=20)
        if live is None or not users:
            sys.exit(f"screenshots: store {server.settings.store} has no live weights: make demo first")
        with TemporaryDirectory(prefix="twohop-") as profile, sync_playwright() as play:
            page = open_browser(play, profile)
            log_in(page, server.status(), server.password())
            draw(page, asked.user or users[0].id, live.weight_property)
            IMAGES.mkdir(exist_ok=True)
            page.screenshot(path=IMAGES / "browser.png")
            page.context.close()
    finally:
        if started:
            server.stop()
    sys.stdout.write(f"{IMAGES / 'browser.png'}\n")


if __name__ == "__main__":
    try:
        main()
    except TwohopError as error:
        sys.exit(f"screenshots: {error}")
