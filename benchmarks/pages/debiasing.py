"""The part of docs/quality.md on exposure bias."""

from statistics import mean
from typing import Any

from api.display import markdown_table as table

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
