"""The part of docs/performance.md about stores of growing size."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib import colormaps, rc_context
from matplotlib.figure import Figure

from api.display import markdown_table as table
from api.pictures import STYLE
from benchmarks.pages.tables import read

Row = dict[str, Any]
RATES = ("bulk load", "import tool alone", "add edges", "incremental load", "the same again", "index")
PHASES = ("generate", "bulk load", "incremental load", "snapshot", "train", "index", "switch", "projection")
MARKS = "os^vDPX*"
SERVED = ("serve by cypher", "serve by projection")


def scale() -> Iterator[str]:
    rows: list[Row] = read("scale") or []
    if not rows:
        return
    yield "## Stores of growing size"
    yield (
        "`python -m benchmarks.scale --shapes all` makes the whole life of generated stores; the shape `amazon-books` has the numbers of the paper's data set. All with the default heap and page cache. Most interactions come by the bulk "
        "writer, the rest by the incremental one: half of them as edges between nodes that are there (*add edges*), half as a load of their own with the nodes that it names (*incremental load*), "
        "and that once more (*the same again*), which changes nothing. Times of one row were measured one after the other, while other work shared the machine: compare columns with care."
    )
    yield table(
        ["shape", "items", "users", "interactions", "machine", "other processes running"],
        [
            [row["shape"], *(f"{row[name]:,}" for name in ("items", "users", "interactions")), row["machine"], row["processes_running_before"]]
            for row in rows
        ],
    )  # fmt: skip
    yield "![Seconds of each phase by interactions, and edges per second, both axes logarithmic](images/performance/scale.png)"
    yield "### Edges a second"
    yield (
        "*Bulk load* is all of the command after reading: checks, CSV files, stopping the server, the import tool, starting the server, constraints and indexes. *Import tool alone* is what Neo4j's tool says of itself. *Index* is all of it, "
        "from the snapshot over the weights of all candidates to the edges that are written: of interactions, and of similar items. In brackets how many edges it was; with few of them, starting takes most of the time."
    )
    yield table(["shape", *RATES], [[row["shape"], *(rate(row.get(name)) for name in RATES)] for row in rows])
    yield "### Seconds, memory and disk"
    yield table(
        ["shape", *PHASES],
        [[row["shape"], *(seconds(row.get(name)) for name in PHASES)] for row in rows],
    )
    yield "Most memory, MiB, of the command, the server and the import tool together; and MiB on disk after a phase."
    yield table(
        ["shape", *(f"{name}" for name in PHASES if name != "switch"), "disk: loaded", "disk: indexed", "disk: projected"],
        [
            [
                row["shape"],
                *(f"{row[name]['peak_mib']:,.0f}" if name in row else "" for name in PHASES if name != "switch"),
                *(f"{row['disk_mib'][name]:,}" if name in row["disk_mib"] else "" for name in ("load", "index", "projection")),
            ]
            for row in rows
        ],
    )  # fmt: skip
    if len(rows) > 1:
        yield "### How it grows"
        yield "Times as much as the shape before: seconds, most memory in any phase, and disk."
        yield table(
            ["shape", "interactions", *PHASES, "memory", "disk"],
            [grown(before, after) for before, after in pairwise(rows)],
        )
    if any(SERVED[0] in row for row in rows):
        yield "### Serving"
        yield (
            "Users with m triggers or more, one request at a time, in process. *By smallest*: the median by that of the smallest store, which was served in the same rounds; the median of the rounds, and the least and the most. "
            "Both engines do as much work in all stores. A request of the projection reads some 400 edges, and several columns of each item, wherever they lie: in a small store they all fit into the processor's caches, in a large one they do not."
        )
        yield table(
            ["shape", "engine", "m", "k", "p50, ms", "p99, ms", "by smallest", "rounds"],
            [
                [
                    row["shape"], name.removeprefix("serve by "), found["m"], found["k"], f"{found['p50_ms']:.2f}",
                    f"{found['p99_ms']:.2f}", f"{found['by_smallest']:.2f}", "{:.2f} to {:.2f}".format(*found["least_and_most"]),
                ]
                for row in rows for name in SERVED if (found := row.get(name))
            ],
        )  # fmt: skip
    yield from _columns(read("columns") or [])
    yield from _writers(read("writers"))


def _writers(found: Row | None) -> Iterator[str]:
    if not found:
        return
    edges = found["bulk"]["write"]["edges"]
    yield "### Both writers, real data"
    yield (
        f"`python -m benchmarks.writers`: {edges:,} edges with {found['events']:,} purchases of {found['data']}, {found['users']:,} users and {found['items']:,} items with their categories, into empty stores, from the checks to the last index. "
        f"*Again* is the same load once more, which changes nothing. {found['cores']} cores, Neo4j {found['neo4j']}, Python {found['python']}; {found['processes_running_before']:.1f} other processes were running when it began."
    )
    yield table(
        ["writer", "what", "s", "edges/s", "most memory, MiB"],
        [
            [writer, what, f"{one['wall_s']:,.1f}", f"{one['edges_per_s']:,}", f"{one['peak_mib']:,}"]
            for writer in ("bulk", "incremental")
            for what, name in (("load", "write"), ("again", "write_again"), ("snapshot", "snapshot"))
            if (one := found[writer][name])
        ],
    )


def _columns(rows: list[Row]) -> Iterator[str]:
    if not rows:
        return
    yield "### A projection alone"
    yield (
        "`python -m benchmarks.columns` draws the columns of projections in which each item leads to any k others, and asks all of them in turns, in process. That no row is near another is the worst case for the processor's caches: shoppers of a real store share popular items. "
        f"{rows[0]['machine']}."
    )
    yield table(
        ["items", "m", "k", "p50, ms", "p99, ms", "by smallest", "rounds"],
        [
            [
                f"{row['items']:,}", row["m"], row["k"], f"{row['p50_ms']:.3f}", f"{row['p99_ms']:.3f}",
                f"{row['by_smallest']:.2f}", "{:.2f} to {:.2f}".format(*row["least_and_most"]),
            ]
            for row in rows
        ],
    )  # fmt: skip


def rate(found: Row | None) -> str:
    return f"{found['edges_per_s']:,} ({found['edges']:,})" if found else ""


def seconds(found: Row | None) -> str:
    return f"{found['wall_s']:,.1f}" if found else ""


def grown(before: Row, after: Row) -> list[object]:
    def times(one: float | None, other: float | None) -> str:
        return f"{other / one:.1f}" if one and other else ""

    def most(row: Row) -> float:
        return max(row[name]["peak_mib"] for name in PHASES if name in row)

    phases = [times(*(row.get(name, {}).get("wall_s") for row in (before, after))) for name in PHASES]
    disks = (row["disk_mib"].get("projection") for row in (before, after))
    return [
        after["shape"],
        times(before["interactions"], after["interactions"]),
        *phases,
        times(most(before), most(after)),
        times(*disks),
    ]


def draw_scale(folder: Path) -> Path:
    """The picture: seconds of each phase, and rates, by interactions."""
    rows: list[Row] = read("scale") or []
    with rc_context(STYLE):
        figure = Figure(figsize=(11.4, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        figure.suptitle("Stores of growing size", x=0.01, ha="left", fontsize=13)
        for axes, names, key, label in ((left, PHASES, "wall_s", "seconds"), (right, RATES, "edges_per_s", "edges/s")):
            for number, name in enumerate(names):
                points = [(row["interactions"], row[name][key]) for row in rows if name in row]
                if points:
                    colour = colormaps["viridis"](0.9 * number / len(names))
                    axes.plot(*zip(*points, strict=True), marker=MARKS[number], label=name, color=colour)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel("interactions")
            axes.set_title(label)
            axes.legend(fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.14))
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "scale.png"
        figure.savefig(file)
    return file
