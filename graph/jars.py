"""Jars, of Neo4j and of the window: resolved once into a committed lock, then fetched by it and checked.

`neo4j.lock.toml` names each of Neo4j's jars with its sha256. A start reads only that: resolving some 300 POMs takes
minutes. To move to another Neo4j 5.26 set `NEO4J` and make the lock again: `python -m graph.jars lock`.
`window.lock.toml` does the same for the library that draws graphs (`python -m graph.jars lock window`), and
`spark.lock.toml` for what Spark is given besides its own (`python -m graph.jars lock spark`).
"""

import sys
import tempfile
import time
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from hashlib import file_digest
from importlib.resources import files
from pathlib import Path

import httpx
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.env import LockFile
from platformdirs import user_cache_path

from graph.errors import DownloadFailed
from graph.files import replacing
from graph.progress import console, step

NEO4J = "5.26.30"
ROOTS = (
    f"org.neo4j:neo4j:{NEO4J}",
    f"org.neo4j.app:neo4j-server:{NEO4J}",
    "org.neo4j.client:neo4j-browser:5.24.0",
)
CYTOSCAPE = "3.33.1"
WINDOW_ROOTS = (f"org.webjars.npm:cytoscape:{CYTOSCAPE}",)
LOCK = Path(str(files("graph").joinpath("neo4j.lock.toml")))
WINDOW_LOCK = Path(str(files("graph").joinpath("window.lock.toml")))
# The connector's jar holds all that it needs. What Arrow is for says graph/spread.py.
SPARK_ROOTS = (
    "org.neo4j:neo4j-connector-apache-spark_2.12:5.0.3_for_spark_3",
    "org.apache.arrow:arrow-memory-core:14.0.2",
)
SPARK_LOCK = Path(str(files("graph").joinpath("spark.lock.toml")))
LOCKS = {"neo4j": (LOCK, ROOTS), "window": (WINDOW_LOCK, WINDOW_ROOTS), "spark": (SPARK_LOCK, SPARK_ROOTS)}
ALONE = ("spark",)  # locks of jars without what they depend on
DOWNLOADS = 8  # at once
TRIES = 3


@dataclass(frozen=True)
class Jar:
    """One locked jar: `path` is its place in a Maven repository and in the cache."""

    path: str
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def read_lock(lock: Path = LOCK) -> list[Jar]:
    """All jars of a lock, in class path order. Raises `DownloadFailed` for a jar without a checksum."""
    jars = []
    for locked in LockFile.load(lock).dependencies:
        classifier = f"-{locked.classifier}" if locked.classifier else ""
        name = f"{locked.artifactId}-{locked.version}{classifier}.{locked.packaging}"
        path = "/".join((*locked.groupId.split("."), locked.artifactId, locked.version, name))
        if not locked.sha256:
            raise DownloadFailed(f"{lock}: {name} has no sha256; make the lock again (python -m graph.jars)")
        jars.append(Jar(path, locked.sha256))
    return jars


def cache_folder() -> Path:
    """Where jars are kept for all stores of this user."""
    return user_cache_path("twohop") / "jars"


def fetch(
    repository: str | None = None,
    cache: Path | None = None,
    jars: list[Jar] | None = None,
    what: str = f"Neo4j {NEO4J}",
) -> list[Path]:
    """Paths of all locked jars, in class path order; the missing and the damaged ones are downloaded.

    Args:
        repository: address of a Maven repository; None is Maven Central.
        cache: folder that keeps them; None is the user's.
        jars: None is Neo4j's.
        what: what they are, for the line of progress.

    Raises `DownloadFailed` where a jar can't be had or isn't the locked one; the cache holds whole jars only.
    """
    address = (repository or MAVEN_CENTRAL_URL).rstrip("/")
    folder = cache or cache_folder()
    wanted = read_lock() if jars is None else jars
    missing = [jar for jar in wanted if not _is_whole(folder / jar.path, jar)]
    if missing:
        _download_all(missing, address, folder, what)
    return [folder / jar.path for jar in wanted]


def _is_whole(path: Path, jar: Jar) -> bool:
    try:
        with path.open("rb") as content:
            return file_digest(content, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False


def _download_all(jars: list[Jar], repository: str, folder: Path, what: str) -> None:
    with (
        step(f"Fetching {what}", total=len(jars)) as shown,
        httpx.Client(timeout=30, follow_redirects=True) as client,
        ThreadPoolExecutor(DOWNLOADS) as pool,
    ):

        def count(future: Future[None]) -> None:
            if not future.cancelled():
                shown.advance()

        downloads = [pool.submit(_download, client, jar, repository, folder) for jar in jars]
        for download in downloads:
            download.add_done_callback(count)
        done, waiting = wait(downloads, return_when=FIRST_EXCEPTION)
        for download in waiting:
            download.cancel()  # one jar that can't be had is enough to stop
        for download in done:
            download.result()


def _download(client: httpx.Client, jar: Jar, repository: str, folder: Path) -> None:
    """Put one jar in the cache, whole and checked, or raise `DownloadFailed`."""
    url = f"{repository}/{jar.path}"
    for attempt in range(1, TRIES + 1):
        try:
            with replacing(folder / jar.path) as part:
                with part.open("wb") as content, client.stream("GET", url) as answer:
                    answer.raise_for_status()
                    for chunk in answer.iter_bytes():
                        content.write(chunk)
                if not _is_whole(part, jar):
                    raise DownloadFailed(f"{url}: the file's sha256 isn't the locked {jar.sha256}; nothing was kept")
            return
        except httpx.HTTPError as error:
            passing = not isinstance(error, httpx.HTTPStatusError) or error.response.status_code >= 500
            if attempt == TRIES or not passing:
                raise DownloadFailed(
                    f"can't fetch {jar.name} from {repository}: {_reason(error)}; "
                    "check the network, or set TWOHOP_MAVEN_URL to a repository you can reach"
                ) from None
            time.sleep(attempt)
        except OSError as error:
            raise DownloadFailed(f"can't write {folder / jar.path}: {error.strerror}") from None


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answered {error.response.status_code}"
    return str(error) or type(error).__name__


def lock(target: Path = LOCK, wanted: tuple[str, ...] = ROOTS, alone: bool = False) -> int:
    """Resolve the jars `wanted` with all they depend on; write the lock. Returns how many jars. Takes minutes.

    `alone`: without what they depend on.
    """
    from jgo.maven import MavenContext  # noqa: PLC0415  only here: a start resolves nothing

    with tempfile.TemporaryDirectory() as repository:
        context = MavenContext(repo_cache=Path(repository))
        asked = [context.create_dependency(root) for root in wanted]
        roots, rest = (asked, []) if alone else context.resolver.resolve(asked)
        made = LockFile.from_resolved_dependencies([*roots, *rest])
        with replacing(target) as part:
            made.save(part)
            part.chmod(0o644)
    return len(made.dependencies)


if __name__ == "__main__":
    command, name = (*sys.argv[1:], "neo4j")[:2] if len(sys.argv) in (2, 3) else ("", "")
    if command != "lock" or name not in LOCKS:
        sys.exit(f"usage: python -m graph.jars lock [{'|'.join(LOCKS)}]")
    with step(f"Resolving the jars of {name}"):
        count = lock(*LOCKS[name], alone=name in ALONE)
    console.print(f"{LOCKS[name][0]}: {count} jars")
