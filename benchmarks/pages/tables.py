"""What all pages are made of: files of results, and estimates as text."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "results"


def read(name: str) -> Any:
    file = FOLDER / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def sections(parts: dict[str, Callable[[Any], str]]) -> list[str]:
    found = {name: read(name) for name in parts}
    return [part(found[name]) for name, part in parts.items() if found[name]]


def interval(found: Sequence[float] | None) -> str:
    return "" if found is None else f"{found[0]:.3f} ({found[1]:.3f} to {found[2]:.3f})"
