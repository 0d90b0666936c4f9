"""The `twohop` command: what it can do, and the one place where a failure becomes a line and an exit code."""

import os
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from api.commands import (
    browse,
    complements,
    contents,
    demo,
    evaluate,
    generations,
    index,
    intents,
    keys,
    load,
    neo4j,
    recommend,
    report,
    serve,
    status,
    train,
)
from graph.errors import TwohopError

FAILED, INTERRUPTED = 1, 130


class Commands(TyperGroup):
    """Exit codes: 0, 1 after a failure, 2 for wrong usage (typer's own), 130 after Ctrl-C.

    A failure is one line on stderr. Only what nobody expects, a bug, shows a traceback.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except KeyboardInterrupt:
            _fail("interrupted; the same command goes on where it can", INTERRUPTED)
        except BrokenPipeError:  # the reader, such as `head`, has all that it wanted
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except TwohopError as error:
            _fail(str(error), FAILED)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            _fail(f"{place}{error.strerror or error}", FAILED)


def _fail(message: str, code: int) -> None:
    typer.echo(f"twohop: {' '.join(message.split())}", err=True)
    raise typer.Exit(code)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A recommender whose model is a graph in Neo4j: every score is a sum of two-hop paths that you can look at.",
    epilog="Settings come from the environment and .env: TWOHOP_STORE, TWOHOP_HOME, TWOHOP_DATA, NEO4J_URI, …",
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"twohop {version('twohop')}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
]


@app.callback()
def _options(_version: Version = False) -> None:
    """What `twohop` takes before a command."""


app.add_typer(demo.app)
app.add_typer(load.app)
app.add_typer(train.app, name="train")
app.add_typer(index.app)
app.add_typer(recommend.app)
app.add_typer(browse.app, name="browse")
app.add_typer(intents.app, name="intents")
app.add_typer(complements.app)
app.add_typer(contents.app, name="contents")
app.add_typer(evaluate.app)
app.add_typer(report.app)
app.add_typer(generations.app, name="generations")
app.add_typer(status.app)
app.add_typer(serve.app)
app.add_typer(keys.app, name="keys")
app.add_typer(neo4j.app, name="neo4j")
