"""What was measured as pages: `python -m benchmarks.report` writes `docs/intents-results.md` and `docs/quality.md`.

And the table of README.md between its two marks. From the files in `benchmarks/results`; no figure is typed by hand.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

FOLDER = Path(__file__).parent / "results"
ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
MARKS = "<!-- python -m benchmarks.report -->\n", "<!-- end -->"  # around the table of README.md
Grouped = dict[tuple[str, str], dict[tuple[str, str], list[dict[str, Any]]]]
SOURCES = {"table": "the open table", "queries": "the query table", "both": "both"}


def main() -> None:
    for name, page in {"intents-results": intents, "quality": quality}.items():
        file = DOCS / f"{name}.md"
        file.write_text("\n\n".join(page()) + "\n", encoding="utf-8")
        print(file)
    file = ROOT / "README.md"
    file.write_text(readme(file.read_text(encoding="utf-8")), encoding="utf-8")
    print(file)


def intents() -> list[str]:
    return [
        "# Shopping intents: figures",
        "Made by `python -m benchmarks.report` from the files in [benchmarks/results](../benchmarks/results), each of which is written by the\n"
        "command that its section names. Intervals are 95%. How it all works is in [intents.md](intents.md).",
        *_sections({"encoder": encoder, "audit": audit, "intents": behaviour}),
    ]


def _sections(parts: dict[str, Callable[[Any], str]]) -> list[str]:
    found = {name: _read(name) for name in parts}
    return [part(found[name]) for name, part in parts.items() if found[name]]


def _read(name: str) -> Any:
    file = FOLDER / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


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
                    [model, _interval(figures["precision@10"]), _interval(figures["ndcg@10"]), _interval(difference)]
                )
            head = ["", "precision@10", "NDCG@10", f"{own} minus it, NDCG@10"]
            parts += [f"**{store}: {task}** ({one['cases']:,} cases)", table(head, rows)]
    return "\n\n".join(parts)


def _grouped() -> Grouped:
    grouped: Grouped = defaultdict(lambda: defaultdict(list))
    for row in _read("quality") or []:
        grouped[row["data"], row["protocol"]][row["model"], row["engine"]].append(row)
    return grouped


def quality() -> list[str]:
    """A table for each protocol of each store, best first, and what tuning chose."""
    grouped = _grouped()
    parts = [
        "# Quality: figures",
        "Made by `python -m benchmarks.report` of what `python -m benchmarks.quality` measured: every model tuned with the same budget of trials and minutes on each user's last "
        "training moment, fitted on all training rows, ranked on the same split. How it is measured, and what each metric says, is in [evaluation.md](evaluation.md).\n\n"
        "- `pdn` by `cypher` is what is served: the list of the Cypher query from the stored graph. By `network` all items are scored.\n"
        "- By `item-to-item` a user's items are the same for everybody: the sum of their similarities, by SimNet or by inner products of the model's vectors of items.\n"
        "- `pdn:NAME` is PDN with one thing changed, as [benchmarks/variations.yaml](../benchmarks/variations.yaml) says.\n"
        "- In brackets: the 95% interval over users; with several seeds the means of both. *Seeds* has their number and how far apart their NDCG@10 are.\n"
        "- *Fit* and *memory* are of the last fit alone, in a process of its own: seconds on the machine that measured, and the most that it held, snapshot included.\n"
        "- A model without a row has not been measured on this store yet.",
    ]
    for (data, protocol), models in grouped.items():
        ranked = sorted(models.items(), key=lambda one: -_mean(one[1], "ndcg@10"))
        parts += [f"## {data}: {protocol}", table(QUALITY, [_quality(*name, rows) for name, rows in ranked])]
    parts += _halves(grouped)
    parts += _sections({"debiasing": debiasing})
    trials = _read("trials") or {}
    if trials:
        parts += [
            "## What tuning chose",
            "NDCG@10 on validation events: the model's defaults, which are the first trial, and the best.",
            table(
                ["data and model", "trials", "defaults", "best", "options"], [_tuned(*one) for one in trials.items()]
            ),
        ]
    return parts


def readme(text: str) -> str:
    """README.md with the table of what is served, anew, between its marks."""
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    rows = []
    for (data, protocol), models in _grouped().items():
        if served := models.get(("pdn", "cypher")):
            others = {model: _mean(rows, "ndcg@10") for (model, by), rows in models.items() if by == "scores"}
            best = max(others, key=lambda model: others[model], default=None)
            ours = [f"{_mean(served, metric):.3f}" for metric in TABLE_2]
            rows.append([data, protocol, *ours, f"{best} {others[best]:.3f}" if best else "–"])
    shown = table(["store", "what is to be found", "HR@10", "NDCG@10", "best of the others that were measured"], rows)
    return f"{before}{MARKS[0]}{shown}\n{MARKS[1]}{after}"


def _halves(grouped: Grouped) -> list[str]:
    """Table 2 of the PDN paper: personalised and item to item side by side, and what the paper has."""
    parts = []
    for (data, protocol), models in grouped.items():
        personal = {model: rows for (model, by), rows in models.items() if by in ("network", "scores")}
        by_items = {model: rows for (model, by), rows in models.items() if by == "item-to-item"}
        if not by_items:
            continue
        for model in ITEM_TO_ITEM & set(personal):
            by_items[model] = personal.pop(model)
        paper = PAPER if (data, protocol) == ("movielens-1m", "leave-one-out (NCF split), 99 negatives") else {}
        rows = []
        for model in sorted(by_items, key=lambda model: -_mean(by_items[model], "ndcg@10")):
            halves = [personal.get(model), by_items[model]]
            ours = [f"{_mean(half, metric):.3f}" if half else "–" for half in halves for metric in TABLE_2]
            rows.append([model, *ours, *(paper.get(model, [""] * 4) if paper else [])])
        head = [
            "model",
            *(f"{half} {metric}" for half in ("personalised", "item to item") for metric in ("HR@10", "NDCG@10")),
        ]
        parts += [
            f"### {data}: {protocol}",
            table([*head, *([f"paper: {name}" for name in head[1:]] if paper else [])], rows),
        ]
    if not parts:
        return []
    return [
        "## Table 2 of the PDN paper",
        "The same models with what they know of the user (*personalised*, `pdn` by `network`), and by the user's items alone (*item to item*). Models of neighbours, SLIM and "
        "EASE know nothing else: – stands for them as in the paper. The paper says that its targets are ranked among all negatives; its figures are beside the published 99, "
        "which they are nearer to.",
        *parts,
    ]


TABLE_2 = ("hr@10", "ndcg@10")
ITEM_TO_ITEM = {"pcf", "cosine", "bm25", "slim", "ease"}  # whose scores are that already
PAPER = {  # HR@10 and NDCG@10 on MovieLens: personalised, item to item
    "dssm": ["0.4699", "0.2603", "0.2243", "0.1034"],
    "youtube-dnn": ["0.6187", "0.3579", "0.4362", "0.2324"],
    "bst": ["0.6316", "0.3603", "0.0561", "0.0277"],
    "pcf": ["–", "–", "0.4033", "0.2132"],
    "slim": ["–", "–", "0.4400", "0.2337"],
    "din": ["0.6454", "0.3767", "0.1662", "0.0918"],
    "pdn:no-bias": ["0.6323", "0.3401", "0.5080", "0.2795"],
    "pdn:no-direct": ["0.6642", "0.3930", "0.5124", "0.2813"],
    "pdn": ["0.6770", "0.4071", "0.5152", "0.2859"],
}


TAU = {
    "popularity": "most clicked first",
    "without": "PDN without Bias Net",
    "counts": "with it, and with counts as features",
    "with": "with it, without counts",
    "random pages": "PDN, pages in random order",
}
# https://rdrr.io/cran/completejourney/man/promotions_sample.html
PLACEMENTS = {
    "display": {
        None: "not in the promotions", "0": "not on display", "1": "store front", "2": "store rear", "3": "front end cap",
        "4": "mid-aisle end cap", "5": "rear end cap", "6": "side-aisle end cap", "7": "in-aisle",
        "9": "secondary location", "A": "in-shelf",
    },
    "mailer": {
        None: "not in the promotions", "0": "not on ad", "A": "interior page feature", "C": "interior page line item",
        "D": "front page feature", "F": "back page feature", "H": "wrap front feature", "J": "wrap interior coupon",
        "L": "wrap back feature", "P": "interior page coupon", "X": "free on interior page",
        "Z": "free on front page, back page or wrap",
    },
}  # fmt: skip


def debiasing(found: dict[str, Any]) -> str:
    """Generated clicks by world, and Complete Journey's placements."""
    parts = ["## Debiasing", "`python -m benchmarks.debiasing`; how it is done is in [evaluation.md](evaluation.md)."]
    if generated := found.get("generated"):
        seeds = len(next(iter(generated.values()))["tau"])
        parts += [
            f"**Generated clicks.** Kendall's τ of what is served (eq. 14) with what each shopper wants: mean of {seeds} seeds, lowest and highest.",
            table(["world", "clicks", *TAU.values()], [_world(*one) for one in generated.items()]),
            "What the Bias Net learnt of the last seed, softplus(y_bias), against the five slots in order and all places below them:",
            table(
                ["world", "below", *(f"slot {slot}" for slot in range(1, 6))],
                [[world, *(f"{bias:.4f}" for bias in one["slots"])] for world, one in generated.items()],
            ),
        ]
    if placed := found.get("placements"):
        parts.append(
            "**Complete Journey.** What a placement adds to ŷ, softplus(y_bias) less that of an item without any, and how many times as much the bias part is; "
            "by how many of the first purchases it was learnt. One training. Placements under which nothing was bought are left out."
        )
        for group, names in PLACEMENTS.items():
            nowhere = next(row["bias"] for row in placed[group] if row["placement"] is None)
            rows = sorted((row for row in placed[group] if row["purchases"]), key=lambda row: -row["bias"])
            parts.append(
                table(
                    [group, "adds", "times", "purchases"],
                    [
                        [
                            names[row["placement"]],
                            f"{row['bias'] - nowhere:.4f}",
                            f"{row['bias'] / nowhere:.1f}",
                            f"{row['purchases']:,}",
                        ]
                        for row in rows
                    ],
                )
            )
    return "\n\n".join(parts)


