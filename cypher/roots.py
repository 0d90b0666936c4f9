"""Where a browse tree starts."""

from cypher.children import ListedNode
from graph.driver import Database
from graph.errors import NotFound
from graph.statements import statement


def roots(database: Database, tree: str | None = None, k: int = 100, after: str = "") -> list[ListedNode]:
    """The next `k` top nodes by their ids, after the id `after`; `tree`: None takes the store's own.

    Raises `NotFound` for a tree that is not there.
    """
    given = {"tree": tree, "k": k, "after": after}
    rows = database.read(statement("roots", "cypher"), given)
    if not rows and tree is not None and not database.read(statement("has_tree"), {"tree": tree})[0]["found"]:
        raise NotFound(f"browse tree {tree!r} is not in this store")
    return [ListedNode.of(row) for row in rows]
