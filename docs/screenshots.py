"""Take the pictures of the documents from a running store: `make screenshots`.

Chromium (Debian's package `chromium`) logs in to Neo4j Browser as a person would, opens the guide, sets the style, runs
the pictures of `cypher/` and drags their nodes into place. `docs/images/browser*.png` is what it shows.
"""

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, log, pi, sin
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Page, Playwright, expect, sync_playwright

from api.browser import query_text, style
from cypher.sample import sample
from graph.browser import guide_uri
from graph.driver import connect
from graph.errors import TwohopError
from graph.generations import live_generation
from graph.server import ManagedServer, Status
from graph.settings import load_settings

IMAGES = Path(__file__).parent / "images"
SIZE = {"width": 1280, "height": 960}
SCALE, ZOOM = 0.8, 1.3  # how large a node should be against its style, and what Browser's zoom does at a click
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
LOOPBACK = "http://127.0.0.1:"
# What Browser's last picture has drawn.
DRAWN = """() => {
  const svg = [...document.querySelectorAll("svg:has(g.node)")].at(-1);
  const data = what => [...svg.querySelectorAll(what)].map(g => g.__data__);
  const circle = svg.querySelector("g.node circle.b-outline");
  return {
    scale: circle.getBoundingClientRect().width / (2 * circle.__data__.radius),
    nodes: data("g.node").map(n => ({id: n.id, labels: n.labels})),
    edges: data("g.relationship").map(e => ({type: e.type, source: e.source.id, target: e.target.id})),
  };
}"""


@dataclass(frozen=True)
class Drawn:
    """Nodes as Browser has them, in its order: {id, labels}; edges: {type, source, target}.

    `scale`: pixels on the page for one of the style.
    """

    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]
    scale: float

    def labelled(self, label: str) -> list[str]:
        return [node["id"] for node in self.nodes if label in node["labels"]]

    def to(self, kind: str) -> list[str]:
        """Where edges of a type lead, each once, in the order of the result."""
        return list(dict.fromkeys(edge["target"] for edge in self.edges if edge["type"] == kind))

    def sources(self, kind: str, target: str | None = None) -> list[str]:
        found = [edge for edge in self.edges if edge["type"] == kind and target in (None, edge["target"])]
        return list(dict.fromkeys(edge["source"] for edge in found))

    def beside(self, ids: list[str], others: list[str]) -> list[str]:
        """`ids` in the order of the `others` that they are connected to, so that few edges cross."""

        def mean(one: str) -> float:
            ends = {edge["target"] for edge in self.edges if edge["source"] == one}
            ends |= {edge["source"] for edge in self.edges if edge["target"] == one}
            places = [others.index(end) for end in ends if end in others]
            return sum(places) / len(places) if places else len(others)

        return sorted(ids, key=mean)


Places = dict[str, tuple[float, float]]  # id of a node -> its place in the picture, 0 to 1 from the left and the top


def columns(*given: tuple[float, list[str]]) -> Places:
    """Nodes one above the other, for each place from the left."""
    return {one: (x, (row + 0.5) / len(ids)) for x, ids in given for row, one in enumerate(ids)}


def ring(ids: list[str], radius: float, turn: float = 0.0, centre: tuple[float, float] = (0.4, 0.5)) -> Places:
    """Nodes around a centre; `radius` as a part of the picture's height, `turn` in parts of the way to the next."""
    angles = [2 * pi * (place + turn) / len(ids) - pi / 2 for place in range(len(ids))]
    wide = radius * 0.8  # the picture is wider than it is high
    return {
        one: (centre[0] + wide * cos(angle), centre[1] + radius * sin(angle))
        for one, angle in zip(ids, angles, strict=True)
    }


def place_paths(drawn: Drawn) -> Places:
    """The user, the triggers, the items."""
    items = drawn.to("SIMILAR")
    triggers = drawn.beside(drawn.to("INTERACTED"), items)
    return columns((0.08, drawn.labelled("User")), (0.39, triggers), (0.71, items))


