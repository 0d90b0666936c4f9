"""docs/intents-results.md."""

from typing import Any

from api.display import markdown_table as table
from benchmarks.pages.tables import interval, sections

SOURCES = {"table": "the open table", "queries": "the query table", "both": "both"}


def intents() -> list[str]:
    return [
        "# Shopping intents: figures",
        "Made by `python -m benchmarks.report` from the files in [benchmarks/results](../benchmarks/results), each of which is written by the\n"
        "command that its section names. Intervals are 95%. How it all works is in [intents.md](intents.md).",
        *sections({"encoder": encoder, "audit": audit, "intents": behaviour}),
    ]


def encoder(found: dict[str, Any]) -> str:
    """Tuned on each source, untuned, BM25, for each task."""
    first = next(iter(found.values()))
    parts = [
        "## The encoder, on intents that it never saw",
        f"`python -m benchmarks.encoder`: all-MiniLM-L6-v2, one pass; {first['intents']['test']} intents held out, all of "
        "their pairs with them. An intent is to find its categories among all of Google's taxonomy, by its sentence alone; a "
        "category is to find an intent that needs it among the held-out ones. *By two hops* adds what the nearest known "
        "intents need: that is what `intents categories` serves.",
    ]
    if "note" in first:
        parts.append(first["note"])
    tasks = list(dict.fromkeys(task for one in first["metrics"].values() for task in one))
    for task in tasks:
        rows = []
        for source, one in found.items():
            pairs = sum(one["pairs"].values())
            rows.append([f"tuned on {SOURCES[source]} ({pairs:,} pairs)", *_figures(one["metrics"]["tuned"][task])])
        for model in ("untuned", "bm25"):
            if task in first["metrics"][model]:
                rows.append([model, *_figures(first["metrics"][model][task])])
        metrics = list(first["metrics"]["tuned"][task])
        parts += [f"**{task}**", table(["", *metrics], rows)]
    return "\n\n".join(parts)


def _figures(found: dict[str, float]) -> list[str]:
    return [f"{value:.3f}" for value in found.values()]


def audit(found: dict[str, Any]) -> str:
    names = {"identification": "is the category the intent's?", "complements": "is the complement relevant?"}
    goals = {"identification": "95.9%", "complements": "97.64%"}
    rows = [
        [
            question,
            f"{found[name]['records']:,}",
            f"{found[name]['good']:.1%} ({found[name]['interval'][0]:.1%} to {found[name]['interval'][1]:.1%})",
            f"{found[name]['good of distinct pairs']:.1%} of {found[name]['distinct pairs']}",
            found[name]["not judged"],
            goals[name],
        ]
        for name, question in names.items()
    ]
    mined = found["mined intents"]
    parts = [
        "## An audit like the paper's",
        f"`python -m benchmarks.audit`: {found['households']} households of The Complete Journey, {found['clusters']} clusters (the five best of each), and "
        "five complements of each cluster. The rules, the verdicts and who judged are in "
        "[benchmarks/judgments](../benchmarks/judgments/README.md): one reader, a language model. On this store nearly all links were "
        "made by hand in the crosswalk, so this measures those links, the rules and the queries rather than the encoder.",
        table(["", "records", "good", "good of distinct pairs", "not judged", "the paper, on Amazon"], rows),
        f"Of {mined['judged']} mined intents {mined['good']:.0%} are good ({mined['interval'][0]:.0%} to {mined['interval'][1]:.0%}).",
        "The failures:",
        table(
            ["intent", "category", "records", "why"],
            [
                [row["sentence"], row["path"].replace("|", "/"), row["records"], row["why"].replace("|", "/")]
                for name in names
                for row in found[name]["failures"]
            ],
        ),
    ]
    return "\n\n".join(parts)


def behaviour(found: dict[str, Any]) -> str:
    parts = [
        "## Against behaviour",
        "`python -m benchmarks.intents`, on data that was used for no link. What people bought together is best told by counting what people "
        "bought together: the intents lose against counts and text similarity in every comparison here. They name what a goal takes, also "
        "what is rarely bought, and say why; they do not guess the next purchase.",
    ]
    for store, tasks in found.items():
        if store == "machine":
            continue
        for task, one in tasks.items():
            own = next(name for name in one if name != "cases")
            rows = []
            for model, figures in one.items():
                if model == "cases":
                    continue
                difference = figures.get(f"{own} minus it, ndcg@10")
                rows.append(
                    [model, interval(figures["precision@10"]), interval(figures["ndcg@10"]), interval(difference)]
                )
            head = ["", "precision@10", "NDCG@10", f"{own} minus it, NDCG@10"]
            parts += [f"**{store}: {task}** ({one['cases']:,} cases)", table(head, rows)]
    return "\n\n".join(parts)
