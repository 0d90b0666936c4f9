"""docs/quality.md, and the table of README.md."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import mean, median
from typing import Any

from api.display import markdown_table as table
from benchmarks.pages.debiasing import debiasing
from benchmarks.pages.tables import interval, read, sections
from benchmarks.quality import CYPHER, PDN, VARIATIONS

MARKS = "<!-- python -m benchmarks.report -->\n", "<!-- end -->"  # around the table of README.md
Grouped = dict[tuple[str, str], dict[tuple[str, str], list[dict[str, Any]]]]


def _grouped() -> Grouped:
    grouped: Grouped = defaultdict(lambda: defaultdict(list))
    for row in read("quality") or []:
        grouped[row["data"], row["protocol"]][row["model"], row["engine"]].append(row)
    return grouped


def quality() -> list[str]:
    """A table for each protocol of each store, best first, and what tuning chose."""
    grouped = _grouped()
    parts = [
        "# Quality: figures",
        "Made by `python -m benchmarks.report` of what `python -m benchmarks.quality` measured: every model tuned with the same budget of trials and minutes on training rows "
        "that were left out as the test rows were, fitted on all training rows, ranked on the same split. How it is measured, and what each metric says, is in [evaluation.md](evaluation.md).\n\n"
        f"- `pdn` by `cypher` is what is served: the list of the Cypher query from the stored graph, with {_walked()}. By `network` all items are scored.\n"
        "- Tuning looks at items that are new to a user. Where a table is *with repeats*, the same options are used.\n"
        "- By `item-to-item` a user's items are the same for everybody: the sum of their similarities, by SimNet or by inner products of the model's vectors of items.\n"
        "- In brackets: the 95% interval over users; with several seeds the means of both. *Seeds* has their number and how far apart their NDCG@10 are.\n"
        "- *Fit* and *memory* are of the last fit alone, in a process of its own: seconds on the machine that measured, and the most that it held, snapshot included.\n"
        "- *(1 thread)*: fitted on one core of two, while something else was fitted on the other.\n"
        "- A model without a row has not been measured on this store yet.",
    ]
    cards = sorted({row["device"] for row in read("quality") or [] if "device" in row})
    if cards:
        parts[-1] += (
            f"\n- *(GPU)*: tuned and fitted on {' or '.join(cards)}, fourteen models at a time, from a snapshot of the store, since no Neo4j ran there. Their seconds do not compare with those of the others, which had two cores."
        )
    for (data, protocol), models in grouped.items():
        ranked = sorted(models.items(), key=lambda one: -_mean(one[1], "ndcg@10"))
        ranked = [one for one in ranked if not _varied(one[0][0])]
        parts += [f"## {data}: {protocol}", table(QUALITY, [_quality(*name, rows) for name, rows in ranked])]
    parts += [*_times(), *_choices(grouped), *_halves(grouped)]
    parts += sections({"debiasing": debiasing})
    trials = read("trials") or {}
    if trials:
        parts += [
            "## What tuning chose",
            "NDCG@10 on validation events: of the first trial, which has the model's defaults, and of the best. On a GPU models that read histories began with 64 examples a step instead. SASRec's second trial on MovieLens-1M has the options that PDN's own transformer had then: d = 64 and L = 100, now 128 and 50.",
            table(["data and model", "trials", "first", "best", "options"], [_tuned(*one) for one in trials.items()]),
        ]
    return parts


def _walked() -> str:
    """The triggers and neighbours that the query walked, and on which stores."""
    walks: dict[tuple[int, int], set[str]] = defaultdict(set)
    for row in read("quality") or []:
        if (row["model"], row["engine"]) == (PDN, CYPHER):
            walks[row["m"], row["k"]].add(row["data"])
    return ", ".join(f"m = {m:,} and k = {k:,} ({', '.join(sorted(data))})" for (m, k), data in sorted(walks.items()))


def readme(text: str) -> str:
    """README.md with the table of what is served, anew, between its marks."""
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    rows = []
    for (data, protocol), models in _grouped().items():
        if served := models.get((PDN, CYPHER)):
            others = {model: _mean(rows, "ndcg@10") for (model, by), rows in models.items() if by == "scores"}
            best = max(others, key=lambda model: others[model], default=None)
            ours = [f"{_mean(served, metric):.3f}" for metric in TABLE_2]
            rows.append([data, protocol, *ours, f"{best} {others[best]:.3f}" if best else "–"])
    shown = table(["store", "what is to be found", "HR@10", "NDCG@10", "best of the others that were measured"], rows)
    return f"{before}{MARKS[0]}{shown}\n{MARKS[1]}{after}"


def _times() -> list[str]:
    """Seconds of the parts of PDN's training, the median over its seeds."""
    trained: dict[str, dict[int, dict[str, float]]] = defaultdict(dict)
    for row in read("quality") or []:
        if (row["model"], row["engine"]) == (PDN, CYPHER) and "seconds" in row and "device" not in row:
            trained[row["data"]][row["seed"]] = row["seconds"] | {"index": row["index_seconds"]}
    if not trained:
        return []
    parts = list(dict.fromkeys(part for seeds in trained.values() for seconds in seeds.values() for part in seconds))
    rows = [
        [data, *(f"{median(seconds.get(part, 0.0) for seconds in seeds.values()):,.0f}" for part in parts)]
        for data, seeds in trained.items()
    ]
    return [
        "## Where the time of PDN goes",
        "Seconds, the median of the seeds, on as many cores as the tables above say: finding candidate pairs and coding features, each stage of the training (the first layer over paths is split into a projection of each item and "
        "a sum for each path, see [performance.md](performance.md#training)), and weighing and writing all edges (*index*).",
        table(["store", *parts], rows),
    ]


