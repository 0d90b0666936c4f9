"""`twohop intents mine|queries|train|link|of|categories|show`: what shoppers are up to."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.options import AsJson, Number, Store, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.intents.clusters import RankerOptions

app = typer.Typer(
    no_args_is_help=True, help="Shopping intents: mine them, link them to categories, see who pursues which."
)

Table = Annotated[
    Path | None, typer.Option("--table", metavar="FOLDER", help="A table of intents of your own (docs/intents.md).")
]
Engine = Annotated[Literal["minilm", "luke"], typer.Option("--engine", help="What tells intents from assortments.")]
EngineModel = Annotated[str | None, typer.Option("--engine-model", metavar="NAME", help="Another LUKE model.")]
Rewriter = Annotated[
    Literal["grammar", "instruct"], typer.Option("--rewriter", help="What turns a name into a sentence.")
]
RewriterModel = Annotated[
    str | None, typer.Option("--rewriter-model", metavar="NAME", help="An instruction model; else bigscience/T0pp.")
]
QueryFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV: query, category, count; or judged queries and products.")
]
Tree = Annotated[str, typer.Option("--tree", metavar="NAME", help="google, shopify, or another tree in the store.")]
Trees = Annotated[list[str] | None, typer.Option("--tree", metavar="NAME", help="Only this tree; may be repeated.")]
Pairs = Annotated[
    Literal["table", "queries", "both"],
    typer.Option("--pairs", help="Train on the open table, on queries, or on both."),
]
Base = Annotated[
    str, typer.Option("--base", metavar="MODEL", help="A sentence-transformers model by its name or folder.")
]
Epochs = Annotated[int, typer.Option("--epochs", min=1, help="Passes over the pairs.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Fixes every draw.")]
Final = Annotated[bool, typer.Option("--final/--no-final", help="Train on all intents too, and keep that encoder.")]
Measure = Annotated[
    bool, typer.Option("--measure/--no-measure", help="Train without the held-out intents first, and measure on them.")
]
Rules = Annotated[Path | None, typer.Option("--rules", metavar="FILE", help="Business rules; else the project's.")]
Now = Annotated[
    str | None, typer.Option("--now", metavar="TIME", help="ISO date or time; else that of the newest event.")
]
Lambda = Annotated[float | None, typer.Option("--lambda", help="λ of eq. 2: above 1 recency counts more. [default: 1]")]
Tau = Annotated[float | None, typer.Option("--tau", help="τ of eq. 2: above 1 activeness counts more. [default: 1]")]
Alpha = Annotated[float | None, typer.Option("--alpha", help="α of eq. 3, below ε: greater is slower. [default: 2]")]
Epsilon = Annotated[float | None, typer.Option("--epsilon", help="ε of eq. 3. [default: Euler's number]")]
Covered = Annotated[
    int, typer.Option("--covered-days", min=0, help="A category counts as covered for so many days; 0: for ever.")
]
Texts = Annotated[
    list[str] | None, typer.Argument(metavar="TEXT...", help="What somebody is up to; - reads lines from stdin.")
]
File = Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Texts, one a line; - is stdin.")]
K = Annotated[int, typer.Option("-k", "--k", min=1, help="Categories of each text.")]
IntentId = Annotated[str, typer.Argument(metavar="INTENT", help="Id of an intent.")]
TreeOfStore = Annotated[str | None, typer.Option("--tree", metavar="NAME", help="Whose categories; else the store's.")]


@app.command()
def mine(
    engine: Engine = "minilm",
    engine_model: EngineModel = None,
    rewriter: Rewriter = "grammar",
    rewriter_model: RewriterModel = None,
    table: Table = None,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Classify all browse trees; take the intents of the open table, and mine more from the loaded taxonomies."""
    from pydantic_core import to_json

    from api.display_intents import show_mining
    from api.intents import mine_intents
    from graph.driver import connect
    from graph.settings import load_settings

    with connect(load_settings(store), create=False) as database:
        report = mine_intents(
            database,
            engine=engine,
            engine_model=engine_model,
            rewriter=rewriter,
            rewriter_model=rewriter_model,
            table=table,
        )
    if as_json:
        typer.echo(to_json(report).decode())
    else:
        show_mining(report)


@app.command()
def queries(file: QueryFile, tree: Tree = "google", store: Store = None) -> None:
    """Load a query table, or make one from judged queries and products, for the weak supervision."""
    from api.intent_training import load_queries
    from graph.driver import connect
    from graph.settings import load_settings

    settings = load_settings(store)
    with connect(settings, create=False) as database:
        found, rows = load_queries(database, settings, file, tree)
    typer.echo(f"{found:,} queries lead to categories of {tree} in {rows:,} rows.")


