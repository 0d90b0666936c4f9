"""The PDN paper's studies of one store: tables printed and pictures drawn. docs/quality-studies.md explains them.

All of it stands in one more file, `report.md`, beside the pictures.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.table import Table
from scipy import sparse
from torch_geometric.data import HeteroData

from api import pictures
from api.display import markdown_table, output, short, table
from graph.errors import NotFound
from graph.files import write_text
from models import studies
from models.baselines.floor import Floor
from models.baselines.neighbours import Cosine, Pearson
from models.engines import matrix_engine, network_engine
from models.evaluation import Catalogue, Engine, Outcome, evaluate
from models.item_to_item import item_engine, vector_engine
from models.metrics import Lists
from models.protocols import Protocol, drawn_negatives
from models.scoring import Scores
from models.significance import Estimate, compare

CATEGORIES, USER_GROUPS = 16, 12  # in one picture
ITEMS, NEIGHBOURS = 4, 8  # whose neighbours are shown, and how many
NEGATIVES, SEED = 99, 0  # drawn for each user where none are published
CF = "item-CF (cosine)"
HITS = ("hr@10", "ndcg@10")
PAGE = "report.md"
MARKED = re.compile(r"[\\`*_<]")  # what titles may have and Markdown takes for its own
ALT = {
    "history.png": "HR@10 and NDCG@10 by the number of items in the history, for PDN, weights set by hand and item-CF",
    "diversity.png": "Share of all categories in a list of ten, by the number of items in the history",
    "categories.png": "How similar items of two categories are by SimNet, as a heat map",
    "triggers.png": "Distribution of the mean trigger weight towards held-out items and towards drawn negatives",
    "groups.png": "Mean trigger weight by group of users and category, against all users",
    "neighbours.png": "The most similar items by SimNet and by item-CF, for a few items",
}


@dataclass(frozen=True)
class Asked:
    """What the report is to show: items of figure 9, the profile field of figure 8c, lengths of histories that part
    the groups; where nothing is given the report chooses. `k`: neighbours of an item that are stored."""

    out: Path
    items: tuple[str, ...]
    profile: str | None
    edges: tuple[int, ...]
    k: int

    def prepare(self, data: HeteroData) -> None:
        """Make the folder. Raises `NotFound` for an item or a profile field that the store lacks."""
        known = set(data["item"].id)
        for item in self.items:
            if item not in known:
                raise NotFound(f"item {item!r} is not in the graph")
        fields = data["user"].profile
        if self.profile is not None and self.profile not in fields:
            there = f"there are {', '.join(fields)}" if fields else "there are none"
            raise NotFound(f"users have no profile field {self.profile!r}: {there}")
        self.out.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class Report:
    """One store's studies. `protocols` are all; table 4 and the figures are of the first.

    `title`: of the page. `told`: what it has so far, in Markdown.
    """

    asked: Asked
    data: HeteroData
    scores: Scores
    catalogue: Catalogue
    protocols: Sequence[Protocol]
    title: str
    told: list[str] = field(default_factory=list)

    def write(self) -> None:
        """Print the tables and draw the pictures, one after the other; then write the page of all of them."""
        cosine = Cosine().fit(self.scores.events)
        outcomes = self.both_halves(cosine)
        self.by_length(outcomes)
        similarity = self.scores.similarity(self.asked.k)
        found = studies.categories(self.data, self.scores.events.buyers > 0, CATEGORIES)
        self.category_similarity(similarity, found)
        self.trigger_weights(similarity)
        self.group_weights(found)
        self.neighbours(similarity, cosine.similarity, found)
        page = self.asked.out / PAGE
        write_text(page, "\n\n".join([f"# {self.title}", *self.told]) + "\n", mode=0o644)
        output().print(f"All of it: {page}")

    def both_halves(self, cosine: Cosine) -> dict[str, Outcome]:
        """Table 2: with what is known of the user, and item to item. Gives the outcomes of the first protocol."""
        events, users, items = self.scores.events, list(self.data["user"].id), list(self.data["item"].id)
        pearson, floor = Pearson().fit(events), Floor().fit(events)
        simnet = item_engine(events, self.scores.similarity(self.asked.k), users, items)
        personal: dict[str, Engine] = {
            "PDN": network_engine(self.scores, users, items),
            "weights set by hand": matrix_engine(floor.score, users, items),
        }
        by_items: dict[str, Engine] = {
            "PDN": simnet,
            CF: matrix_engine(cosine.score, users, items),
            "item-CF (Pearson)": matrix_engine(pearson.score, users, items),
        }
        if self.scores.q.shape[1]:
            by_items["vectors of Direct Net"] = vector_engine(events, self.scores.q, users, items)
        kept: dict[str, Outcome] = {}
        for protocol in self.protocols:
            halves = [
                {model: evaluate(protocol, engine, self.catalogue) for model, engine in half.items()}
                for half in (personal, by_items)
            ]
            self._print_halves(protocol, *halves)
            kept = kept or halves[1] | halves[0]
        return kept

    def _print_halves(self, protocol: Protocol, *halves: dict[str, Outcome]) -> None:
        heads = [f"{half} {metric.upper()}" for half in ("personal", "item to item") for metric in HITS]
        shown = table("", *((head, "right") for head in heads))
        for model in dict.fromkeys([*halves[0], *halves[1]]):
            estimates = [half[model].estimates() if model in half else {} for half in halves]
            shown.add_row(model, *(_figure(one.get(metric)) for one in estimates for metric in HITS))
        self._print(f"Table 2: {protocol.name}, {len(protocol.truth):,} users", shown)

    def by_length(self, outcomes: dict[str, Outcome]) -> None:
        """Table 4 and figure 7, by the length of histories."""
        ours = outcomes["PDN"]
        edges = list(self.asked.edges) or studies.history_edges(ours.history)
        models = ("PDN", "weights set by hand", CF)
        groups = {model: outcomes[model].by_history(edges) for model in models}
        names = {group: len(one.users) for group, one in groups["PDN"].items() if one.users}
        shown = table("HR@10 / NDCG@10", *((f"{group} ({users:,})", "right") for group, users in names.items()))
        for model, found in groups.items():
            told = [[found[group].estimates()[metric].mean for metric in HITS] for group in names]
            shown.add_row(model, *(" / ".join(f"{value:.3f}" for value in both) for both in told))
        where = self.protocols[0].name
        self._print(f"Table 4: by items in the user's history, {where}", shown)

        def lines(metric: str) -> list[pictures.Line]:
            return [
                _line(model, [found[group].estimates()[metric] for group in names]) for model, found in groups.items()
            ]

        hits = {metric.upper(): lines(metric) for metric in HITS}
        self._draw("history.png", pictures.draw_by_length, names, hits, f"Quality by length of history: {where}")
        if not self.catalogue.category_count:
            self._skip("Figure 7", "no item is in a category")
            return
        panels = {"share of all categories in a list of 10": lines("category_diversity@10")}
        self._draw("diversity.png", pictures.draw_by_length, names, panels, "Diversity by length of history")

    def category_similarity(self, similarity: sparse.csr_array, found: studies.Categories) -> None:
        """Figure 8a."""
        if not found.names:
            self._skip("Figure 8a", "the store has no two categories beside each other")
            return
        values = studies.category_similarity(similarity, found.member)
        words = {
            "title": "SimNet: how similar items of two categories are",
            "rows": "category of the trigger",
            "columns": "category of the candidate",
            "scale": "mean similarity, 1 = any two items (logarithmic)",
        }
        self._draw("categories.png", pictures.draw_ratios, values, found.names, found.names, words)
        same, other = np.diagonal(values), values[~np.eye(len(values), dtype=bool)]
        self._say(
            f"Figure 8a: {np.nanmedian(same):.2f} times as similar as any two items within a category, "
            f"{np.nanmedian(other):.2f} times across categories (medians)"
        )

    def trigger_weights(self, similarity: sparse.csr_array) -> None:
        """Figure 8b."""
        protocol = self.protocols[0]
        drawn = drawn_negatives(protocol.truth, self.catalogue.items, protocol.had, NEGATIVES, SEED)
        user = {one: number for number, one in enumerate(self.data["user"].id)}
        item = {one: number for number, one in enumerate(self.data["item"].id)}
        rows = np.array([user[one] for one in protocol.truth], dtype=np.int64)
        positive, negative = (
            studies.weights_by_target(
                self.scores, similarity, rows, Lists.of([item[i] for i in one[u]] for u in protocol.truth)
            )
            for one in (protocol.truth, drawn)
        )
        both = ~np.isnan(positive + negative)
        told = compare(positive[both], negative[both])
        if told is None:
            self._skip("Figure 8b", "no path leads to anything that was held out")
            return
        title = "TrigNet: weights of the triggers that lead to what came next"
        self._draw("triggers.png", pictures.draw_weights, positive[both], negative[both], title)
        ratio = positive[both].mean() / negative[both].mean()
        self._say(
            f"Figure 8b: {ratio:.2f} times the mean weight to what was held out, "
            f"the higher one for {(positive > negative)[both].mean():.1%} of {told.users:,} users (p = {told.p:.4f})"
        )

    def group_weights(self, found: studies.Categories) -> None:
        """Figure 8c."""
        profile = self.data["user"].profile
        field = self.asked.profile or next(iter(profile), None)
        if field is None:
            self._skip("Figure 8c", "users of this store have no profile")
            return
        if not found.names:
            self._skip("Figure 8c", "the store has no two categories beside each other")
            return
        names, group = largest(profile[field], USER_GROUPS)
        values = studies.weights_by_group(self.scores, group, len(names), found.member)
        if np.isnan(values).all():
            self._skip("Figure 8c", f"no group has {studies.FEWEST} triggers in a category")
            return
        words = {
            "title": f"TrigNet: what weighs more for whom, by {field}",
            "rows": "category of the trigger",
            "columns": f"users by {field}",
            "scale": "mean weight, 1 = as for all users",
        }
        self._draw("groups.png", pictures.draw_ratios, values.T, found.names, names, words)

    def neighbours(self, ours: sparse.csr_array, cf: sparse.csr_array, found: studies.Categories) -> None:
        """Figure 9."""
        ids, buyers = list(self.data["item"].id), self.scores.events.buyers
        chosen = [ids.index(item) for item in self.asked.items] or most_bought(buyers, found, ITEMS)
        shown: list[tuple[str, pictures.Lists]] = []
        printed = table("item", ("", "right"), "SimNet", CF)
        for item in chosen:
            lists = {method: studies.neighbours(one, item, NEIGHBOURS) for method, one in (("SimNet", ours), (CF, cf))}
            both = set.intersection(*(set(one.items.tolist()) for one in lists.values()))
            bars = {
                method: [
                    pictures.Neighbour(self._title(i), value / one.similarity[0], int(buyers[i]), i in both)
                    for i, value in zip(one.items.tolist(), one.similarity, strict=True)
                ]
                for method, one in lists.items()
            }
            shown.append((self._title(item), bars))
            for place in range(max(len(one.items) for one in lists.values())):
                titles = [self._title(one.items[place]) if place < len(one.items) else "" for one in lists.values()]
                printed.add_row("" if place else self._title(item), str(place + 1), *titles)
        self._print("Figure 9: the most similar items", printed)
        mean = [studies.neighbour_buyers(one, buyers, NEIGHBOURS) for one in (ours, cf)]
        self._say(
            f"Buyers of an item's {NEIGHBOURS} nearest neighbours, mean over all items: SimNet {mean[0]:,.0f}, "
            f"{CF} {mean[1]:,.0f}"
        )
        title = "The most similar items; bars: similarity, the first one's = 1"
        self._draw("neighbours.png", pictures.draw_neighbours, shown, title)

    def _title(self, item: int) -> str:
        return short(self.data["item"].title[item], self.data["item"].id[item])

    def _print(self, title: str, shown: Table) -> None:
        console = output()
        console.print(title, style="bold")
        console.print(shown)
        columns = ([MARKED.sub(r"\\\g<0>", str(cell)) for cell in column.cells] for column in shown.columns)
        head = [column.header for column in shown.columns]
        self.told.extend([f"## {title}", markdown_table(head, zip(*columns, strict=True))])

    def _say(self, line: str) -> None:
        output().print(line)
        self.told.append(line)

    def _skip(self, what: str, why: str) -> None:
        self._say(f"{what} is left out: {why}.")

    def _draw(self, file: str, draw: pictures.Draw, *what: object) -> None:
        draw(self.asked.out / file, *what)
        output().print(f"Drawn: {self.asked.out / file}")
        self.told.append(f"![{ALT[file]}]({file})")


def largest(values: Sequence[str | None], most: int) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The `most` commonest values in order of their names, and [U] the number of each user's; -1 for any other."""
    kept = sorted(name for name, _ in Counter(value for value in values if value).most_common(most))
    number = {name: place for place, name in enumerate(kept)}
    return kept, np.array([number.get(value or "", -1) for value in values], dtype=np.int64)


def most_bought(buyers: npt.NDArray[np.int64], found: studies.Categories, count: int) -> list[int]:
    """The most bought item of each of the largest categories, then the most bought of all: `count` different ones."""
    order = np.argsort(-buyers, kind="stable").tolist()
    member = found.member.toarray() > 0
    firsts: list[int] = []
    for category in range(min(count, len(found.names))):
        firsts += [item for item in order if member[item, category] and item not in firsts][:1]
    return list(dict.fromkeys([*firsts, *order[:count]]))[:count]


def _figure(found: Estimate | None) -> str:
    if found is None:
        return "–"
    return f"{found.mean:.4f}" if found.low is None else f"{found.mean:.4f} ({found.low:.3f}–{found.high:.3f})"


def _line(model: str, found: Sequence[Estimate]) -> pictures.Line:
    ends = ([one.mean if end is None else end for end in (one.low, one.high)] for one in found)
    low, high = np.array(list(ends)).T
    return pictures.Line(model, np.array([one.mean for one in found]), low, high)
