"""Neo4j Browser as a managed server serves it: the locked jar, with Twohop's guide, style and saved scripts added.

Neo4j serves all that lies in the folder `browser` of the first jar that has one. So a copy of Browser's jar that has
some files more makes Neo4j serve them too, at `/browser/twohop/`, without another server or another origin.
"""

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from graph.files import replacing

DOCUMENTS = Path(__file__).parent.parent / "docs"
PAGES = {  # name in Browser -> file of the documents
    "guide.html": "browser/guide.html",
    "favourites.zip": "browser/favourites.zip",
    "style.grass": "browser.grass",
    "thickness.js": "browser/thickness.js",
}
ROOT = "browser/"
FOLDER = "twohop"
ADDRESS = "{{address}}"  # in the guide: where it and the other files are
INDEX = ROOT + "index.html"
SCRIPTS = '<script src="'  # the first of Browser's own scripts: ours comes before it
JAR = "neo4j-browser-"


def guide_uri(browser_uri: str) -> str:
    """Address of the guide, for Browser's command `:guide`, from Browser's own address."""
    return f"{browser_uri}{FOLDER}/guide.html"


def read_page(name: str, address: str) -> bytes:
    """One of `PAGES` as it is served below `address`. Raises `OSError` where the documents are not installed."""
    content = (DOCUMENTS / PAGES[name]).read_bytes()
    return content.replace(ADDRESS.encode(), address.encode()) if name.endswith(".html") else content


def without_browser(jars: Sequence[Path]) -> list[Path]:
    return [jar for jar in jars if not jar.name.startswith(JAR)]


def with_pages(jars: Sequence[Path], target: Path, browser_uri: str) -> list[Path]:
    """The class path `jars` with a copy of Browser's jar, `target`, that has Twohop's pages, in the place of its own.

    It stands last: all before it is the same for every store, which Java's archive of classes depends on. Browser stays
    as it is where the documents are not installed. Raises `OSError` where nothing can be written.
    """
    own = [jar for jar in jars if jar.name.startswith(JAR)]
    if all((DOCUMENTS / file).is_file() for file in PAGES.values()):
        own = [_add_pages(jar, target, browser_uri) for jar in own]
    return [*without_browser(jars), *own]


def _add_pages(jar: Path, target: Path, browser_uri: str) -> Path:
    with replacing(target) as part:
        shutil.copyfile(jar, part)
        with zipfile.ZipFile(part, "a", zipfile.ZIP_DEFLATED) as copy:
            index = copy.read(INDEX).decode()
            # The new page takes the old one's place in the table of contents, the only thing that is read.
            copy.filelist.remove(copy.NameToInfo.pop(INDEX))
            script = f'{SCRIPTS}{FOLDER}/thickness.js"></script>{SCRIPTS}'
            copy.writestr(INDEX, index.replace(SCRIPTS, script, 1))
            for name in PAGES:
                copy.writestr(f"{ROOT}{FOLDER}/{name}", read_page(name, f"{browser_uri}{FOLDER}"))
    return target
