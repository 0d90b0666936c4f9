"""Reading a load's quarantine file and counts in tests."""

import json
from typing import Any

from loaders import Loaded


def quarantined(loaded: Loaded) -> list[dict[str, Any]]:
    if loaded.quarantine is None:
        return []
    return [json.loads(line) for line in loaded.quarantine.read_text(encoding="utf-8").splitlines()]


def told(loaded: Loaded) -> list[tuple[int, str | None, str | None, str]]:
    """(line, column, value, reason) of all rejected rows."""
    return [(row["line"], row["column"], row["value"], row["reason"]) for row in quarantined(loaded)]


def check_counts(loaded: Loaded) -> None:
    """Each count adds up, and the tables and the quarantine file have as many rows as the counts say."""
    rejected, tables = quarantined(loaded), loaded.tables
    heights = {
        "users": tables.users.height,
        "items": tables.items.height,
        "interactions": tables.interactions.height + tables.held_out.height,
        "exposures": 0 if tables.exposures is None else tables.exposures.height,
        "browse_nodes": tables.browse_nodes.height,
    }
    for name, count in loaded.counts.items():
        assert count.read + count.made == count.stored + count.quarantined + count.duplicates, name
        assert count.stored == heights[name], name
        assert count.quarantined == sum(row["table"] == name for row in rejected), name
