"""`make install` where it cannot work: one clear line, and no environment that counts as made."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.faults


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What make install reads, in a folder of its own."""
    for name in ("Makefile", "install.py", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    shutil.copytree(REPOSITORY / "locks", tmp_path / "locks")
    return tmp_path


def make_install(tree: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Without uv on the path."""
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    path = os.pathsep.join(str(folder) for folder in folders if not (folder / "uv").exists())
    return subprocess.run(
        ["make", "install", f"PYTHON={sys.executable}", *words],
        cwd=tree,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_network_leaves_no_stamp(tree: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_FIND_LINKS": ""}
    nowhere |= {"https_proxy": "http://127.0.0.1:9", "PIP_NO_CACHE_DIR": "1"}
    failed = make_install(tree, **nowhere)
    assert failed.returncode != 0
    assert "make install: installation failed" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (tree / ".venv" / "installed").exists()


def test_no_python(tree: Path) -> None:
    failed = make_install(tree, "PYTHON=python3.no")
    assert failed.returncode != 0
    assert failed.stderr.splitlines()[0] == "make install: no python3.no here: install Python 3.11 or newer"


def test_python_too_old(tree: Path) -> None:
    old = "import install, sys; sys.version_info = (3, 10, 2, 'final', 0); install.main()"
    failed = subprocess.run([sys.executable, "-c", old], cwd=tree, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1
    assert "Python 3.11 or newer is needed" in failed.stderr


def test_changed_lock_is_installed_again(tree: Path) -> None:
    """The stamp is of the files' content, so a clone's new times change nothing and a new lock does."""
    shown = "import install, sys; sys.stdout.write(install.fingerprint())"

    def fingerprint() -> str:
        done = subprocess.run([sys.executable, "-c", shown], cwd=tree, capture_output=True, text=True, check=True)
        return done.stdout

    before = fingerprint()
    os.utime(tree / "locks" / "main.txt", (0, 0))
    assert fingerprint() == before
    with (tree / "locks" / "main.txt").open("a") as lock:
        lock.write("# changed\n")
    assert fingerprint() != before