def _choices(grouped: Grouped) -> list[str]:
    """PDN with one thing changed, beside PDN as its recipe has it."""
    parts = []
    for (data, protocol), models in grouped.items():
        personal = {model: rows for (model, by), rows in models.items() if by == "network"}
        varied = [model for model in personal if _varied(model)]
        if not varied or PDN not in personal:
            continue
        usual = personal[PDN]
        lines = [
            [
                "as the recipe has it" if model == PDN else model.partition(":")[2],
                _changes(model),
                f"{_mean(rows, 'ndcg@10'):.4f}",
                "" if model == PDN else f"{_mean(rows, 'ndcg@10') / _mean(usual, 'ndcg@10') - 1:+.1%}",
                "{:.4f} to {:.4f}".format(*(end(row["metrics"]["ndcg@10"] for row in rows) for end in (min, max))),
                f"{_mean(rows, 'hr@10'):.3f}",
                f"{median(row['train_seconds'] for row in rows):,.0f}",
            ]
            for model in [PDN, *sorted(varied, key=lambda model: -_mean(personal[model], "ndcg@10"))]
            for rows in [personal[model]]
        ]
        head = ["choice", "changed in the recipe", "NDCG@10", "to PDN", "of its seeds", "HR@10", "fit, s"]
        parts += [f"### {data}: {protocol}", table(head, lines)]
    if not parts:
        return []
    return [
        "## What each choice costs",
        "`python -m benchmarks.quality STORE --variations`: PDN with one thing of its recipe changed ([benchmarks/variations.yaml](../benchmarks/variations.yaml)), by `network`, beside PDN as it "
        "is served. Recipes were chosen on validation rows, these are test rows: what is ahead of PDN here was not taken over for that. *Of its seeds*: the least and the most of the trainings. *Fit*: the median of them, in seconds, while other work shared the machine.",
        *parts,
    ]


def _varied(model: str) -> bool:
    return model.startswith(f"{PDN}:")


def _changes(model: str) -> str:
    """As in the file of variations: `network.path 8`."""
    found = []
    for section, values in VARIATIONS.get(model, {}).items():
        one = values if isinstance(values, dict) else {"": values}
        for name, value in one.items():
            said = ", ".join(value) if isinstance(value, list) else value
            found.append(f"{'.'.join(filter(None, (section, name)))} {said}")
    return "; ".join(found)


def _halves(grouped: Grouped) -> list[str]:
    """Table 2 of the PDN paper: personalised and item to item side by side, and what the paper has."""
    parts = []
    for (data, protocol), models in grouped.items():
        personal = {model: rows for (model, by), rows in models.items() if by in ("network", "scores")}
        by_items = {
            model: rows
            for (model, by), rows in models.items()
            if by == "item-to-item" and (not _varied(model) or model in PAPER)
        }
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


QUALITY = ["model", "by", "NDCG@10", "HR@10", "coverage@10", "popularity bias@10", "seeds", "fit, s", "memory, MiB"]


def _mean(rows: Sequence[dict[str, Any]], metric: str) -> float:
    return mean(row["metrics"][metric] for row in rows)


def _quality(model: str, engine: str, rows: Sequence[dict[str, Any]]) -> list[object]:
    figures = []
    for metric in ("ndcg@10", "hr@10", "coverage@10", "popularity_bias@10"):
        known = [row for row in rows if metric in row["metrics"]]  # a sampled protocol has no lists
        ends = [mean(row["intervals"][metric][end] or 0.0 for row in known) for end in ("low", "high") if known]
        figures.append(interval([_mean(known, metric), *ends]) if known else "")
    first = [row["metrics"]["ndcg@10"] for row in rows]
    spread = f"{len(rows)}, {max(first) - min(first):.4f}" if len(rows) > 1 else "1"
    last = rows[-1]
    note = " (GPU)" if "device" in last else " (1 thread)" if last.get("threads") == 1 else ""
    seconds = f"{last['train_seconds']:,.0f}{note}"
    return [model, engine, *figures, spread, seconds, f"{last['peak_mib']:,}"]


def _tuned(name: str, found: dict[str, Any]) -> list[object]:
    reached = [trial["ndcg@10"] for trial in found["trials"]]
    options = ", ".join(f"{key} {_short(value)}" for key, value in found["options"].items() if key != "seed")
    name += " (GPU)" if "device" in found["trials"][0] else ""
    return [name, len(reached), f"{reached[0]:.4f}", f"{max(reached):.4f}", options]


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