def place_pursued(drawn: Drawn) -> Places:
    """The user, the intents, what they need."""
    intents = drawn.to("PURSUES")
    return columns(
        (0.08, drawn.labelled("User")), (0.38, intents), (0.71, drawn.beside(drawn.labelled("BrowseNode"), intents))
    )


def place_intent(drawn: Drawn) -> Places:
    """What only serves it or also is needed on the left, what only is needed on the right."""
    serves = drawn.sources("SERVES")
    needed = [one for one in drawn.to("NEEDS") if one not in serves]
    return columns((0.1, serves), (0.4, drawn.labelled("Intent")), (0.7, needed))


def place_item(drawn: Drawn) -> Places:
    """The item in the middle, its neighbours around it, and their browse nodes outside."""
    (middle,) = drawn.sources("SIMILAR")
    categories = drawn.labelled("BrowseNode")
    neighbours = drawn.beside([one for one in drawn.labelled("Item") if one != middle], categories)
    return {middle: (0.4, 0.5)} | ring(neighbours, 0.28) | ring(drawn.beside(categories, neighbours), 0.44, 0.5)


def place_tree(drawn: Drawn) -> Places:
    """Rings around the root: nodes without children side by side, the others in the middle of theirs."""
    below = drawn.sources("CHILD_OF")
    (root,) = [one for one in drawn.to("CHILD_OF") if one not in below]
    leaves = [one for one in walk(drawn, root) if not drawn.sources("CHILD_OF", one)]
    places = {}

    def put(one: str, radius: float) -> float:
        """Its angle, in leaves."""
        children = drawn.sources("CHILD_OF", one)
        angles = [put(child, radius + 0.22) for child in children] or [float(leaves.index(one))]
        middle = sum(angles) / len(angles)
        angle = 2 * pi * middle / len(leaves) - pi / 2
        places[one] = (0.4 + 0.8 * radius * cos(angle), 0.5 + radius * sin(angle))
        return middle

    put(root, 0.0)
    return places


def walk(drawn: Drawn, one: str) -> list[str]:
    """A node and all below it, each branch in one piece."""
    return [one, *(below for child in drawn.sources("CHILD_OF", one) for below in walk(drawn, child))]


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
    page.wait_for_timeout(SETTLE)  # until it has read from where it may take guides
    banner = page.get_by_text("To help make Neo4j Browser better").locator("xpath=following-sibling::*")
    if banner.count():
        banner.first.click()


def enter(page: Page, command: str) -> None:
    """Type a command into Browser's editor and run it."""
    page.get_by_test_id("activeEditor").locator(".monaco-editor").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(command)
    page.keyboard.press("Control+Enter")


def prepare(page: Page, weight_property: str) -> None:
    """Set the style, and that only the edges of a result are drawn."""
    enter(page, ':config {"autoComplete": false}')
    page.get_by_text("autoComplete").last.wait_for()
    enter(page, f":style {' '.join(style(weight_property).split())}")
    page.get_by_test_id("styleResetButton").wait_for()


def clear(page: Page) -> None:
    for button in page.get_by_title("Close fullscreen").all():
        button.click()
    enter(page, ":clear")
    expect(page.get_by_test_id("frame")).to_have_count(0)


def draw(page: Page, query: str, place: Callable[[Drawn], Places]) -> None:
    """Run a query and bring its nodes into place, large enough to read."""
    clear(page)
    enter(page, query)
    page.locator("svg g.node").first.wait_for()
    page.get_by_title("Fullscreen").last.click()
    page.wait_for_timeout(SETTLE)
    drawn = Drawn(**page.evaluate(DRAWN))
    times = max(0, round(log(SCALE / drawn.scale) / log(ZOOM)))
    drag(page, drawn, place(drawn), ZOOM**times)
    for _ in range(times):
        page.get_by_label("zoom-in").last.click()
        page.wait_for_timeout(500)  # it moves there
    page.wait_for_timeout(SETTLE)


