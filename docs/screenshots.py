"""Take the pictures of the documents from a running store: `make screenshots`.

Chromium (Debian's package `chromium`) logs in to Neo4j Browser as a person would, runs `cypher/picture.cypher`, and
`docs/images/browser.png` is what it shows.
"""

import argparse
import re
import shutil
import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import BrowserContext, Page, sync_playwright

from cypher.sample import sample
from graph.driver import connect
from graph.errors import TwohopError
from graph.generations import live_generation
from graph.server import ManagedServer, Status
from graph.settings import load_settings
from graph.statements import statement

IMAGES = Path(__file__).parent / "images"
STYLE = Path(__file__).parent / "browser.grass"
SIZE = {"width": 1440, "height": 960}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PARAMETER = re.compile(r"^// (:param (\w+) => .*?);", re.MULTILINE)


def commands(user: str, weight_property: str, items: int, paths: int) -> list[str]:
    """What a person types into Browser: the style, the parameters of the header with their values, the statement."""
    text = statement("picture", "cypher")
    given = {"user": f"'{user}'", "n": str(items), "paths": str(paths)}
    style = " ".join(STYLE.read_text(encoding="utf-8").split()).replace("weight_1", weight_property)
    parameters = [
        f":param {name} => {given[name]}" if name in given else line for line, name in PARAMETER.findall(text)
    ]
    return [f":style {style}", *parameters, text]


def log_in(page: Page, status: Status, password: str) -> None:
    page.goto(str(status.browser_uri))
    page.get_by_test_id("boltaddress").fill(str(status.bolt_uri).removeprefix("bolt://"))
    page.get_by_test_id("username").fill("neo4j")
    page.get_by_test_id("password").fill(password)
    page.get_by_test_id("connect").click()
    page.get_by_test_id("connect").wait_for(state="detached")


def type_command(page: Page, command: str) -> None:
    page.locator(".monaco-editor").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(command)
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(700)


def open_context(profile: str, executable: str, play) -> BrowserContext:
    context = play.chromium.launch_persistent_context(
        profile, executable_path=executable, args=list(FLAGS), viewport=SIZE, device_scale_factor=1
    )
    context.route(lambda url: not url.startswith("http://127.0.0.1:"), lambda route: route.abort())
    return context
