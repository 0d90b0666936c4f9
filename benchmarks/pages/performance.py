"""docs/performance.md."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from api.display import markdown_table as table
from api.pictures import BLUE, GREY, ORANGE, STYLE
from benchmarks.pages.scale import scale
from benchmarks.pages.tables import interval, read

Row = dict[str, Any]
IMAGES = Path(__file__).parent.parent.parent / "docs" / "images" / "performance"
COLOURS = {"cypher": ORANGE, "projection": BLUE}


def performance() -> list[str]:
    rows: list[Row] = read("serving") or []
    return [
        "# Speed: figures",
        "Made by `python -m benchmarks.report` from [benchmarks/results](../benchmarks/results). Compare within a table: all of it was measured in one run, in turns. How the engine `projection` works is in "
        "[projection.md](projection.md), how the index is made at size in [scale.md](scale.md). `make bench` runs all benchmarks small, to see that they work; these figures are from full runs.",
        *_in_process([row for row in rows if row["what"] == "in process"]),
        *_http([row for row in rows if row["what"] == "HTTP"]),
        *_slow([row for row in rows if row["what"].startswith("HTTP beside")]),
        *_queries(read("queries")),
        *_library(read("gds")),
        *_setups(read("setups")),
        *_training(read("training")),
        *scale(),
    ]


def _in_process(rows: list[Row]) -> Iterator[str]:
    if not rows:
        return
    yield "## One request at a time, in process"
    yield (
        "`python -m benchmarks.in_process`: requests per second of one thread, the slowest and the fastest round of five, and times of a request. *Floor* is the same two hops in Cypher, counted only. *numpy* scores the same paths and takes "
        "the ten best, without filters, direct part or titles. The peers answer another question, and know nothing of paths: ALS and FAISS rank all items by one vector of the user."
    )
    yield "![Requests per second of each engine and peer, on a logarithmic axis](images/performance/in-process.png)"
    for data in _datas(rows):
        mine = [row for row in rows if row["data"] == data]
        yield f"### {data}"
        yield mine[0]["machine"] + "."
        cypher = {(row["m"], row["k"]): row for row in mine if row["engine"] == "cypher"}
        yield table(
            ["engine", "m", "k", "requests/s", "rounds", "p50, ms", "p99, ms", "times Cypher", "p50 by the floor's"],
            [_one(row, cypher.get((row["m"], row["k"]))) for row in mine],
        )
    if same := read("same_answers"):
        yield "### The same answers"
        yield "All users of a store, ten items, m = 300, k = 100, both engines: lists that differ other than by the order of equal scores."
        yield table(
            ["store", "users", "lists that differ", "largest difference of a score", "MiB of the projection"],
            [
                [
                    one["data"],
                    f"{one['users']:,}",
                    one["different"],
                    f"{one['largest_difference']:.0e}",
                    f"{one['bytes'] / 2**20:,.0f}",
                ]
                for one in same
            ],
        )


def _datas(rows: list[Row]) -> list[str]:
    return sorted({row["data"] for row in rows})


def _one(row: Row, cypher: Row | None) -> list[object]:
    times = f"{row['requests_per_second'] / cypher['requests_per_second']:.1f}" if cypher else ""
    floor = f"{row['p50_ms'] / row['floor_p50_ms']:.2f}" if row["floor_p50_ms"] else ""
    slow, fast = row["slowest_and_fastest_round"]
    return [
        row["engine"], row["m"] or "", row["k"] or "", f"{row['requests_per_second']:,.0f}", f"{slow:,.0f} to {fast:,.0f}",
        f"{row['p50_ms']:.3f}", f"{row['p99_ms']:.3f}", times, floor,
    ]  # fmt: skip


def _http(rows: list[Row]) -> Iterator[str]:
    if not rows:
        return
    yield "## Over HTTP"
    yield (
        "`python -m benchmarks.serving`: one process of `twohop serve` for each engine, uvicorn with uvloop and httptools; the clients are connections of one more process on the same machine, which takes a good part of it. "
        "With keys, rates, logs and metrics as they are by default. Of a request's time *Neo4j* is what its statements took, the driver included; *the rest* is the web process, the network and the client, which with several clients wait for each other's turn on the cores."
    )
    for data in _datas(rows):
        mine = [row for row in rows if row["data"] == data]
        yield f"### {data}"
        yield mine[0]["machine"] + "."
        yield table(
            ["engine", "m", "k", "clients", "requests/s", "rounds", "p50, ms", "p99, ms", "of that Neo4j, p50", "the rest, p50"],
            [
                [
                    row["engine"], row["m"], row["k"], row["clients"], f"{row['requests_per_second']:,.0f}",
                    "{:,.0f} to {:,.0f}".format(*row["slowest_and_fastest_round"]),
                    f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}", f"{row['database_p50_ms']:.2f}",
                    f"{row['own_p50_ms']:.2f}",
                ]
                for row in mine
            ],
        )  # fmt: skip


def _slow(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        yield (
            f"{row['what']} ({row['data']}, engine {row['engine']}, m = {row['m']}, k = {row['k']}, {row['clients']} clients): the 99th percentile is "
            f"{row['p99_beside_by_p99_alone']} times the one without them."
        )


def _queries(rows: list[Row] | None) -> Iterator[str]:
    if not rows:
        return
    yield "## The named queries beside their floors"
    yield (
        "`python -m benchmarks.queries`: a floor is the same traversal with `count` only ([benchmarks/floors](../benchmarks/floors)). Query, floor and a statement without any hop (*round trip*) are asked in turns for the same users and "
        "items; the ratio is of the medians within a round, with the least and the greatest of the rounds. All times include the driver and its two round trips. *Load* is how many processes wanted the machine's 2 cores at the end of a "
        "measurement: where it is high the 99th percentile says more about the machine than about the query."
    )
    for data in _datas(rows):
        mine = [row for row in rows if row["data"] == data]
        yield f"### {data}, by query"
        yield mine[0]["machine"] + "."
        yield table(
            ["query", "m", "k", "p50, ms", "p99, ms", "floor p50, ms", "round trip p50, ms", "times its floor", "rounds", "requests", "load"],
            [
                [
                    f"[{row['query']}](../cypher/{row['query']}.cypher)", row["m"] or "", row["k"] or "", f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}",
                    f"{row['floor_p50_ms']:.2f}", f"{row['round_trip_p50_ms']:.2f}", f"{row['ratio']:.2f}",
                    "{:.2f} to {:.2f}".format(*row["least_and_greatest_ratio"]), row["requests"], row["load"],
                ]
                for row in mine
            ],
        )  # fmt: skip


def _library(rows: list[Row] | None) -> Iterator[str]:
    if not rows:
        return
    one = rows[0]
    yield "## Beside the Graph Data Science library"
    yield (
        f"`python -m benchmarks.gds`: Neo4j's own library (Graph Data Science {one['gds']}) makes the second hop in place of SimNet, by node similarity (cosine of the buyers) and by kNN over FastRP vectors; the same queries walk "
        f"its edges. m = {one['m']}, k = {one['k']}; {one['users']} random users, the same for all; 95% intervals. Its triggers weigh half as much every three steps back, and it has no direct part: what it does not offer was set by hand."
    )
    yield one["machine"] + "."
    yield table(
        ["second hop", "protocol", "HR@10", "NDCG@10", "recommend p50, ms", "p99, ms", "edges made in, s", "edges", "load"],
        [
            [
                row["engine"], row["protocol"], interval(row["hr@10"]), interval(row["ndcg@10"]), f"{row['p50_ms']:.1f}",
                f"{row['p99_ms']:.1f}", row.get("seconds", ""), f"{row['edges']:,}" if "edges" in row else "", row["load"],
            ]
            for row in rows
        ],
    )  # fmt: skip


def _setups(found: dict[str, list[Row]] | None) -> Iterator[str]:
    if not found:
        return
    rows, encoders = found["setups"], found["encoders"]
    one = rows[0]
    yield "## Ways to run the web process"
    yield (
        f"`python -m benchmarks.setups`: the engine `projection`, m = {one['m']}, k = {one['k']}, {one['clients']} clients in one more process of the same machine, all setups in turns ({one['data']}). *Ratio* is of the "
        "requests per second of a round. `twohop serve` is the first: only it ends connections of clients that send or take too slowly."
    )
    yield one["machine"] + "."
    yield table(
        ["setup, processes", "requests/s", "rounds", "ratio", "p50, ms", "p99, ms", "load"],
        [
            [
                row["setup"], f"{row['requests_per_second']:,.0f}", "{:,.0f} to {:,.0f}".format(*row["slowest_and_fastest_round"]),
                f"{row['ratio']:.2f}", f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}", row["load"],
            ]
            for row in rows
        ],
    )  # fmt: skip
    yield "A reply of ten items as JSON: " + ", ".join(f"{row['encoder']} {row['p50_us']} µs" for row in encoders) + "."


def _training(rows: list[Any] | None) -> Iterator[str]:
    if not rows:
        return
    yield "## Training"
    yield (
        "`python -m benchmarks.training`: steps of PDN's training, beside the same equations as they are written, where the features of every path are embedded, joined and given to the MLP. Both have the same batches and the "
        "same start, in turns; *times* is of a round, the median and the least and most."
    )
    yield table(
        ["on", "examples a step", "paths a step", "", "paths/s", "rounds", "times", "forward, ms", "backward, ms", "optimizer, ms"],
        [
            [
                row["card"] or f"{row['threads']} of {row['cores']} cores", row["examples_per_step"], f"{row['paths_per_step']:,}", name, f"{run['paths_per_s']:,}",
                "{:,} to {:,}".format(*run["slowest_and_fastest_round"]), "{} ({} to {})".format(row["times"]["median"], *row["times"]["of"]) if name == "as it is" else "",
                *(run["ms"][part] for part in ("forward", "backward", "optimizer")),
            ]
            for row in rows
            for name, run in row["runs"].items()
        ],
    )  # fmt: skip
    for row in rows:
        yield (
            f"On {row['card'] or 'the cores'}, {row['examples_per_step']} examples a step of {row['data']} data: the loss goes from {row['loss']['first']} to {row['loss']['last']} in {row['steps']} steps in both, and differs by a share of "
            f"{row['largest_relative_difference_of_losses']:.0e} at most. A batch takes a thread {row['draw_a_batch_ms']} ms to draw. PyTorch {row['torch']}; {row['processes_running']:.1f} processes were running when it began."
        )
    for row in rows:
        runs = row["runs"]
        if "kinds" in runs["as it is"]:
            kinds = list(runs["as it is"]["kinds"])
            yield "What a step does on the cores:"
            yield table(
                ["", *kinds], [[name, *(f"{run['kinds'][kind]:.0%}" for kind in kinds)] for name, run in runs.items()]
            )
    yield _gpu([row for row in rows if row["card"]])


def _gpu(rows: list[Any]) -> str:
    about = (
        "**GPU.** Training uses an NVIDIA GPU where there is one: four threads make batches, which wait in pinned memory and are copied while it computes, and losses are read every 20 steps. The sums of rows of the first layer "
        "are made without a tensor for each feature there too, and their gradient is added up where it belongs, without the sort of PyTorch's own `embedding_bag`. A GPU adds up in any order, so the same seed gives the same "
        "model to about three digits, and on cores to the last bit or nearly, where other work shares them."
    )
    if not rows:
        return f"{about} It has not been measured on one here."
    shares = "; ".join(
        f"{row['examples_per_step']} examples a step: {row['runs']['as it is']['busy']['share']:.0%} "
        f"({row['runs']['as it is']['busy']['launches_per_step']} kernels a step)"
        for row in rows
    )
    return (
        f"{about} With batches that are there already the {rows[0]['card']} computes for this share of the time: {shares}. The rest is Python giving it kernels, one after the other: a step of 128 examples is too little for such a "
        "card, and what makes a step cheap on cores leaves it idle. Where a card is there, more examples a step (`sampling: {batch: 1024}`) use it better; the recipes' numbers are for cores. In a whole training the threads that draw "
        "are the slower part ([design.md](design.md#why-it-is-so))."
    )


def draw() -> Path:
    """The picture of the page: requests/s in process, slowest and fastest round as whiskers."""
    rows = [row for row in read("serving") or [] if row["what"] == "in process"]
    datas = _datas(rows)
    with rc_context(STYLE):
        figure = Figure(figsize=(1.0 + 5.2 * max(1, len(datas)), 4.6), layout="constrained")
        figure.suptitle("One request at a time: requests per second", x=0.01, ha="left", fontsize=13)
        for axes, data in zip(figure.subplots(1, max(1, len(datas)), squeeze=False)[0], datas, strict=False):
            mine = [row for row in rows if row["data"] == data][::-1]
            rates = [row["requests_per_second"] for row in mine]
            ends = [row["slowest_and_fastest_round"] for row in mine]
            whiskers = [
                [max(0.0, r - e[0]) for r, e in zip(rates, ends, strict=True)],
                [max(0.0, e[1] - r) for r, e in zip(rates, ends, strict=True)],
            ]
            axes.barh(
                [f"{row['engine']}, m={row['m']}, k={row['k']}" if row["m"] else row["engine"] for row in mine],
                rates, xerr=whiskers, color=[COLOURS.get(row["engine"], GREY) for row in mine], capsize=3,
            )  # fmt: skip
            axes.set_xscale("log")
            axes.set_title(data)
            axes.grid(visible=False, axis="y")
        IMAGES.mkdir(parents=True, exist_ok=True)
        file = IMAGES / "in-process.png"
        figure.savefig(file)
    return file
