"""What the commands around shopping intents print for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from api.display import name, output, show_note, table, when
from cypher.item import item as read_item
from graph.driver import Database
from graph.source import stored_source

if TYPE_CHECKING:
    from api.intent_training import TrainingReport
    from api.intents import LinkReport, MiningReport
    from cypher.browse_node import ShownNode
    from cypher.category_complements import ComplementaryCategory
    from cypher.contents import RankedContent
    from cypher.dropped_complements import DroppedComplement
    from cypher.intent import ShownIntent
    from cypher.intent_categories import FoundCategory
    from cypher.item_complements import ComplementaryItem
    from cypher.pursued import PursuedIntent
    from cypher.user_complements import NeededItem
    from loaders.taxonomy import Taxonomy

FEW = 4  # categories named in a line


def show_taxonomy(taxonomy: "Taxonomy") -> None:
    console = output()
    version = f", version {taxonomy.version}" if taxonomy.version else ""
    console.print(f"The tree {taxonomy.tree}{version}: {len(taxonomy.nodes):,} nodes", style="bold")
    if taxonomy.unnamed:
        shown = table("names in", ("nodes", "right"), ("without", "right"))
        for locale, missing in taxonomy.unnamed.items():
            shown.add_row(locale.removeprefix("name_"), f"{len(taxonomy.nodes) - missing:,}", f"{missing:,}")
        console.print(shown)


def show_classes(counts: dict[str, dict[str, int]]) -> None:
    shown = table("tree", *((word, "right") for word in ("category", "assortment", "alias")))
    for tree, found in counts.items():
        shown.add_row(tree, *(f"{found.get(word, 0):,}" for word in ("category", "assortment", "alias")))
    output().print(shown)


def show_mining(report: "MiningReport") -> None:
    console = output()
    console.print("Classes of browse nodes", style="bold")
    show_classes(report.classes)
    console.print(f"\n{report.table:,} intents of the open table, {report.mined:,} mined from taxonomies", style="bold")
    left = ", ".join(f"{why}: {count:,}" for why, count in report.dropped.items())
    console.print(f"Assortments that are no intents: {left}")
    shown = table("department", ("intents", "right"))
    for department, count in sorted(report.departments.items()):
        shown.add_row(department, f"{count:,}")
    console.print(shown)
    console.print("Next: twohop intents train")


def show_training(report: "TrainingReport") -> None:
    console = output()
    pairs = ", ".join(f"{count:,} of {source}" for source, count in report.pairs.items())
    console.print(f"Encoder {report.model}, tuned from {report.base} on pairs: {pairs}", style="bold")
    tested = report.intents.get("test", 0)
    console.print(f"Measured on {tested} intents that were not trained on, in {report.seconds:,.0f} s in all")
    tasks = list(dict.fromkeys(task for found in report.metrics.values() for task in found))
    for task in tasks:
        console.print(f"\n{task}", style="bold")
        some = next(found[task] for found in report.metrics.values() if task in found)
        shown = table("model", *((metric, "right") for metric in some))
        for model, found in report.metrics.items():
            if task in found:
                shown.add_row(model, *(f"{value:.3f}" for value in found[task].values()))
        console.print(shown)
    console.print("Next: twohop intents link")


def show_links(report: "LinkReport") -> None:
    console = output()
    console.print(f"Linked by encoder {report.model}", style="bold")
    shown = table("tree", *((word, "right") for word in ("serves", "needs", "complements", "dropped")))
    for tree, counts in report.trees.items():
        shown.add_row(tree, *(f"{counts[word]:,}" for word in ("serves", "needs", "complements", "dropped")))
    console.print(shown)
    if report.dropped:
        console.print("Dropped by rule: " + ", ".join(f"{rule} {count:,}" for rule, count in report.dropped.items()))


def show_pursued(database: Database, user: str, found: "Sequence[PursuedIntent]") -> None:
    console = output()
    console.print(f"User {user} is up to", style="bold")
    if not found:
        console.print("nothing that is known: no item of theirs is in a category that serves an intent.")
        return
    console.print(pursued_table(found))
    show_note(stored_source(database))


def pursued_table(found: "Sequence[PursuedIntent]") -> Table:
    shown = table(("", "right"), "intent", ("score", "right"), ("last", "right"), "has had", "still needs")
    for place, one in enumerate(found, start=1):
        shown.add_row(
            str(place),
            name(one.sentence, None),
            f"{one.score:.3g}",
            when(one.last_time)[:10],
            _few([category.name for category in one.had]),
            _few([category.name for category in one.needs]) or "nothing",
        )
    return shown


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(name(one, None) for one in names[:FEW]) + more


def show_user_complements(database: Database, user: str, found: "Sequence[NeededItem]") -> None:
    console = output()
    console.print(f"User {user} still needs", style="bold")
    if not found:
        console.print("nothing: what they are up to is covered, or not known.")
        return
    console.print(needed_table(found))
    show_note(stored_source(database))


def needed_table(found: "Sequence[NeededItem]") -> Table:
    """Items by their two-hop score (user → trigger → item), or by popularity where no path leads to them."""
    shown = table(("", "right"), "item", "because", ("paths", "right"))
    for place, one in enumerate(found, start=1):
        because = f"to {one.sentence}: {name(one.category_name, None)}"
        shown.add_row(str(place), name(one.id, one.title), because, f"{one.path:.3f}" if one.path else "popular")
    return shown


def show_item_complements(database: Database, item: str, found: "Sequence[ComplementaryItem]") -> None:
    console = output()
    console.print(f"With {name(item, read_item(database, item).title)} goes", style="bold")
    if not found:
        console.print("nothing that is known: its categories serve no intent.")
        return
    shown = table(("", "right"), "item", "because", ("score", "right"))
    for place, one in enumerate(found, start=1):
        because = f"to {one.sentence}: {name(one.category_name, None)}"
        shown.add_row(str(place), name(one.id, one.title), because, f"{one.score:.3f}")
    console.print(shown)
    show_note(stored_source(database))


def show_category_complements(database: Database, category: str, found: "Sequence[ComplementaryCategory]") -> None:
    console = output()
    console.print(f"{name(category, None)} is completed by", style="bold")
    if not found:
        console.print("nothing that is known: it serves no intent.")
        return
    shown = table(("", "right"), "category", "to", ("score", "right"))
    for place, one in enumerate(found, start=1):
        shown.add_row(str(place), name(one.path, None), name(one.sentence, None), f"{one.score:.3f}")
    console.print(shown)
    show_note(stored_source(database))


def show_dropped(found: "Sequence[DroppedComplement]") -> None:
    console = output()
    console.print("\nDropped by business rules" if found else "\nNo rule dropped anything.", style="bold")
    if found:
        shown = table("category", "rule", "why", "intent")
        for one in found:
            shown.add_row(name(one.name, None), one.rule, name(one.why, None), name(one.sentence, None))
        console.print(shown)


def show_categories(text: str, found: "Sequence[FoundCategory]") -> None:
    console = output()
    console.print(name(text, None), style="bold")
    shown = table(("", "right"), "category", ("score", "right"))
    for place, one in enumerate(found, start=1):
        shown.add_row(str(place), name(one.path, None), f"{one.score:.3f}")
    console.print(shown)


def show_intent(found: "ShownIntent") -> None:
    console = output()
    console.print(f"{found.sentence} [{found.id}]", style="bold")
    if found.says:
        console.print(f"also said: {', '.join(found.says)}")
    console.print(f"{found.department}; source: {found.source}; served by {found.served_by} categories")
    for what in ("season", "audience"):
        if listed := getattr(found, what):
            console.print(f"{what}: {', '.join(listed)}")
    shown = table(("", "right"), "needs", ("score", "right"), "said by")
    for place, one in enumerate(found.needs, start=1):
        shown.add_row(str(place), name(one.name, None), f"{one.score:.2f}", one.source)
    console.print(shown)


def show_browse_node(found: "ShownNode") -> None:
    console = output()
    console.print(f"{name(found.path, None)} [{found.id}]", style="bold")
    if found.node_class:
        sure = f", confidence {found.class_confidence:.2f}" if found.class_source == "classifier" else ""
        console.print(f"tree {found.tree}, {found.node_class} (by {found.class_source}{sure})")
    shown = table(("", "right"), "serves", ("confidence", "right"), "said by")
    for one in found.serves:
        shown.add_row(str(one.rank), name(one.sentence, None), f"{one.confidence:.2f}", one.source)
    console.print(shown if found.serves else "It serves no intent.")


def show_contents(user: str, embedding: str, found: "Sequence[RankedContent]") -> None:
    console = output()
    console.print(f"Contents for user {user}, by the {embedding} embeddings", style="bold")
    shown = table(("", "right"), "content", ("items", "right"), ("score", "right"))
    for place, one in enumerate(found, start=1):
        shown.add_row(str(place), name(one.name, None), str(one.items), f"{one.score:.4f}")
    console.print(shown)
