"""Files that are whole or not there: written under another name, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a new empty file beside `path` (mode 0600) that takes its place when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as made:
        part = Path(made.name)
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a write to a full disk doesn't say which file
        raise
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str, mode: int = 0o600) -> None:
    """Write `text` as the whole of `path`, in one step, with this file mode."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
        part.chmod(mode)
