"""The pictures of `twohop report`: what was computed, drawn by matplotlib into PNG files.

Wants the extra `report`. Colours are Okabe and Ito's, which colour-blind readers tell apart; series differ in their
marks too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

Draw = Callable[..., None]
Values = npt.NDArray[np.float64]

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#8A8A8A"
SERIES = ((BLUE, "o", "-"), (ORANGE, "s", "--"), (GREEN, "^", ":"))
STYLE: dict[Any, Any] = {
    "font.size": 11,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E3E3E3",
    "legend.frameon": False,
    "savefig.dpi": 120,
}
LEAST_RATIO, MOST_RATIO = 1.05, 16.0  # ends of a scale of ratios: chance is not painted, and few cells do not fade all
LONGEST, SHORTEST = 62, 36  # letters of a title, and of one that a method's name follows
STRAIGHT = 5  # letters of a column's name that fit below it
SHARED, ALONE = "#BFD9EA", "#F6DCA6"


@dataclass(frozen=True)
class Line:
    """One ranker's figures for each group of users: means [G] and the ends of their 95% intervals [G]."""

    name: str
    mean: Values
    low: Values
    high: Values


def draw_by_length(file: Path, groups: Mapping[str, int], panels: Mapping[str, Sequence[Line]], title: str) -> None:
    """Lines over groups of users, their names and numbers of users given, one panel for each metric."""
    with rc_context(STYLE):
        figure = Figure(figsize=(1.2 + 5.3 * len(panels), 4.6), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=13)
        place = np.arange(len(groups))
        [every] = figure.subplots(1, len(panels), squeeze=False)
        for axes, (metric, lines) in zip(every, panels.items(), strict=True):
            for number, line in enumerate(lines):
                colour, mark, dash = SERIES[number]
                ends = np.stack([line.mean - line.low, line.high - line.mean])
                shift = (number - (len(lines) - 1) / 2) * 0.07
                axes.errorbar(
                    place + shift, line.mean, ends, label=line.name, color=colour, marker=mark, linestyle=dash,
                    capsize=3, linewidth=1.8, markersize=6,
                )  # fmt: skip
            axes.set_xticks(place, [f"{name}\n{users:,} users" for name, users in groups.items()])
            axes.set_xlim(-0.4, len(groups) - 0.6)
            axes.set_ylim(bottom=0)
            axes.set_xlabel("items in the user's history, n")
            axes.set_ylabel(metric)
            axes.grid(axis="x", visible=False)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        _save(figure, file)


def draw_ratios(
    file: Path, values: Values, rows: Sequence[str], columns: Sequence[str], words: Mapping[str, str]
) -> None:
    """A heat map of ratios [R, C] around 1, blue below and red above, on a scale of logarithms; NaN stays empty.

    `words`: `title`, `rows`, `columns` and `scale`, what the axes and colours mean.
    """
    known = values[np.isfinite(values) & (values > 0)]
    most = float(np.clip(np.exp(np.abs(np.log(known)).max(initial=0)), LEAST_RATIO, MOST_RATIO))
    norm, colours = LogNorm(1 / most, most), colormaps["RdBu_r"].with_extremes(bad="#F4F4F4")
    with rc_context(STYLE | {"axes.grid": False, "axes.spines.left": False, "axes.spines.bottom": False}):
        size = (3.6 + 0.62 * len(columns), 2.4 + 0.42 * len(rows))
        figure = Figure(figsize=(max(size[0], 7.0), size[1]), layout="constrained")
        axes = figure.subplots()
        shown = np.clip(values, 1 / most, most)
        image = axes.imshow(shown, norm=norm, cmap=colours, aspect="auto")
        if max(map(len, columns)) > STRAIGHT:
            axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right", rotation_mode="anchor")
        else:
            axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0)
        axes.set_xlabel(words["columns"])
        axes.set_ylabel(words["rows"])
        figure.suptitle(words["title"], x=0.01, ha="left", fontsize=13)
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                strong = abs(np.log(shown[row, column])) > 0.6 * np.log(most)
                axes.text(column, row, _ratio(value, most), ha="center", va="center", fontsize=9,
                          color="white" if strong else "black")  # fmt: skip
        ticks = [most**share for share in (-1, -0.5, 0, 0.5, 1)]
        bar = figure.colorbar(image, ax=axes, ticks=ticks, extend="both" if most == MOST_RATIO else "neither")
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _ratio(value, most)))
        bar.ax.minorticks_off()
        bar.set_label(words["scale"])
        bar.outline.set_visible(False)
        _save(figure, file)


