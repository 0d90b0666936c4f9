"""Hold-out: which interactions are kept from training, so that recommendations can be judged."""

import polars as pl

DAY = 24 * 3600  # seconds
FEWEST_EVENTS = 3  # a user with fewer keeps all events in training under `last`


def hold_out(interactions: pl.DataFrame, protocol: str, marked: pl.Series | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split into (training, held out), both in the given order.

    Args:
        interactions: columns of `graph.schema.INTERACTION`.
        protocol: `none`; `last`: each user's last event, for users with at least 3, by `position` where there is one,
            else by `time`, ties by row order; `marked`: rows where `marked` is true; `days:N`: events later
            than N days before the last event of all.
        marked: one Boolean a row, for `marked` only.
    """
    if protocol == "last":
        chosen = _last(interactions)
    elif protocol == "marked" and marked is not None:
        chosen = marked.fill_null(False)
    elif protocol.startswith("days:"):
        newest = interactions["time"].max()
        since = (newest if isinstance(newest, int) else 0) - int(protocol.removeprefix("days:")) * DAY
        chosen = (interactions["time"] > since).fill_null(False)
    else:
        return interactions, interactions.clear()
    return interactions.filter(~chosen), interactions.filter(chosen)


def _last(interactions: pl.DataFrame) -> pl.Series:
    rows = interactions.select(
        "user", pl.coalesce("position", "time").alias("order"), pl.int_range(pl.len()).alias("row")
    )
    last = (
        rows.sort("order", "row")
        .group_by("user")
        .agg(pl.col("row").last(), pl.len().alias("events"))
        .filter(pl.col("events") >= FEWEST_EVENTS)
    )
    return rows.select(pl.col("row").is_in(last["row"].implode())).to_series()
