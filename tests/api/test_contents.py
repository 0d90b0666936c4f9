"""Contents from a file of one's own: what is read, and what is refused in one line."""

from pathlib import Path

import pytest

from api.contents import read_contents
from graph.errors import SourceError


def test_contents_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "contents.json"
    file.write_text('{"Grill 🔥": ["2", "1"], "empty": [], "漢字": ["a b"]}', encoding="utf-8")
    assert list(read_contents(file).items()) == [("Grill 🔥", ["2", "1"]), ("empty", []), ("漢字", ["a b"])]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "Invalid JSON: EOF while parsing a value"),
        (b"{", "Invalid JSON: EOF while parsing an object"),
        (b'{"K\xe4se": ["1"]}', "Invalid JSON: "),
        (b'["1"]', "Input should be an object"),
        (b'{"a": "1"}', "a: Input should be a valid array"),
        (b'{"a": ["1", 2]}', "a.1: Input should be a valid string"),
        (b"{}", "there is no content with items"),
        (b'{"a": [], "b": []}', "there is no content with items"),
    ],
)
def test_a_file_without_contents_is_one_line(tmp_path: Path, text: bytes, why: str) -> None:
    file = tmp_path / "contents.json"
    file.write_bytes(text)
    with pytest.raises(SourceError) as raised:
        read_contents(file)
    line = str(raised.value)
    assert line.startswith(f"contents {file}: {why}")
    assert len(line.splitlines()) == 1


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^contents .*/none\.json: No such file or directory$"):
        read_contents(tmp_path / "none.json")
    with pytest.raises(SourceError, match=r": Is a directory$"):
        read_contents(tmp_path)