def drag(page: Page, drawn: Drawn, places: Places, zoom: float) -> None:
    """A dragged node stays where it is put: where `zoom` around the middle will bring it into its place."""
    area = page.locator("svg:has(g.node)").bounding_box()
    if area is None:
        return
    for number, node in enumerate(drawn.nodes):
        circle = page.locator("g.node").nth(number).bounding_box()
        if circle and node["id"] in places:
            x, y = (0.5 + (part - 0.5) / zoom for part in places[node["id"]])
            page.mouse.move(circle["x"] + circle["width"] / 2, circle["y"] + circle["height"] / 2)
            page.mouse.down()
            page.mouse.move(area["x"] + x * area["width"], area["y"] + y * area["height"], steps=5)
            page.mouse.up()
    page.mouse.move(area["x"] + 5, area["y"] + 5)


def take(page: Page, name: str) -> None:
    page.screenshot(path=IMAGES / f"{name}.png")
    sys.stdout.write(f"{IMAGES / name}.png\n")


def show_guide(page: Page, status: Status, query: str) -> None:
    """The guide beside the picture that it leads to."""
    clear(page)
    enter(page, f":guide {guide_uri(str(status.browser_uri))}")
    page.get_by_text("The graph is the model").wait_for()
    for _ in range(2):
        page.get_by_text("Next", exact=True).click()
    page.get_by_text("Two hops").wait_for()
    enter(page, query)
    page.locator("svg g.node").first.wait_for()
    page.get_by_label("Collapse the node properties display").last.click()
    page.wait_for_timeout(SETTLE)
    page.get_by_label("zoom-to-fit").last.click()
    page.wait_for_timeout(SETTLE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="pictures to take, such as browser-tree; else all")
    parser.add_argument("--store", help="name of the store; else TWOHOP_STORE")
    parser.add_argument("--user", help="id of the user; else the first one who had 20 items or more")
    parser.add_argument("--item", default="1082185", help="id of the item")
    parser.add_argument("--intent", default="grill-party", help="id of the intent")
    parser.add_argument("--node", default="RESTAURANT", help="id of the browse node")
    asked = parser.parse_args()
    server = ManagedServer(load_settings(asked.store))
    started = server.start()
    try:
        with connect(server.settings) as database:
            live = live_generation(database)
            users = sample(database, n=1, items=20)
        if live is None or not users:
            sys.exit(f"screenshots: store {server.settings.store} has no live weights: make demo first")
        user = asked.user or users[0].id
        paths = query_text("picture", user=user, m=300, k=100, n=4, paths=3)
        IMAGES.mkdir(exist_ok=True)
        with TemporaryDirectory(prefix="twohop-") as profile, sync_playwright() as play:
            page = open_browser(play, profile)
            log_in(page, server.status(), server.password())
            prepare(page, live.weight_property)
            for name, query, place in (
                ("browser", paths, place_paths),
                ("browser-pursued", query_text("pursued_picture", user=user, intents=3, needs=4), place_pursued),
                ("browser-intent", query_text("intent_picture", intent=asked.intent, n=7), place_intent),
                ("browser-item", query_text("item_picture", item=asked.item, n=8), place_item),
                ("browser-tree", query_text("browse_picture", node=asked.node, levels=2, n=30), place_tree),
            ):
                if name in (asked.names or [name]):
                    draw(page, query, place)
                    take(page, name)
            if "browser-guide" in (asked.names or ["browser-guide"]):
                show_guide(page, server.status(), paths)
                take(page, "browser-guide")
            page.context.close()
    finally:
        if started:
            server.stop()


if __name__ == "__main__":
    try:
        main()
    except TwohopError as error:
        sys.exit(f"screenshots: {error}")
