"""A small shop in the test's own files, and the whole line run on it once by the command itself."""

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.command import app
from graph.driver import Database
from graph.server import ManagedServer

USERS, ITEMS, GROUPS = 40, 60, ("Grill", "Baking", "Garden", "Office")
EVENTS = 9  # of each user, the last one held out
MAPPING = """
source: {id: small-shop, note: made up for tests, hold_out: last}
users: {file: customers.csv, columns: {id: customer}, profile: [age_band]}
items:
  file: articles.csv
  columns: {id: sku, title: name, brand: brand, price: price, available: in_stock}
  browse: {path: [group]}
interactions:
  file: orders.csv
  columns: {user: customer, item: sku, kind: {value: purchase}, time: ordered, session: basket}
"""
RECIPE = """
pairs: {candidates: 30, window: 5, trend: 0.5, trend_days: 10}
network: {embedding: 4, hidden: 8, direct: 4}
sampling: {triggers: 10, negatives: 8, batch: 32}
epochs: 3
learning_rate: 0.01
validation_users: 20
similar: 15
"""
DELETE_ALL = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS"


def group_of(item: str) -> str:
    """Items g00 to g14 are of the first group, and so on."""
    return GROUPS[int(item[1:]) // (ITEMS // len(GROUPS))]


def user_group(user: str) -> str:
    return GROUPS[int(user[1:]) % len(GROUPS)]


def write_shop(folder: Path) -> None:
    """40 users who nearly always buy within their group of 15 items; the last row of the orders is no good."""
    draw = random.Random(7)
    items = [f"g{number:02}" for number in range(ITEMS)]
    users = [f"u{number:02}" for number in range(USERS)]
    orders = []
    for user in users:
        own = [item for item in items if group_of(item) == user_group(user)]
        *chosen, last = draw.sample(own, EVENTS - 1)
        chosen.append(draw.choice([item for item in items if item not in own]))
        draw.shuffle(chosen)
        chosen.append(last)
        start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=draw.randrange(500))
        for place, item in enumerate(chosen):
            orders.append([user, item, (start + timedelta(days=place)).isoformat(), f"b{place}"])
    orders.append(["u00", "g00", "yesterday", "b99"])
    tables = {
        "customers.csv": [["customer", "age_band"], *([user, draw.choice(["young", "old"])] for user in users)],
        "articles.csv": [
            ["sku", "name", "brand", "price", "group", "in_stock"],
            *(
                [item, f"{group_of(item)} [no. {item}]", f"b{place % 5}", place, group_of(item), "yes"]
                for place, item in enumerate(items)
            ),
        ],
        "orders.csv": [["customer", "sku", "ordered", "basket"], *orders],
    }
    for file, rows in tables.items():
        with (folder / file).open("w", newline="") as stream:
            csv.writer(stream).writerows(rows)
    (folder / "shop.yaml").write_text(MAPPING)
    (folder / "recipe.yaml").write_text(RECIPE)


def twohop(*words: str) -> Result:
    """Run the command in this process. What it raises but its exit is a bug."""
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


def answer(*words: str) -> Any:
    """The one JSON document of a reading command that succeeds."""
    result = twohop(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(*words: str) -> str:
    """What a command says that fails: the last line of stderr, all others being steps; nothing on stdout."""
    result = twohop(*words)
    assert result.exit_code == 1
    assert result.stdout == ""
    *steps, line = result.stderr.splitlines()
    assert line.startswith("twohop: ")
    assert not [step for step in steps if step.startswith("twohop: ")]
    return line


@dataclass(frozen=True)
class Line:
    """What the commands of the line said, one after the other, on an empty store at first."""

    folder: Path
    environment: dict[str, str | None]
    results: dict[str, Result]


@pytest.fixture(scope="session")
def line(server: ManagedServer, database: Database, tmp_path_factory: pytest.TempPathFactory) -> Line:
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder)
    environment = {
        "NEO4J_URI": server.status().bolt_uri,
        "NEO4J_PASSWORD": server.password(),
        "TWOHOP_HOME": str(folder / "home"),
        "TWOHOP_STORE": "small-shop",
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "160",
    }
    database.write_in_batches(DELETE_ALL)
    results = {}
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, folder, environment)
        for name, words in {
            "train of nothing": ("train", "pdn"),
            "load": ("load", "tables", "--mapping", "shop.yaml"),
            "recommend too early": ("recommend", "u00"),
            "train": ("train", "pdn", "--recipe", "recipe.yaml", "--seed", "1"),
            "index": ("index",),
        }.items():
            results[name] = twohop(*words)
    return Line(folder, environment, results)


def enter(patch: pytest.MonkeyPatch, folder: Path, environment: dict[str, str | None]) -> None:
    patch.chdir(folder)  # no .env
    patch.delenv("TWOHOP_DATA", raising=False)
    for name, value in environment.items():
        patch.setenv(name, str(value))


@pytest.fixture
def shop(line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """The loaded, trained and indexed small shop is the store of the commands."""
    enter(monkeypatch, line.folder, line.environment)
    return line