@app.command()
def train(
    pairs: Pairs = "both",
    base: Base = "all-MiniLM-L6-v2",
    epochs: Epochs = 1,
    seed: Seed = 0,
    measure: Measure = True,
    final: Final = True,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Tune the encoder that links intents and categories, and measure it on intents that it never saw.

    Interrupted, the same command goes on at the last checkpoint.
    """
    from pydantic_core import to_json

    from api.display_intents import show_training
    from api.intent_training import train_intents
    from graph.driver import connect
    from graph.settings import load_settings
    from models.intents.training import TrainingOptions

    settings = load_settings(store)
    options = TrainingOptions(base=base, epochs=epochs, seed=seed)
    with connect(settings, create=False) as database:
        report = train_intents(settings, database, options, pairs, measure=measure, final=final)
    if as_json:
        typer.echo(to_json(report).decode())
    else:
        show_training(report)


@app.command()
def link(
    tree: Trees = None,
    rules: Rules = None,
    now: Now = None,
    recency_power: Lambda = None,
    activeness_power: Tau = None,
    leniency: Alpha = None,
    epsilon: Epsilon = None,
    covered_days: Covered = 28,
    users_only: Annotated[bool, typer.Option("--users-only", help="Only work out the intents of users anew.")] = False,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Link categories and intents both ways, complete categories with others, and work out what each user pursues."""
    from pydantic_core import to_json

    from api.display_intents import show_links
    from api.intents import link_intents, rank_users
    from graph.driver import connect
    from graph.settings import load_settings

    settings = load_settings(store)
    ranker, moment = _ranker(recency_power, activeness_power, leniency, epsilon), _moment(now)
    with connect(settings, create=False) as database:
        if users_only:
            done = rank_users(database, ranker, moment)
            typer.echo(f"The intents of {done:,} users were worked out anew.")
            return
        report = link_intents(
            settings, database, trees=tree or (), rules=rules, ranker=ranker, now=moment, covered_days=covered_days
        )
    if as_json:
        typer.echo(to_json(report).decode())
    else:
        show_links(report)


@app.command()
def of(
    user: User,
    n: Number = 5,
    now: Now = None,
    recency_power: Lambda = None,
    activeness_power: Tau = None,
    leniency: Alpha = None,
    epsilon: Epsilon = None,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Show what a user is up to: the ranked intents, what each has had already and what it still needs."""
    from pydantic_core import to_json

    from api.display_intents import show_pursued
    from cypher.pursued import pursued
    from graph.driver import connect
    from graph.settings import load_settings

    _ranker(recency_power, activeness_power, leniency, epsilon)  # refuses what cannot be
    with connect(load_settings(store), create=False) as database:
        found = pursued(
            database,
            user,
            n,
            now=_moment(now),
            recency_power=recency_power,
            activeness_power=activeness_power,
            leniency=leniency,
            base=epsilon,
        )
        if as_json:
            typer.echo(to_json({"user": user, "intents": found}).decode())
        else:
            show_pursued(database, user, found)


@app.command()
def categories(
    texts: Texts = None,
    file: File = None,
    tree: Tree = "google",
    k: K = 10,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """Find the categories that something takes, said in your own words. With --json one line a text (JSON Lines)."""
    from pydantic_core import to_json

    from api.display_intents import show_categories
    from api.intents import find_categories
    from graph.driver import connect
    from graph.settings import load_settings

    asked = list(_texts(texts or (), file))
    settings = load_settings(store)
    with connect(settings, create=False) as database:
        found = find_categories(settings, database, asked, tree, k)
    for text, rows in zip(asked, found, strict=True):
        if as_json:
            shown = [{"id": row.id, "path": row.path, "score": row.score} for row in rows]
            typer.echo(to_json({"text": text, "categories": shown}).decode())
        else:
            show_categories(text, rows)


@app.command()
def show(intent: IntentId, tree: TreeOfStore = None, as_json: AsJson = False, store: Store = None) -> None:
    """Show an intent: how it is said, what it needs."""
    from pydantic_core import to_json

    from api.display_intents import show_intent
    from cypher.intent import intent as query
    from graph.driver import connect
    from graph.errors import StoreError
    from graph.intents import read_state
    from graph.settings import load_settings

    with connect(load_settings(store), create=False) as database:
        chosen = tree or read_state(database).get("tree")
        if chosen is None:
            raise StoreError("categories are not linked to intents yet: run twohop intents link")
        found = query(database, intent, str(chosen))
    if as_json:
        typer.echo(to_json(found).decode())
    else:
        show_intent(found)


def _ranker(
    recency_power: float | None, activeness_power: float | None, leniency: float | None, epsilon: float | None
) -> "RankerOptions":
    from models.intents.clusters import RankerOptions

    return RankerOptions.of(
        recency_power=recency_power, activeness_power=activeness_power, leniency=leniency, base=epsilon
    )


def _moment(text: str | None) -> float | None:
    """Seconds since 1970 UTC of an ISO date or time; one without a zone is UTC."""
    from datetime import UTC, datetime

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no ISO date or time, such as 2017-12-31", param_hint="--now") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _texts(given: "list[str] | tuple[str, ...]", file: Path | None) -> "Iterator[str]":
    """Texts of the command line and of a file, one a line; blank lines are left out."""
    lines = [text for text in given if text != "-"]
    if "-" in given or str(file) == "-":
        lines += sys.stdin.read().splitlines()
    elif file is not None:
        try:
            lines += file.read_text(encoding="utf-8-sig").splitlines()
        except OSError as error:
            raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="--file") from None
        except UnicodeDecodeError:
            raise typer.BadParameter(f"{file} is not UTF-8 text", param_hint="--file") from None
    found = [" ".join(line.split()) for line in lines if line.strip()]
    if not found:
        raise typer.BadParameter("give at least one text, such as 'prepare for a grill party'", param_hint="TEXT")
    yield from found
