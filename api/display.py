"""What the commands print for people: tables with titles, and the reasons of a score in words."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import floor, log10
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from cypher.explain import Explanation
from cypher.history import HistoryItem, history
from cypher.item import item as read_item
from cypher.recommend import Recommendations, RecommendedItem
from cypher.similar import SimilarItem
from graph.driver import Database
from graph.source import stored_source

if TYPE_CHECKING:
    from api.web.documents.generations import ExperimentDocument
    from graph.generations import Generation
    from graph.schema import Source
    from graph.settings import Settings
    from loaders import Loaded
    from models.artefacts import Artefact
    from models.evaluation import Evaluation

WIDTH = 120  # columns where the output is no terminal
REASONS = 2  # triggers named for each item
UNSERVED = 10  # paths shown that are not served
VERBS = {"purchase": "bought", "rating": "rated", "review": "reviewed"}  # kind of interaction: what a user did


class Output(Console):
    """Prints data as it is: no markup in titles. A closed pipe is an error of its own, see `api.command`."""

    def on_broken_pipe(self) -> None:
        raise  # noqa: PLE0704  rich calls it while it handles the BrokenPipeError


def output(stderr: bool = False) -> Console:
    console = Output(markup=False, emoji=False, highlight=False, soft_wrap=False, stderr=stderr)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def name(key: str, title: str | None) -> str:
    """Title and id; what a terminal would take for a command is left out."""
    text = key if title is None or title == key else f"{title} [{key}]"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def decimals(greatest: float, digits: int, least: int) -> int:
    """Decimals that show `digits` digits of the greatest of some figures, and `least` decimals at the least."""
    return max(least, digits - 1 - floor(log10(greatest))) if greatest > 0 else least


def short(title: str | None, key: str) -> str:
    return name(title or key, None)


def show_note(source: "Source | None", to_stderr: bool = False) -> None:
    if source and source.note:
        output(stderr=to_stderr).print(f"Data: {source.note}", style="dim")


def show_recommendations(database: Database, answer: Recommendations, explain: bool) -> None:
    console = output()
    console.print(f"For user {answer.user}, by generation {answer.generation}", style="bold")
    if answer.fallback:
        console.print("Nothing is known of this user yet: these are the most popular items.")
    if not answer.items:
        console.print("No item is left to recommend: allow what the user had already by --repeats, or more triggers.")
        return
    console.print(recommendation_table(answer, verb(history(database, answer.user, 1)) if explain else None))
    show_note(stored_source(database))


def recommendation_table(answer: Recommendations, did: str | None) -> Table:
    """Items with their scores; with `did` (what a user does with items, such as `bought`) with the reasons too."""
    shown = table(("", "right"), "item")
    if not answer.fallback:
        shown.add_column("score", justify="right")
    if did and not answer.fallback:
        shown.add_column("because")
    places = decimals(max((item.score for item in answer.items), default=0), 3, least=3)
    for place, item in enumerate(answer.items, start=1):
        scored = item.source == "paths"
        score = f"{item.score:.{places}f}" if scored else ""
        because = reasons(item, did or "", places) if scored else "popular"
        cells = [str(place), name(item.id, item.title), score, because]
        shown.add_row(*cells[: len(shown.columns)])
    return shown


def reasons(item: RecommendedItem, did: str, places: int) -> str:
    """The parts of a score in words, to so many decimals; they add up to it."""
    named, rest = item.paths[:REASONS], item.paths[REASONS:]
    parts = []
    if named:
        triggers = " and ".join(f"{short(path.trigger_title, path.trigger)} ({path.path:.{places}f})" for path in named)
        parts.append(f"you {did} {triggers}")
    if rest:
        parts.append(f"{len(rest)} more ({sum(path.path for path in rest):.{places}f})")
    parts.append(f"direct ({item.direct:.{places}f})")
    return ", ".join(parts)


def verb(had: Sequence[HistoryItem]) -> str:
    """What a user does with an item: the kind of the last interaction, in the past tense."""
    return VERBS.get(had[0].kind or "", "had") if had else "had"


def show_similar(database: Database, item: str, generation: int, found: Sequence[SimilarItem]) -> None:
    console = output()
    title = read_item(database, item).title
    console.print(f"Similar to {name(item, title)}, by generation {generation}", style="bold")
    console.print(similar_table(found) if found else "No available item is similar to it.")
    show_note(stored_source(database))


def similar_table(found: Sequence[SimilarItem]) -> Table:
    shown = table(("", "right"), "item", ("weight", "right"))
    for one in found:
        shown.add_row(str(one.rank), name(one.id, one.title), f"{one.weight:.4g}")
    return shown


def show_explanation(database: Database, answer: Explanation) -> None:
    console = output()
    console.print(f"User {answer.user} and {name(answer.item, answer.title)}", style="bold")
    places = decimals(answer.score, 4, least=4)
    parts = f"direct {answer.direct:.{places}f} + paths {answer.score - answer.direct:.{places}f}"
    console.print(f"score {answer.score:.{places}f} = {parts}, by generation {answer.generation}")
    if not answer.paths:
        console.print("No path leads from the user's items to this one.")
    else:
        shown = table("trigger", ("its weight", "right"), ("similar weight", "right"), ("path", "right"), ("", "right"))
        served = sum(path.served for path in answer.paths)
        for path in answer.paths[: served + UNSERVED]:
            share = f"{path.share:.1%}" if path.served else "not served"
            shown.add_row(
                name(path.trigger, path.trigger_title),
                f"{path.trigger_weight:.4g}",
                f"{path.similar_weight:.4g}",
                f"{path.path:.{places}f}",
                share,
                style=None if path.served else "dim",
            )
        console.print(shown)
        if answer.repeat_power != 1 and any(path.trigger == answer.item for path in answer.paths):
            console.print(f"On the path of an item to itself, its weight is to the power of {answer.repeat_power:g}.")
        if left := len(answer.paths) - len(shown.rows):
            console.print(f"and {left} more paths that are not served (-m and -k reach further)")
    show_note(stored_source(database))


def show_load(loaded: "Loaded", writer: str, store: str) -> None:
    console = output()
    source = loaded.tables.source
    console.print(f"{source.id} is in store {store}, written by the {writer} writer", style="bold")
    shown = table("table", *((word, "right") for word in ("read", "stored", "quarantined", "duplicates", "made")))
    for rows, count in loaded.counts.items():
        figures = (count.read, count.stored, count.quarantined, count.duplicates, count.made)
        shown.add_row(rows.replace("_", " "), *(f"{figure:,}" for figure in figures))
    console.print(shown)
    console.print(f"Held out ({source.protocol}): {len(loaded.tables.held_out):,} interactions")
    if loaded.quarantine:
        console.print(f"Rejected rows, with their reasons: {loaded.quarantine}", soft_wrap=True)  # a path to copy
    show_note(source)


def show_artefact(artefact: "Artefact", settings: "Settings") -> None:
    console = output()
    manifest = artefact.manifest
    console.print(f"Model {artefact.id[:12]} is in {settings.artefacts_folder / artefact.id[:12]}", style="bold")
    console.print(f"Trained on {manifest['data']['events']:,} interactions of {manifest['data']['users']:,} users")
    console.print(_metrics(manifest["metrics"]))


def show_generations(found: "Sequence[Generation]") -> None:
    console = output()
    if not found:
        console.print("No generation is stored: run twohop train pdn, then twohop index")
        return
    shown = table(("id", "right"), "", "model", "artefact", "written", ("similar edges", "right"))
    for one in found:
        state = "live" if one.live else "challenger" if one.challenger else one.state
        style = "bold" if one.live else None
        shown.add_row(
            str(one.id), state, one.model, one.artefact[:12], when(one.created), f"{one.similar:,}", style=style
        )
    console.print(shown)


def show_variants(found: "ExperimentDocument") -> None:
    console = output()
    console.print(f"Experiment since {when(found.began)} UTC", style="bold")
    right = ("generation", "share", "users", "impressions", "clicks", "click-through", "95%")
    shown = table("variant", *((column, "right") for column in right))
    for one in found.variants:
        through, low, high = ("", "", "")
        if one.click_through is not None and one.interval is not None:
            through, low, high = (f"{value:.2%}" for value in (one.click_through, *one.interval))
        counts = (f"{count:,}" for count in (one.users, one.impressions, one.clicks))
        shown.add_row(
            one.variant, str(one.generation), f"{one.share:.2%}", *counts, through, f"{low} to {high}" if low else ""
        )
    console.print(shown)


def show_evaluation(result: "Evaluation") -> None:
    console = output()
    console.print(f"{result.data}: {result.protocol}", style="bold")
    console.print(f"{result.users:,} users, {result.items:,} items, engine {result.engine}")
    shown = table("metric", ("value", "right"), ("95% interval", "left"))
    for metric, value in result.metrics.items():
        interval = result.intervals[metric]
        ends = [interval["low"], interval["high"]]
        shown.add_row(metric, f"{value:.4f}", "" if None in ends else " to ".join(f"{end:.4f}" for end in ends))
    console.print(shown)


def show_status(found: dict[str, Any]) -> None:
    """`found` as `api.commands.status.describe` gives it."""
    console = output()
    server, source, counts, live, artefact = (
        found[part] for part in ("server", "source", "counts", "generation", "artefact")
    )
    rows = {"store": f"{found['store']} in {found['folder']}"}
    rows["server"] = server["address"] or "never started" if server["running"] else "does not run (twohop neo4j start)"
    if server["running"] and server["browser"]:
        rows["browser"] = server["browser"]
    if server["running"]:
        rows["data"] = f"{source['id']}, held out: {source['protocol']}" if source else "none (twohop load)"
        if found["loading"]:
            rows["data"] += "; its load was not finished, run it again"
        rows["graph"] = ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in counts.items())
        rows["live"] = (
            f"generation {live['id']} of model {live['artefact'][:12]}, written {when(live['created'])}"
            if live
            else "no weights (twohop train pdn, twohop index)"
        )
    rows["latest model"] = "none (twohop train pdn)"
    if artefact:
        rows["latest model"] = artefact.get("problem") or f"{artefact['name']}, {_metrics(artefact['metrics'])}"
    grid = Table.grid(padding=(0, 2))
    for what, text in rows.items():
        grid.add_row(what, text)
    console.print(grid)
    if source and source["note"]:
        console.print(f"Data: {source['note']}", style="dim")


def when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def _metrics(metrics: dict[str, Any]) -> str:
    return ", ".join(f"{metric} {value:g}" for metric, value in metrics.items())


def table(*columns: str | tuple[str, str]) -> Table:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        if isinstance(column, str):
            shown.add_column(column, overflow="fold")
        else:
            shown.add_column(column[0], justify="right" if column[1] == "right" else "left", no_wrap=True)
    return shown


def markdown_table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table of a Markdown page; cells may have Markdown of their own."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
