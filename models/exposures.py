"""What was displayed or mailed where and in which week: the selection bias that the Bias Net absorbs."""

from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl

from graph.schema import WEEK
from models.interactions import Ints


class Exposures:
    """Placements looked up by item, shop and week. Code 0 of both placements means: nowhere.

    Attributes:
        displays, mailers: names of the placements; code c stands for name c − 1.
    """

    def __init__(self, frame: pl.DataFrame, items: list[str], places: list[str], first_week: int) -> None:
        self.first_week, self.places = first_week, max(1, len(places))
        self.displays = tuple(frame["display"].drop_nulls().unique().sort())
        self.mailers = tuple(frame["mailer"].drop_nulls().unique().sort())
        self.weeks = int(frame["week"].max() or 0) + 1  # type: ignore[arg-type]
        coded = frame.select(
            _code(pl.col("item"), items),
            _code(pl.col("place"), places),
            pl.col("week"),
            display=_code(pl.col("display"), self.displays) + 1,
            mailer=_code(pl.col("mailer"), self.mailers) + 1,
        ).filter(pl.col("item").is_not_null() & pl.col("place").is_not_null())
        key = self._key(*(coded[name].to_numpy() for name in ("item", "place", "week")))
        order = np.argsort(key, kind="stable")
        self._keys = key[order]
        self._codes = np.stack(
            [coded[name].fill_null(0).to_numpy().astype(np.int8)[order] for name in ("display", "mailer")], axis=1
        )

    @classmethod
    def read(cls, file: Path, items: list[str], places: list[str], first_week: int | None) -> Self | None:
        """The exposures of a store; None where it has none."""
        if first_week is None or not file.exists():
            return None
        wanted = pl.scan_parquet(file).filter(pl.col("item").is_in(items))
        return cls(wanted.collect(), items, places, first_week)

    def _key(self, item: Ints, place: Ints, week: Ints) -> Ints:
        return (item.astype(np.int64) * self.weeks + week) * self.places + place

    def week(self, time: Ints) -> Ints:
        """Week number of each time, clipped to the weeks that are known."""
        return np.clip((time - self.first_week) // WEEK + 1, 0, self.weeks - 1)

    def codes(self, item: Ints, place: Ints, time: Ints) -> npt.NDArray[np.int64]:
        """[R, 2] codes of display and mailer placement of `item` at `place` when the basket was paid."""
        if not len(self._keys):
            return np.zeros((len(item), 2), dtype=np.int64)
        key = self._key(item, np.maximum(place, 0), self.week(time))
        at = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        found = (self._keys[at] == key) & (place >= 0)
        return np.where(found[:, None], self._codes[at], 0).astype(np.int64)


def _code(column: pl.Expr, names: list[str] | tuple[str, ...]) -> pl.Expr:
    return column.replace_strict(list(names), list(range(len(names))), default=None, return_dtype=pl.Int64)
