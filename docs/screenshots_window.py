"""Take the pictures of the window for the documents from a running store: `make screenshots`.

Chromium (Debian's package `chromium`) opens the page as a person would: `docs/images/window-*.png` is what it shows.
"""

import argparse
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from playwright.sync_api import Page, expect, sync_playwright

from api.web.app import create_app
from graph.settings import load_settings

IMAGES = Path(__file__).parent / "images"
PATIENCE = 60  # seconds until the server is ready
SHOTS = (  # name, size, scheme, what the address says beside the user
    ("light", (1440, 1010), "light", ""),
    ("dark", (1440, 1010), "dark", "&m=20&item={first}"),
    ("phone", (390, 844), "light", "&item={first}"),
)


@contextmanager
def serve(store: str | None) -> Iterator[tuple[str, str]]:
    """Address and key of the app, served from here."""
    app = create_app(load_settings(store))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.1)
        address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        end = time.monotonic() + PATIENCE
        while httpx.get(f"{address}/health/ready").status_code != 200:
            if time.monotonic() > end:
                sys.exit("screenshots: the server is not ready: twohop neo4j start, and make demo before")
            time.sleep(0.5)
        yield address, app.state.keys.make_own("write")
    finally:
        server.should_exit = True
        thread.join()


def take(page: Page, address: str, key: str, user: str, rest: str, file: Path) -> None:
    """The page with all its parts loaded and drawn."""
    page.goto("about:blank")
    page.goto(f"{address}/#key={key}&user={user}{rest}")
    page.locator("#next li[data-id]").first.wait_for(state="attached")
    page.locator("#shopper .canvas canvas:visible").first.wait_for()
    expect(page.locator("[aria-busy]")).to_have_count(0, timeout=PATIENCE * 1000)
    page.wait_for_timeout(300)
    page.screenshot(path=file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", help="name of the store; else TWOHOP_STORE")
    parser.add_argument("--user", default="1", help="id of the shopper")
    parser.add_argument("--folder", type=Path, default=IMAGES)
    asked = parser.parse_args()
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        sys.exit("screenshots: chromium is not installed (Debian, Ubuntu: apt install chromium)")
    asked.folder.mkdir(exist_ok=True)
    with serve(asked.store) as (address, key), sync_playwright() as play:
        said = httpx.get(
            f"{address}/users/{asked.user}/recommendations", params={"k": 1}, headers={"X-API-Key": key}, timeout=30
        )
        said.raise_for_status()
        first = said.json()["items"][0]["id"]
        browser = play.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for name, (width, height), scheme, rest in SHOTS:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                device_scale_factor=1.25,
                reduced_motion="reduce",
            )
            file = asked.folder / f"window-{name}.png"
            take(page, address, key, asked.user, rest.format(first=first), file)
            sys.stdout.write(f"{file}\n")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
