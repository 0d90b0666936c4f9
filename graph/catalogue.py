"""Items, users and browse nodes of the store, written one at a time while it serves. docs/events.md tells what leaves.

Every function is one transaction but the deletions of items and users, which clean up in batches and delete the node
last: one that was cut off is finished by the same call. All raise `DatabaseError`, `StoreEmpty` before a load,
`NotFound`, `Invalid` for what the store cannot take, and `Conflict` for what contradicts what it holds.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from graph.batches import drain
from graph.driver import Database, Row, Run
from graph.errors import Conflict, Invalid, NotFound, StoreEmpty
from graph.events import touch_users
from graph.projection.columns import removed_key
from graph.statements import statement

Value = str | int | float | bool | list[str]
Changes = Mapping[str, Any]
EDGES = 1_000  # deleted in one transaction
KINDS: dict[type, str] = {bool: "true or false", int: "whole numbers", float: "numbers", str: "texts", list: "lists"}


@dataclass(frozen=True)
class StoredItem:
    """`made` by this call; `unplaced`: its neighbours do not fit yet what it is."""

    id: str
    title: str | None = None
    brand: str | None = None
    price: float | None = None
    available: bool = True
    categories: list[str] = field(default_factory=list)
    profile: dict[str, Value] = field(default_factory=dict)
    made: bool = False
    unplaced: bool = False


@dataclass(frozen=True)
class StoredUser:
    id: str
    profile: dict[str, Value] = field(default_factory=dict)
    made: bool = False


@dataclass(frozen=True)
class StoredNode:
    """`parent` is None and `level` 0 at the top of the tree."""

    id: str
    name: str
    parent: str | None
    tree: str
    level: int
    made: bool = False


def put_item(database: Database, item: str, content: Changes) -> StoredItem:
    """Make an item or put this content in the place of its own: `title`, `brand`, `price`, `available`, `categories`,
    `profile`; what is left out is unknown, available, nothing."""
    return database.transact(lambda run: _write_item(run, item, content, whole=True))


def patch_item(database: Database, item: str, changes: Changes) -> StoredItem:
    """Change these fields of an item, and of its `profile` these ones; None takes a value away."""
    return database.transact(lambda run: _write_item(run, item, changes, whole=False))


def set_placed(database: Database, item: str) -> None:
    """Remember that an item has the neighbours that fit it."""
    database.write(statement("place_item"), {"item": item})


def delete_item(database: Database, item: str) -> None:
    """Delete an item and all its edges, from the histories of its users too. Its events stay, without effect."""
    if not database.write(statement("withdraw_item"), {"item": item}):
        raise NotFound(f"item {item!r} is not in the graph")
    drain(database, "drop_buyers", EDGES, item=item)
    database.write(statement("drop_item"), {"item": item})


def put_user(database: Database, user: str, content: Changes) -> StoredUser:
    """Make a user, or put this `profile` in the place of the user's own."""
    return database.transact(lambda run: _write_user(run, user, content, whole=True))


def patch_user(database: Database, user: str, changes: Changes) -> StoredUser:
    """Change these fields of a user's `profile`; None takes a value away."""
    return database.transact(lambda run: _write_user(run, user, changes, whole=False))


def delete_user(database: Database, user: str) -> None:
    """Delete every trace of a user in the graph: the node with its edges, its events, its id in the networks."""
    forgotten = database.transact(lambda run: _forget(run, user))
    events = drain(database, "drop_user_events", EDGES, user=user)
    if not database.transact(lambda run: _drop_user(run, user)) and not events and not forgotten:
        raise NotFound(f"user {user!r} is not in the graph")


def put_node(database: Database, node: str, name: str, parent: str | None) -> StoredNode:
    """Make a node of the store's own tree, or rename it and move it with all below it. No parent: the top."""
    return database.transact(lambda run: _write_node(run, node, {"name": name, "parent": parent}, whole=True))


def patch_node(database: Database, node: str, changes: Changes) -> StoredNode:
    """Change `name` or `parent` of a node of the store's own tree."""
    return database.transact(lambda run: _write_node(run, node, changes, whole=False))