def _ratio(value: float, most: float) -> str:
    if most < 2 or value < 10:
        return f"{value:.2f}" if most < 2 or value < 0.95 else f"{value:.1f}"
    return f"{value:.0f}"


def draw_weights(file: Path, positive: Values, negative: Values, title: str) -> None:
    """Two distributions of positive values [R], one for each user, on a scale of logarithms, with their means."""
    with rc_context(STYLE):
        figure = Figure(figsize=(7.6, 4.4), layout="constrained")
        axes = figure.subplots()
        both = np.concatenate([positive, negative])
        low, high = np.quantile(both, (0.002, 0.998))
        bins = np.geomspace(low / 1.05, high * 1.05, 40).tolist()  # also where all values are the same
        series = (
            ("to what was held out", positive, BLUE, "-"),
            ("to items that the user had not", negative, ORANGE, "--"),
        )
        for name, values, colour, dash in series:
            share = np.full(len(values), 100 / len(values))
            axes.hist(values, bins, weights=share, color=colour, alpha=0.25)
            axes.hist(values, bins, weights=share, color=colour, histtype="step", linewidth=1.8, linestyle=dash,
                      label=f"{name}: mean {values.mean():.3g}")  # fmt: skip
            axes.axvline(values.mean(), color=colour, linestyle=dash, linewidth=1.2)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlabel("mean weight of a user's triggers with a path there, $e^t$ (logarithmic)")
        axes.set_ylabel("share of the users, %")
        figure.suptitle(title, x=0.01, ha="left", fontsize=13)
        figure.legend(loc="outside lower center", ncols=2)
        _save(figure, file)


@dataclass(frozen=True)
class Neighbour:
    """An item beside another: what it is called, how similar (1 = the first), its buyers, and if both lists have it."""

    title: str
    similarity: float
    buyers: int
    shared: bool


Lists = Mapping[str, Sequence[Neighbour]]


def draw_neighbours(file: Path, items: Sequence[tuple[str, Lists]], title: str) -> None:
    """For each item one row with a list of neighbours by each method, side by side, as bars with titles on them."""
    with rc_context(STYLE | {"axes.grid": False, "axes.spines.left": False, "axes.spines.bottom": False}):
        deepest = max((len(one) for _, lists in items for one in lists.values()), default=1)
        methods = max((len(lists) for _, lists in items), default=1)
        figure = Figure(figsize=(6.0 * methods, 0.9 + len(items) * (0.75 + 0.31 * deepest)), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=13)
        every = figure.subplots(len(items), methods, squeeze=False)
        for axes_row, (item, lists) in zip(every, items, strict=True):
            for axes, (method, found) in zip(axes_row, lists.items(), strict=True):
                _bars(axes, found, deepest)
                axes.set_title(f"{_cut(item, SHORTEST)}: {method}", fontsize=11, fontweight="bold")
                axes.text(1.17, 1.0, "buyers", va="bottom", ha="right", fontsize=10, color="#444444",
                          transform=axes.get_xaxis_transform())  # fmt: skip
        words = {SHARED: "in both lists", ALONE: "in this list alone"}
        patches = [Patch(color=colour, label=label) for colour, label in words.items()]
        figure.legend(handles=patches, loc="outside lower center", ncols=2)
        _save(figure, file)


def _bars(axes: Axes, found: Sequence[Neighbour], deepest: int) -> None:
    place = np.arange(len(found))
    colours = [SHARED if one.shared else ALONE for one in found]
    axes.barh(place, [one.similarity for one in found], 0.82, color=colours)
    for row, one in enumerate(found):
        axes.text(0.01, row, _cut(one.title, LONGEST), va="center", fontsize=10)
        axes.text(1.17, row, f"{one.buyers:,}", va="center", ha="right", fontsize=10, color="#444444")
    axes.set_ylim(deepest - 0.4, -0.6)
    axes.set_xlim(0, 1.18)
    axes.set_xticks([])
    axes.set_yticks([])


def _cut(title: str, letters: int) -> str:
    # A dollar sign would begin a formula.
    return (title if len(title) <= letters else title[: letters - 1].rstrip() + "…").replace("$", r"\$")


def _save(figure: Figure, file: Path) -> None:
    figure.savefig(file, format="png")
