"""The newcomer's documents: every command in them is there, every link leads somewhere, every setting is listed."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.command import app
from graph.settings import Settings

REPOSITORY = Path(__file__).parent.parent
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")])
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
# Documents whose requests tests/api/test_rest_doc.py sends, one after the other.
SENT = ("README.md", "docs/events.md", "docs/rest.md")
# Commands of other programs, each as it stands in a document, with what runs it.
ELSEWHERE = {
    "docker compose up": "tests/test_compose.py checks the file",
    "docker compose run --rm api twohop keys create --role admin --name operator": "tests/api/commands/test_keys.py",
    ".venv/bin/pip install 'twohop[spark]'": "install.py installs all extras",
    ".venv/bin/pip install 'twohop[traces]'": "install.py installs all extras",
    "python3 -m venv .venv": "install.py",
    ".venv/bin/pip install --index-url https://download.pytorch.org/whl/cpu torch": "install.py",
    ".venv/bin/pip install --editable .": "install.py",
    "ruff check --fix": "make test, without --fix",
    "ruff format": "make test, with --check",
    "mypy": "make test",
    "lint-imports": "make test",
}


def relative(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def statements(block: str) -> Iterator[str]:
    """The commands of a block, each with all of its lines where a quote goes on."""
    begun: list[str] = []
    for line in block.splitlines():
        begun.append(line)
        try:
            words = shlex.split("\n".join(begun), comments=True)
        except ValueError:  # an open quote
            continue
        if words:
            yield "\n".join(begun).strip()
        begun = []
    assert not begun, f"an open quote: {begun}"


def is_sent(document: Path, command: str) -> bool:
    return relative(document) in SENT and command.split(maxsplit=1)[0] in ("curl", "export")


def commands() -> list[str]:
    """Each command of the `sh` blocks once, but for those that test_rest_doc.py sends."""
    found = {
        command
        for document in DOCUMENTS
        for block in BLOCK.findall(document.read_text("utf-8"))
        for command in statements(block)
        if not is_sent(document, command)
    }
    return sorted(found)


@pytest.mark.parametrize("line", commands())
def test_command_exists(line: str) -> None:
    if line in ELSEWHERE:
        return
    program, *words = shlex.split(line)
    if program == "make":
        targets = subprocess.run(["make", "-n", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert targets.returncode == 0, targets.stderr
    elif program == "pytest":
        paths = [word for word in words if "/" in word]
        assert all((REPOSITORY / path).exists() for path in paths)
    else:
        assert program == "twohop", f"nothing runs {line!r}: add it to ELSEWHERE with what does"
        # With --help the words before it are parsed, and nothing is run.
        shown = CliRunner().invoke(app, [*words, "--help"])
        assert shown.exit_code == 0, shown.output


def test_documents_have_commands() -> None:
    assert {"make demo", "make test"} <= set(commands())


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_links_lead_somewhere(document: Path) -> None:
    lost = []
    for link, anchor in LINK.findall(document.read_text("utf-8")):
        target = document.parent / link if link else document
        if "://" not in link and not (target.exists() and (not anchor or anchor in anchors(target))):
            lost.append(f"{link}#{anchor}")
    assert lost == []


def anchors(document: Path) -> set[str]:
    """What GitHub calls the headings of a document by."""
    headings = HEADING.findall(BLOCK.sub("", document.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_blocks_of_commands_are_marked(document: Path) -> None:
    """A block without a language would slip past these tests."""
    opened = re.findall(r"^```(\S*)$", document.read_text("utf-8"), re.MULTILINE)[::2]
    assert "" not in opened


def test_settings_are_listed() -> None:
    names = {field.alias for field in Settings.model_fields.values()}
    listed = set(re.findall(r"`((?:TWOHOP|NEO4J)_\w+)`", (REPOSITORY / "README.md").read_text("utf-8")))
    assert names == listed
    example = set(re.findall(r"(\w+)=", (REPOSITORY / ".env.example").read_text("utf-8")))
    assert example <= names


def test_targets_are_explained() -> None:
    """`make help` lists every target."""
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]
    shown = subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make (\w+)", shown, re.MULTILINE)) == targets