def delete_node(database: Database, node: str, *, cascade: bool = False) -> None:
    """Delete a node of the store's own tree. `cascade`: with all below it; the items of all of them stay without it.

    Raises `Conflict` for a node that has children or items, without `cascade`.
    """
    database.transact(lambda run: _drop_node(run, node, cascade))


def _write_item(run: Run, item: str, changes: Changes, *, whole: bool) -> StoredItem:
    source = _source(run, "source")
    names = list(source.get("item_profile") or ())
    profile = _profile(run, "item", names, changes.get("profile") or {})
    found = run(statement("item_state"), {"item": item, "profile": names})
    if not found:
        if not whole:
            raise NotFound(f"item {item!r} is not in the graph")
        run(statement("make_item"), {"item": item})
        run(statement("lock_items"), {"items": [item]})
    before = StoredItem(item, **found[0] | {"profile": dict(found[0]["profile"])}) if found else StoredItem(item)
    given = {name: changes[name] for name in ("title", "brand", "price", "available", "categories") if name in changes}
    kept = {} if whole else _content(before)
    after = StoredItem(item, **kept | given | {"profile": _merged({} if whole else before.profile, profile)})
    after = StoredItem(**vars(after) | {"categories": _categories(run, after.categories, source["id"])})
    unplaced = not found or before.unplaced or _placing(after) != _placing(before)
    written = _content(after) | {"item": item, "profile": dict.fromkeys(names) | after.profile, "unplaced": unplaced}
    run(statement("write_item"), {name: value for name, value in written.items() if name != "categories"})
    run(statement("write_categories"), {"item": item, "categories": after.categories})
    return StoredItem(**vars(after) | {"made": not found, "unplaced": unplaced})


def _content(item: StoredItem) -> Row:
    return {name: value for name, value in vars(item).items() if name not in ("id", "made", "unplaced")}


def _placing(item: StoredItem) -> tuple[Any, ...]:
    """What says which items are like this one."""
    return item.title, item.brand, item.categories, item.profile


def _categories(run: Run, categories: Sequence[str], tree: str) -> list[str]:
    """Sorted and each once, so that concurrent writes lock them in one order."""
    wanted = sorted(set(categories))
    known = {row["id"] for row in run(statement("own_nodes"), {"nodes": wanted, "tree": tree})} if wanted else set()
    if unknown := [category for category in wanted if category not in known]:
        raise Invalid(f"categories: browse node {unknown[0]!r} is not in the store's tree {tree}")
    return wanted


def _write_user(run: Run, user: str, changes: Changes, *, whole: bool) -> StoredUser:
    names = list(_source(run, "source").get("user_profile") or ())
    profile = _profile(run, "user", names, changes.get("profile") or {})
    found = run(statement("user_state"), {"user": user, "profile": names})
    if not found and not whole:
        raise NotFound(f"user {user!r} is not in the graph")
    before = dict(found[0]["profile"]) if found else {}
    after = _merged({} if whole else before, profile)
    if not found or after != before:
        touch_users(run, [{"id": user, "stale": True}])
        run(statement("write_user"), {"user": user, "profile": dict.fromkeys(names) | after})
    return StoredUser(user, after, made=not found)


def _merged(profile: Mapping[str, Value], changes: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in {**profile, **changes}.items() if value is not None}


def _profile(
    run: Run, kind: Literal["user", "item"], names: Sequence[str], given: Mapping[str, Value | None]
) -> dict[str, Value | None]:
    """These values as the store keeps such ones: one field, one type, or the next training cannot read it."""
    for name in given:
        if name not in names:
            there = ", ".join(sorted(names)) or "none"
            raise Invalid(f"profile: this store's {kind}s have no field {name!r} (there: {there})")
    if not given:
        return {}
    stored = {row["name"]: row["value"] for row in run(statement(f"{kind}_profile_values"), {"names": list(given)})}
    return {name: _typed(name, value, stored.get(name)) for name, value in given.items()}


