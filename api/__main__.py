"""The `twohop` command as it is started: Ctrl-C is quiet even while Python is still reading the program."""

import signal
import sys
import warnings


def main() -> None:
    """Entry point of `twohop` and of `python -m api`."""
    try:
        from api.command import app  # noqa: PLC0415  (half a second on a cold disk)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)  # what a shell says of it, and `api.command` later on
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\.")  # its own business, not the user's
    app(prog_name="twohop")


if __name__ == "__main__":
    main()
