"""The browse tree: nodes and edges from the paths and labels of items, or from a table of nodes."""

from typing import NamedTuple

import polars as pl

from graph.schema import BROWSE_NODE, CHILD_OF, IN_CATEGORY
from loaders.mapping import Browse


class Tree(NamedTuple):
    """Frames with the columns that `graph.schema` gives each."""

    browse_nodes: pl.DataFrame
    in_category: pl.DataFrame
    child_of: pl.DataFrame


def grow(paths: pl.DataFrame) -> Tree:
    """Make the tree that these paths walk.

    Args:
        paths: `item` and `path`, a list of names from the top down; an item may have several rows.

    A node's id is its path joined by `/`, where a `/` within a name is written `%2F` and a `%` is written `%25`.
    An item is linked to the last node of its path.
    """
    escaped = pl.element().str.replace_all("%", "%25", literal=True).str.replace_all("/", "%2F", literal=True)
    steps = paths.filter(pl.col("path").list.len() > 0).with_columns(steps=pl.col("path").list.eval(escaped))
    steps = steps.with_columns(id=pl.col("steps").list.join("/"))
    known = steps.unique("id", maintain_order=True)
    deepest = known.select(pl.col("path").list.len().max()).item() or 0
    levels = [_level(known, level) for level in range(deepest)]
    nodes = pl.concat(levels) if levels else pl.DataFrame(schema={**BROWSE_NODE, "parent": pl.String})
    in_category = steps.select("item", pl.col("id").alias("browse_node")).unique(maintain_order=True)
    return Tree(nodes.select(list(BROWSE_NODE)), in_category, _edges(nodes))


def _level(paths: pl.DataFrame, level: int) -> pl.DataFrame:
    here = paths.filter(pl.col("path").list.len() > level)
    steps = pl.col("steps").list
    parent = steps.head(level).list.join("/") if level else pl.lit(None, dtype=pl.String)
    return here.select(
        steps.head(level + 1).list.join("/").alias("id"),
        pl.col("path").list.get(level).alias("name"),
        pl.lit(level, dtype=pl.Int64).alias("level"),
        parent.alias("parent"),
    ).unique("id", maintain_order=True)


def _edges(nodes: pl.DataFrame) -> pl.DataFrame:
    return nodes.filter(pl.col("parent").is_not_null()).select(pl.col("id").alias("child"), "parent")


def place(items: pl.DataFrame, browse: Browse, nodes: pl.DataFrame | None) -> Tree:
    """The tree of a source.

    Args:
        items: `id` and what `browse` names: `__path__`, `__labels__`, `__nodes__`, each a list of texts.
        nodes: the source's own nodes with their `level` and `parent`, as `rank` gives them; None without.
    """
    found = (
        [Tree(nodes.select(list(BROWSE_NODE)), pl.DataFrame(schema=IN_CATEGORY), _edges(nodes))]
        if nodes is not None
        else []
    )
    item = pl.col("id").alias("item")
    if browse.path is not None:
        found.append(grow(items.select(item, pl.col("__path__").alias("path"))))
    if browse.labels is not None:
        labels = items.select(item, pl.col("__labels__").alias("label")).explode("label").drop_nulls("label")
        found.append(grow(labels.select("item", pl.concat_list("label").alias("path"))))
    if browse.nodes is not None:
        links = items.select(item, pl.col("__nodes__").alias("browse_node")).explode("browse_node")
        found.append(
            Tree(
                pl.DataFrame(schema=BROWSE_NODE),
                links.drop_nulls().unique(maintain_order=True),
                pl.DataFrame(schema=CHILD_OF),
            )
        )
    if not found:
        return grow(pl.DataFrame(schema={"item": pl.String, "path": pl.List(pl.String)}))
    return Tree(
        pl.concat([tree.browse_nodes for tree in found]).unique("id", keep="first", maintain_order=True),
        pl.concat([tree.in_category for tree in found]).unique(maintain_order=True),
        pl.concat([tree.child_of for tree in found]).unique(maintain_order=True),
    )


def rank(nodes: pl.DataFrame) -> pl.DataFrame:
    """Give nodes (with `id` and `parent`) their `level`, 0 at the top; null where no way leads up to a top node."""
    reached = nodes.filter(pl.col("parent").is_null()).select("id", pl.lit(0, dtype=pl.Int64).alias("level"))
    found = [reached]
    while reached.height:
        reached = nodes.join(reached, left_on="parent", right_on="id", how="inner").select("id", pl.col("level") + 1)
        found.append(reached)
    return nodes.join(pl.concat(found), on="id", how="left", maintain_order="left")
