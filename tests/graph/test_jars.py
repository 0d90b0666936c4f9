"""The locked jars: fetched from a real repository on the loopback address, checked, never half there."""

import functools
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from graph.errors import DownloadFailed
from graph.jars import NEO4J, Jar, fetch, read_lock

CONTENT = {f"org/example/jar-{number}/1.0/jar-{number}-1.0.jar": bytes([number]) * 5000 for number in range(20)}
JARS = [Jar(path, sha256(content).hexdigest()) for path, content in CONTENT.items()]


class Repository(SimpleHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the repository serves."""
    for path, content in CONTENT.items():
        file = tmp_path / "served" / path
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    return tmp_path / "served"


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def repository(folder: Path, asked: list[str]) -> Iterator[str]:
    handler = type("Handler", (Repository,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_lock_holds_neo4j_with_a_checksum_for_each_jar() -> None:
    names = {jar.name for jar in read_lock()}
    assert {f"neo4j-{NEO4J}.jar", f"neo4j-server-{NEO4J}.jar", "neo4j-browser-5.24.0.jar"} <= names
    assert len(names) == len(read_lock())
    assert all(len(jar.sha256) == 64 for jar in read_lock())


def test_lock_without_a_checksum_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock.toml"
    lock.write_text('[[dependencies]]\ngroupId = "a.b"\nartifactId = "c"\nversion = "1"\n')
    with pytest.raises(DownloadFailed, match=r"c-1\.jar has no sha256"):
        read_lock(lock)


def test_fetches_all_then_nothing(repository: str, cache: Path, asked: list[str]) -> None:
    paths = fetch(repository, cache, JARS)
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())
    assert files_in(cache) == sorted(paths)
    assert len(asked) == len(JARS)
    assert fetch(repository, cache, JARS) == paths
    assert len(asked) == len(JARS)


def test_fetches_again_what_is_damaged_or_gone(repository: str, cache: Path, asked: list[str]) -> None:
    paths = fetch(repository, cache, JARS)
    paths[3].write_bytes(b"damaged")
    paths[5].unlink()
    asked.clear()
    assert fetch(repository, cache, JARS)[3].read_bytes() == CONTENT[JARS[3].path]
    assert sorted(asked) == sorted(f"/{JARS[number].path}" for number in (3, 5))


def test_refuses_a_jar_that_is_not_the_locked_one(repository: str, cache: Path, folder: Path) -> None:
    (folder / JARS[7].path).write_bytes(b"something else")
    with pytest.raises(DownloadFailed, match=r"jar-7-1\.0\.jar: the file's sha256 isn't the locked"):
        fetch(repository, cache, JARS)
    assert not (cache / JARS[7].path).exists()
    assert all(path.suffix == ".jar" for path in files_in(cache))


def test_says_what_a_repository_lacks(repository: str, cache: Path, folder: Path) -> None:
    (folder / JARS[0].path).unlink()
    with pytest.raises(DownloadFailed, match=r"can't fetch jar-0-1\.0\.jar from .*: the server answered 404") as caught:
        fetch(repository, cache, JARS)
    assert "\n" not in str(caught.value)
    assert not (cache / JARS[0].path).exists()
