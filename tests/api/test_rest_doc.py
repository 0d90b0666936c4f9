"""Every request in the documents is sent, by curl and by the Python client, as it stands there."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from api.client import Client
from api.web.app import create_app
from graph.catalogue import delete_user
from graph.driver import Database
from graph.errors import NotFound
from graph.generations import drop, list_generations, live_generation, switch
from graph.keys import create_key
from graph.settings import Settings
from tests.api.conftest import Line, enter, twohop
from tests.api.serving import served
from tests.api.shop_intents import linked_intents
from tests.test_readme import REPOSITORY, SENT, statements

BLOCK = re.compile(r"^```(sh|python|json|jsonl)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What stands in the documents, and what the small shop has in its place.
NAMES = {
    r"https?://(127\.0\.0\.1|localhost):8000": "{address}",
    r"th_\w{12}_\w{43}": "{key}",
    r"(?<=users/)1\b|(?<=\")1(?=\")": "{user}",
    r"\b1082185\b": "g07",
    r"\b1029743\b": "g01",
    r"\b1127831\b": "g09",
    r"GROCERY(/|%2F)SOFT(%20| )DRINKS|GROCERY": "Grill",
    r'"age": "\d\d-\d\d"': '"age_band": "old"',
    r"(?<=generations/)3\b|(?<=\"challenger\": )3\b|(?<=generation\()3\b|(?<=experiment\()3\b": "{other}",
}
# `curl` fails where the server refuses.
SHELL = """
set -eu
curl() { command curl --fail-with-body --silent --show-error --max-time 60 "$@"; }
"""
USERS = {
    "README.md": "mia",
    "docs/events.md": "anna",
    "docs/rest.md": "u00",
}  # in the place of user 1


def blocks(document: str) -> list[tuple[str, str]]:
    return BLOCK.findall((REPOSITORY / document).read_text("utf-8"))


@pytest.fixture(scope="module")
def names(line: Line, database: Database) -> Iterator[dict[str, str]]:
    """What the documents' names are in the small shop, which is served, with its intents and two generations."""
    live = live_generation(database).id
    with pytest.MonkeyPatch.context() as patch, linked_intents(line, database):
        enter(patch, line.folder, line.environment)
        assert twohop("index", "--no-switch", "-k", "3").exit_code == 0
        other = list_generations(database)[0].id
        key = create_key(database, "documents", "admin")[1]
        database.write("MERGE (:User {id: 'mia'})")  # a user of README's own, whose events leave with her
        with served() as address:
            yield {"address": address, "key": key, "other": str(other)}
        switch(database, live)
        drop(database, other)
        for user in ("anna", "mia"):
            with suppress(NotFound):  # docs/rest.md deletes anna
                delete_user(database, user)


def local(text: str, names: dict[str, str]) -> str:
    for pattern, name in NAMES.items():
        put = name.format(**names)
        text = re.sub(pattern, lambda _, put=put: put, text)
    return text


def send(command: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", SHELL + command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def keys(document: Any) -> Any:
    """The names in a JSON document, and those in the first entry of each list."""
    if isinstance(document, dict):
        return {name: keys(value) for name, value in document.items()}
    return [keys(document[0])] if isinstance(document, list) and document else None


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("document", SENT)
def test_every_request_is_taken(
    document: str, names: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = os.environ | {"API": names["address"], "KEY": names["key"]}
    for name in ("API", "KEY"):
        monkeypatch.setenv(name, environment[name])
    for kind, text in blocks(document):
        if kind == "jsonl":
            (tmp_path / "events.jsonl").write_text(local(text, names | {"user": USERS[document]}))
    python: dict[str, Any] = {}
    answer = ""
    for kind, text in blocks(document):
        here = local(text, names | {"user": USERS[document]})
        if kind == "python":
            exec(compile(here, document, "exec"), python)  # noqa: S102  our own document
        elif kind == "json" and answer:
            assert keys(json.loads(text)) == keys(json.loads(answer))
        elif kind == "sh":
            sent = [command for command in statements(here) if command.startswith("curl")]
            answers = [send(command, tmp_path, environment) for command in sent]
            answer = answers[0] if len(answers) == 1 else ""
            continue
        answer = ""


def test_every_route_is_shown_twice() -> None:
    """By a line of curl and by a line of the Python client."""
    document = create_app(Settings(_env_file=None)).openapi()
    routes = {
        one["operationId"]: (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    }
    found = blocks("docs/rest.md")
    requests = [
        request(command) for kind, text in found if kind == "sh" for command in statements(text) if "curl" in command
    ]
    shown = {
        name
        for name, (method, path) in routes.items()
        for one in requests
        if one[0] == method and path.fullmatch(one[1])
    }
    assert routes.keys() - shown == set()
    called = {name for kind, text in found if kind == "python" for name in re.findall(r"client\.(\w+)\(", text)}
    assert {name for name in vars(Client) if not name.startswith("_")} == called


def request(command: str) -> tuple[str, str]:
    """Method and path of a line of curl; an id's own slashes stay escaped."""
    method = re.search(r"-X (\w+)", command)
    path = urlsplit(command.rsplit(maxsplit=1)[-1].strip('"').replace("$API", "http://api")).path
    body = re.search(r" (-d|--data-binary) ", command)
    return method[1] if method else "POST" if body else "GET", path
