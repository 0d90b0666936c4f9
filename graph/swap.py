"""An imported database takes the place of the store's empty one, whole or not at all.

The import writes beside the store, so one that is killed leaves the store as it was. The exchange itself takes two
renames; `READY` stands before the first and goes after the second, and the next start of the server finishes what it
announces.
"""

import shutil
from pathlib import Path

from graph.server_folder import ServerFolder

PARTS = ("transactions", "databases")


def import_folder(folder: ServerFolder) -> Path:
    """Where the bulk writer works: inside the server's home, so on its disk and with its rights."""
    return folder.home / "import-full"


def announce_swap(folder: ServerFolder) -> None:
    (import_folder(folder) / "READY").touch()


def finish_swap(folder: ServerFolder, name: str) -> bool:
    """Put an announced database in place as `name`; to be called while the server does not run.

    Returns False where nothing is announced. Calling it again after it was killed goes on.
    """
    made = import_folder(folder)
    if not (made / "READY").exists():
        return False
    for part in PARTS:
        new, old = made / "data" / part / name, folder.data / part / name
        if new.exists():
            shutil.rmtree(old, ignore_errors=True)
            old.parent.mkdir(parents=True, exist_ok=True)
            new.rename(old)
    (made / "READY").unlink()
    shutil.rmtree(made, ignore_errors=True)
    return True
