"""JSON Lines: one object a line, its values as text, as a CSV file would hold them."""

from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from loaders.batches import WHOLE_FLOATS, Batch, Reading, gather, numbered, open_file


def read_json_lines(reading: Reading) -> Iterator[Batch]:
    opened = open_file(reading.path)
    seen: set[str] = set()
    names = reading.wanted
    if names is None:
        with opened.raw:
            names = list(dict.fromkeys(key for _, line in numbered(opened) for key in _keys(line)))
        opened = open_file(reading.path)

    def rows() -> Iterator[tuple[int, list[Any]]]:
        for number, line in numbered(opened):
            try:
                found = from_json(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
            except ValueError as error:
                reading.reject(number, line, f"is no JSON: {error}")
                continue
            if not isinstance(found, dict):
                reading.reject(number, line, "is no JSON object")
                continue
            seen.update(found.keys() & names)
            try:
                values = [_json_value(reading, name, found.get(name)) for name in names]
            except _NotPlain as error:
                reading.reject(number, str(found[error.column]), error.reason, error.column)
            else:
                yield number, values

    with opened.raw:
        yield from gather(reading, opened, names, rows())
    never = [name for name in names if name not in seen]
    if seen and never:
        raise reading.fail(
            f"no row has the key {never[0]!r} but some have {', '.join(sorted(seen))}: correct the mapping"
        )


def _keys(line: bytes) -> list[str]:
    try:
        found = from_json(line)
    except ValueError:
        return []
    return list(found) if isinstance(found, dict) else []


class _NotPlain(Exception):
    def __init__(self, column: str, reason: str) -> None:
        self.column, self.reason = column, reason


def _json_value(reading: Reading, name: str, value: Any) -> Any:
    if name not in reading.lists:
        return _plain(name, value, "is a list or an object")
    if value is None:
        return None
    if isinstance(value, str):
        separator = reading.lists[name]
        return value.split(separator) if separator else [value]
    if not isinstance(value, list):
        raise _NotPlain(name, "is no list of texts")
    return [_plain(name, entry, "is no list of texts") for entry in value]


def _plain(name: str, value: Any, reason: str) -> str | None:
    """A JSON scalar as text, as a CSV file would hold it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < WHOLE_FLOATS else repr(value)
    raise _NotPlain(name, reason)
