"""The example of docs/pyg.md runs as it stands there, and its model learns."""

import re
from pathlib import Path
from typing import Any

import pytest

from graph.driver import Database
from graph.server import ManagedServer

DOC = Path(__file__).resolve().parents[3] / "docs" / "pyg.md"


@pytest.mark.usefixtures("shop")
def test_the_example_runs(database: Database, server: ManagedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", database.address)
    monkeypatch.setenv("NEO4J_PASSWORD", server.password())
    [example] = re.findall(r"^```python\n(.*?)^```", DOC.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    # Smaller batches: the shop has 30 users, and one batch of 512 would be all of it.
    exec(compile(example.replace("512", "8"), str(DOC), "exec"), names)  # noqa: S102  our own document
    losses = names["losses"]
    assert sum(losses[-4:]) < sum(losses[:4])