def _world(name: str, found: dict[str, Any]) -> list[object]:
    values = ([row[key] for row in found["tau"]] for key in TAU)
    return [name, f"{found['clicks']:,}", *(f"{mean(one):.2f} ({min(one):.2f} to {max(one):.2f})" for one in values)]


QUALITY = ["model", "by", "NDCG@10", "HR@10", "coverage@10", "popularity bias@10", "seeds", "fit, s", "memory, MiB"]


def _mean(rows: Sequence[dict[str, Any]], metric: str) -> float:
    return mean(row["metrics"][metric] for row in rows)


def _quality(model: str, engine: str, rows: Sequence[dict[str, Any]]) -> list[object]:
    figures = []
    for metric in ("ndcg@10", "hr@10", "coverage@10", "popularity_bias@10"):
        known = [row for row in rows if metric in row["metrics"]]  # a sampled protocol has no lists
        ends = [mean(row["intervals"][metric][end] or 0.0 for row in known) for end in ("low", "high") if known]
        figures.append(_interval([_mean(known, metric), *ends]) if known else "")
    first = [row["metrics"]["ndcg@10"] for row in rows]
    spread = f"{len(rows)}, {max(first) - min(first):.4f}" if len(rows) > 1 else "1"
    return [model, engine, *figures, spread, f"{rows[-1]['train_seconds']:,.0f}", f"{rows[-1]['peak_mib']:,}"]


def _tuned(name: str, found: dict[str, Any]) -> list[object]:
    reached = [trial["ndcg@10"] for trial in found["trials"]]
    options = ", ".join(f"{key} {_short(value)}" for key, value in found["options"].items() if key != "seed")
    return [name, len(reached), f"{reached[0]:.4f}", f"{max(reached):.4f}", options]


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _interval(found: Sequence[float] | None) -> str:
    return "" if found is None else f"{found[0]:.3f} ({found[1]:.3f} to {found[2]:.3f})"


if __name__ == "__main__":
    main()