def _typed(name: str, value: Value | None, stored: Value | None) -> Value | None:
    if value is None or stored is None or type(value) is type(stored):
        return value or None if isinstance(value, list) else value  # an empty list is an absent property
    if isinstance(stored, float) and type(value) is int:
        return float(value)
    raise Invalid(f"profile.{name}: this store keeps {KINDS[type(stored)]} there, such as {stored!r}")


def _forget(run: Run, user: str) -> bool:
    """Put a random name in the place of a user's id in the vocabulary of each network, so that the codes stay."""
    texts = [json.dumps(user), json.dumps(user, ensure_ascii=False)]
    found = False
    for row in run(statement("networks_naming"), {"texts": texts}):
        features = json.loads(row["features"])
        for column in features.get("user", ()):
            if column["name"] == "id" and user in column["values"]:
                column["values"][column["values"].index(user)] = f"deleted-{secrets.token_hex(16)}"
                run(statement("write_features"), {"artefact": row["artefact"], "features": json.dumps(features)})
                found = True
    return found


def _drop_user(run: Run, user: str) -> bool:
    """Locks the user, then the items."""
    rows = run(statement("user_items"), {"user": user})
    if rows:
        run(statement("lock_items"), {"items": rows[0]["items"]})
        run(statement("drop_user"), {"user": user, "key": removed_key(user)})
    events = run(statement("drop_user_events"), {"user": user, "limit": EDGES})[0]["nodes"]
    return bool(rows or events)


def _write_node(run: Run, node: str, changes: Changes, *, whole: bool) -> StoredNode:
    tree = str(_source(run, "lock_source")["id"])
    found = run(statement("node_state"), {"node": node})
    if not found and not whole:
        raise NotFound(f"browse node {node!r} is not in the graph")
    before = _own(node, found[0], tree) if found else {}
    name, parent = changes.get("name", before.get("name")), changes.get("parent", before.get("parent"))
    level = _level_below(run, node, parent, tree) if parent is not None else 0
    run(statement("merge_browse_nodes"), {"rows": [{"id": node, "name": name, "tree": tree, "level": level}]})
    run(statement("merge_tree_edges"), {"rows": [{"id": node, "parent": parent}]})
    if found and level != before["level"]:
        run(statement("level_subtree"), {"node": node, "level": level})
    return StoredNode(node, str(name), parent, tree, level, made=not found)


def _level_below(run: Run, node: str, parent: str, tree: str) -> int:
    """Raises `Invalid` for a parent that is not there, `Conflict` where the node would be above itself."""
    found = run(statement("node_state"), {"node": parent})
    if node == parent or (found and node in {row["id"] for row in run(statement("nodes_above"), {"node": parent})}):
        raise Conflict(f"browse node {node!r} cannot be below {parent!r}, which is below it or itself")
    if not found:
        raise Invalid(f"parent: browse node {parent!r} is not in the graph")
    return int(_own(parent, found[0], tree)["level"]) + 1


def _drop_node(run: Run, node: str, cascade: bool) -> None:
    tree = str(_source(run, "lock_source")["id"])
    found = run(statement("node_state"), {"node": node})
    if not found:
        raise NotFound(f"browse node {node!r} is not in the graph")
    children, items = (_own(node, found[0], tree)[name] for name in ("children", "items"))
    if (children or items) and not cascade:
        has = f"{children} children and {items} items"
        raise Conflict(f"browse node {node!r} has {has}: move them away, or delete it with cascade=true")
    run(statement("drop_subtree"), {"node": node})


def _own(node: str, row: Row, tree: str) -> Row:
    """Other trees are loaded as a whole (`twohop browse load`), and only so."""
    if row["tree"] not in (None, tree):
        raise Conflict(f"browse node {node!r} is of the tree {row['tree']}, not of the store's own, {tree}")
    return row


def _source(run: Run, name: str) -> Row:
    rows = run(statement(name), {})
    if not rows:
        raise StoreEmpty("the store is empty: load data first (twohop load)")
    return dict(rows[0]["properties"])
