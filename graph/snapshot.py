"""The graph out again, as one `HeteroData` of PyTorch Geometric. The only module of `graph` that imports torch."""

from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch_geometric.data import HeteroData

from graph.driver import Database
from graph.errors import StoreError
from graph.histories import UNKNOWN_CODE, Histories
from graph.hops import EVENT_HOPS, PAIR_HOPS, Hop
from graph.progress import step
from graph.schema import Source
from graph.source import read_source
from graph.statements import statement

Numbers = dict[str, dict[str, int]]
USERS_AT_ONCE = 100  # rows of users with all their edges that the driver holds


def read_snapshot(database: Database) -> HeteroData:
    """Read the whole graph but its weights, streamed, in an order that depends on its content alone.

    U users, I items and B browse nodes are numbered in the order of their ids (as Python sorts strings). Browse nodes
    are those of the store's own tree.

    - `data["user"]`: `id` (list of U), `profile` (a list of U values for each name in `source.user_profile`).
    - `data["item"]`: `id`, `title`, `brand` (lists of I), `price` (float, nan = unknown), `available` (bool; False
      only where it is known), `popularity` (long), `profile`.
    - `data["browse_node"]`: `id`, `name`, `level` (lists of B).
    - `data["user", "interacted", "item"]` and `data["user", "held_out", "item"]`: `edge_index` [2, E], sorted by user
      and item, and one entry for each of V events, sorted by user and order (its position, or its time in seconds
      where that is unknown), then item: `event_edge` (row of its edge), `event_position`, `event_time`,
      `event_session` (0, 1, … in the user's order; equal = same session), `event_place` (place in `data.places`), all
      long with -1 = unknown; `event_quantity` and `event_value`, float with nan = unknown.
    - `edge_index`, sorted, of `data["item", "in_category", "browse_node"]` and of
      `data["browse_node", "child_of", "browse_node"]`.
    - `data.source` (`graph.schema.Source`) and `data.places` (sorted names).

    Raises `StoreEmpty`, `StoreError` where a load is unfinished or goes on meanwhile, and `DatabaseError`.
    """
    source = read_source(database)
    data = HeteroData()
    data.source = source
    numbers = {
        "user": _read_users(data, source, database),
        "item": _read_items(data, source, database),
        "browse_node": _read_browse_nodes(data, source, database),
    }
    try:
        for hop in PAIR_HOPS:
            _read_pairs(data, hop, numbers, database)
        places: dict[str, int] = {}
        for hop in EVENT_HOPS:
            _read_events(data, hop, numbers, places, database)
    except KeyError as error:
        raise StoreError(
            f"node {error} came while the graph was read: wait for the load to end, then try again"
        ) from None
    _sort_places(data, places)
    return data


def _read_nodes(
    name: str, parameters: dict[str, Any], database: Database
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    with step(f"Reading {name.replace('_', ' ')}"):
        rows = sorted(database.stream(statement(f"snapshot_{name}"), parameters), key=lambda row: str(row["id"]))
    return rows, {row["id"]: number for number, row in enumerate(rows)}


def _profile(rows: list[dict[str, Any]], names: Iterable[str]) -> dict[str, list[Any]]:
    return {name: [row["profile"][number] for row in rows] for number, name in enumerate(names)}


def _read_users(data: HeteroData, source: Source, database: Database) -> dict[str, int]:
    rows, numbers = _read_nodes("users", {"profile": list(source.user_profile)}, database)
    data["user"].num_nodes = len(rows)
    data["user"].id = list(numbers)
    data["user"].profile = _profile(rows, source.user_profile)
    return numbers


def _read_items(data: HeteroData, source: Source, database: Database) -> dict[str, int]:
    rows, numbers = _read_nodes("items", {"profile": list(source.item_profile)}, database)
    items = data["item"]
    items.num_nodes = len(rows)
    items.id = list(numbers)
    items.title = [row["title"] for row in rows]
    items.brand = [row["brand"] for row in rows]
    items.price = torch.tensor(
        [float("nan") if row["price"] is None else row["price"] for row in rows], dtype=torch.float
    )
    items.available = torch.tensor([row["available"] is not False for row in rows], dtype=torch.bool)
    items.popularity = torch.tensor([row["popularity"] for row in rows], dtype=torch.long)
    items.profile = _profile(rows, source.item_profile)
    return numbers


def _read_browse_nodes(data: HeteroData, source: Source, database: Database) -> dict[str, int]:
    rows, numbers = _read_nodes("browse_nodes", {"tree": source.id}, database)
    data["browse_node"].num_nodes = len(rows)
    data["browse_node"].id = list(numbers)
    data["browse_node"].name = [row["name"] for row in rows]
    data["browse_node"].level = [row["level"] for row in rows]
    return numbers


def _read_pairs(data: HeteroData, hop: Hop, numbers: Numbers, database: Database) -> None:
    start, name, end = hop
    ends = array("q")
    for row in database.stream(statement(f"snapshot_{name}"), {"tree": data.source.id}):
        ends.extend((numbers[start][row["start"]], numbers[end][row["end"]]))
    pairs = np.frombuffer(ends, np.int64).reshape(-1, 2)
    data[hop].edge_index = torch.from_numpy(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].T.copy())


def _read_events(data: HeteroData, hop: Hop, numbers: Numbers, places: dict[str, int], database: Database) -> None:
    histories, users, items, name = Histories(), numbers["user"], numbers["item"], hop[1]
    total = database.read(statement("count_edges"))[0][name]
    with step(f"Reading {name.replace('_', ' ')} edges", total) as shown:
        for row in database.stream(statement(f"snapshot_{name}"), fetch_size=USERS_AT_ONCE):
            histories.add(users[row["user"]], (items[item] for item in row["items"]), row, places)
            shown.advance(len(row["items"]))
    events = vars(histories.sort())
    data[hop].edge_index = torch.from_numpy(events.pop("edge_index"))
    for name, values in events.items():
        data[hop][f"event_{name}"] = torch.from_numpy(values)


def _sort_places(data: HeteroData, places: dict[str, int]) -> None:
    data.places = sorted(places)
    new = np.empty(len(places) + 1, np.int64)
    new[UNKNOWN_CODE] = UNKNOWN_CODE
    for number, name in enumerate(data.places):
        new[places[name]] = number
    for hop in EVENT_HOPS:
        data[hop].event_place = torch.from_numpy(new[data[hop].event_place.numpy()])
