"""The example of docs/loading.md, taken from its text: it loads, and rejects what the text says."""

import json
import re
from pathlib import Path

import loaders
from tests.loaders.rejected import check_counts, quarantined

DOC = Path(__file__).resolve().parents[2] / "docs" / "loading.md"


def test_the_documented_example_does_what_is_said(tmp_path: Path, own_settings):
    text = DOC.read_text(encoding="utf-8")
    mapping = re.search(r"```yaml\n(# shop\.yaml\n.*?)```", text, re.DOTALL)
    (tmp_path / "shop.yaml").write_text(mapping[1], encoding="utf-8")
    files = re.findall(r"^`([\w.-]+)`\n\n```\w+\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in files] == ["customers.csv", "articles.jsonl", "orders-2024.csv", "leaflets.tsv"]
    for name, content in files:
        (tmp_path / name).write_text(content, encoding="utf-8")
    loaded = loaders.load("tables", own_settings, mapping=tmp_path / "shop.yaml")
    said = re.search(r"```jsonl\n(.*?)```", text, re.DOTALL)
    assert quarantined(loaded) == [json.loads(line) for line in said[1].splitlines()]
    assert loaded.quarantine == own_settings.quarantine_folder / "my-shop.jsonl"
    check_counts(loaded)
    tables = loaded.tables
    assert tables.source.first_week == 1_704_067_200
    assert tables.users.rows() == [("c1", "25-34", 2), ("c2", "35-44", None)]
    assert tables.items["id"].to_list() == ["a1", "a2"]
    assert tables.interactions.height == 2
    assert tables.held_out.select("user", "item", "session", "time").rows() == [("c1", "a2", "o2", 1_704_816_300)]
    assert "Food/Drinks%2FHot/Coffee" in tables.browse_nodes["id"]
    assert tables.exposures.rows() == [("a1", "north", 1, None, "front")]
