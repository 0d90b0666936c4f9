"""Constraints and indexes that every writer wants first: ids, keys, trees, embeddings, items in order of popularity."""

import re

from graph.driver import Database
from graph.statements import statement

STATEMENTS = (
    "constraint_user",
    "constraint_item",
    "constraint_browse_node",
    "constraint_intent",
    "constraint_generation",
    "constraint_serving",
    "constraint_source",
    "constraint_tree",
    "constraint_query",
    "constraint_api_key",
    "constraint_event",
    "constraint_network",
    "index_event_user",
    "index_item_popularity",
    "index_item_brand",
    "index_item_created",
    "index_item_text",
    "index_user_stale",
    "index_user_changed",
    "index_item_changed",
    "index_removed_at",
    "index_browse_node_tree",
    "index_browse_node_embedding",
    "index_intent_embedding",
    "index_intent_words",
    "index_event_variant",
    "index_similar",
)


NAME = re.compile(r"CREATE .*?(?:CONSTRAINT|INDEX) (\w+) IF NOT EXISTS")


def create_constraints(database: Database, timeout: int | None = 600) -> None:
    """Create what is missing and wait until all of it is online, `timeout` seconds at most; None waits for nothing.

    Raises `StatementFailed` where stored data breaks a constraint.
    """
    online = set(database.read(statement("online_indexes"))[0]["names"])
    missing = [name for name in STATEMENTS if index_name(name) not in online]
    if not missing:
        return
    for name in missing:
        database.write(statement(name))
    if timeout is not None:
        database.read(statement("await_indexes"), {"timeout": timeout})


def index_name(name: str) -> str:
    """What the statement `name` calls its constraint or index."""
    found = NAME.search(statement(name))
    if found is None:
        raise ValueError(f"{name} creates no index")
    return found[1]
