"""Cold start: the neighbours of an item that nobody has had yet, from its profile alone."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graph.driver import Run
from graph.excerpt import Excerpt, Profiles
from graph.statements import statement
from models.serving import ServedNetwork

CANDIDATES = 100  # of each kind: of the same part of the tree, of the same brand, with the most similar words
ENOUGH = 30  # items of one part of the tree: a wider one is not looked at
WORDS = 30  # of a title at most
WORD = re.compile(r"\w+")


def place_item(run: Run, item: str, networks: Sequence[tuple[int, ServedNetwork]]) -> None:
    """Give an item its vector and, unless a model run gave it neighbours, similar items both ways, by each network.

    `networks`: pairs of a generation's id and its network. An item that is not there is passed over.
    """
    if not run(statement("lock_items"), {"items": [item]}):
        return
    profile = list(dict.fromkeys(name for _, network in networks for name in network.features.item_profile))
    profiles = Profiles()  # of this transaction: what it has written counts
    alone = profiles.read(run, [item], profile)
    found = _candidates(run, alone, item, min(network.min_buyers for _, network in networks))
    data = profiles.read(run, [item, *found], profile)
    for generation, network in networks:
        _place(run, item, generation, network, data)


def _place(run: Run, item: str, generation: int, network: ServedNetwork, data: Excerpt) -> None:
    number, ids = data.item_at[item], data["item"].id
    trend = _trends(run, generation, data) if network.trended else np.zeros(len(ids))
    direct = network.item_vectors(data, trend)[number].tolist()
    run(statement("write_placed_direct"), {"item": item, "generation": generation, "direct": direct})
    where = {"item": item, "generation": generation}
    if run(statement("drop_placed"), where)[0]["learned"]:
        return
    others = np.delete(np.arange(len(ids)), number)
    here = np.full(len(others), number)
    source, target = np.concatenate([here, others]), np.concatenate([others, here])
    order = np.lexsort((target, source))
    weight = np.empty(len(order))
    weight[order] = network.similarities(data, source[order], target[order], trend)
    out, back = weight[: len(others)], weight[len(others) :]
    best = np.lexsort((others, -out))[: network.similar]
    rows = [
        {"id": ids[others[place]], "weight": float(out[place]), "rank": rank}
        for rank, place in enumerate(best, start=1)
    ]
    run(statement("place_from"), where | {"rows": rows})
    rows = [{"id": ids[other], "weight": float(weight)} for other, weight in zip(others, back, strict=True)]
    run(statement("place_among"), where | {"rows": rows, "k": network.similar})


def _trends(run: Run, generation: int, data: Excerpt) -> NDArray[np.float64]:
    """The trend [I] of each item as of the last index (`models.pairs.trends`); 0 of a new one."""
    trend = np.zeros(len(data.item_at))
    for row in run(statement("trends"), {"generation": generation, "items": list(data.item_at)}):
        trend[data.item_at[row["id"]]] = row["trend"]
    return trend


def _candidates(run: Run, data: Excerpt, item: str, min_buyers: int) -> list[str]:
    """Ids of other items that may be like it, each once; without regard to buyers where nothing has enough."""
    for least in dict.fromkeys((min_buyers, 0)):
        limits = {"item": item, "min_buyers": least, "limit": CANDIDATES}
        found: list[str] = []
        for node in _upwards(data, item):
            found = [row["id"] for row in run(statement("near_items"), limits | {"node": node})]
            if len(found) >= ENOUGH:
                break
        brand = data["item"].brand[data.item_at[item]]
        if brand:
            found += [row["id"] for row in run(statement("branded_items"), limits | {"brand": brand})]
        words = WORD.findall((data["item"].title[data.item_at[item]] or "").lower())[:WORDS]
        if words and run(statement("has_item_text"), {}):
            found += [row["id"] for row in run(statement("titled_items"), limits | {"words": " ".join(words)})]
        if found:
            return list(dict.fromkeys(found))
    return []


def _upwards(data: Excerpt, item: str) -> list[str]:
    """The browse nodes at and above an item, the nearest first."""
    found: list[str] = []
    waiting = list(data.nodes_of[item])
    while waiting:
        node = waiting.pop(0)
        if node not in found and node in data.parents:
            found.append(node)
            parent = data.parents[node]
            waiting += [parent] if parent is not None else []
    return found
