"""Contents from a file of one's own."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from graph.errors import SourceError, one_line

CONTENTS = TypeAdapter(dict[str, list[str]])


def read_contents(file: Path) -> dict[str, list[str]]:
    """A JSON object {name: [item ids]}. Raises `SourceError` with one line."""
    try:
        found = CONTENTS.validate_json(file.read_bytes(), strict=True)
    except OSError as error:
        raise SourceError(f"contents {file}: {error.strerror}") from None
    except ValidationError as error:
        raise SourceError(f'contents {file}: {one_line(error)}: give {{"name": ["item"]}}') from None
    if not any(found.values()):
        raise SourceError(f"contents {file}: there is no content with items")
    return found
