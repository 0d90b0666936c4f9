"""Discretisation: every feature, dense or categorical, becomes a code in a field (PDN, section 4.2)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
UNKNOWN = 0  # code of a value that is missing or was not seen when the field was fitted
TAIL = 1.5  # above the last quantile each further edge leaves this many times fewer values above it
LEAST = 50  # values above the last edge of a tail
STEPS = 4096  # of a mantissa: values this near to each other are the same value


def steady(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Values rounded to 12 binary digits.

    A count from which one buyer was subtracted differs from the same count without that buyer in its last digits.
    Unrounded, values at a bucket's edge would tell positives from negatives.
    """
    mantissa, exponent = np.frexp(np.asarray(values, dtype=np.float64))
    return np.ldexp(np.round(mantissa * STEPS) / STEPS, exponent)


@dataclass(frozen=True)
class Category:
    """One-hot feature: values in a vocabulary; code 0 is for the rest."""

    name: str
    values: tuple[str, ...]
    kind: str = "category"

    @classmethod
    def fit(cls, name: str, values: Sequence[str | None]) -> "Category":
        return cls(name, tuple(sorted({value for value in values if value not in (None, "")})))

    @property
    def size(self) -> int:
        return len(self.values) + 1

    @cached_property
    def _codes(self) -> dict[str | None, int]:
        return {value: code for code, value in enumerate(self.values, start=1)}

    def encode(self, values: Sequence[str | None]) -> Codes:
        codes = self._codes
        return np.array([codes.get(value, UNKNOWN) for value in values], dtype=np.int64)


@dataclass(frozen=True)
class Buckets:
    """Dense feature in buckets with these upper edges; code 0 is for NaN."""

    name: str
    edges: tuple[float, ...]
    kind: str = "buckets"

    @classmethod
    def fit(cls, name: str, values: npt.NDArray[Any], count: int = 24, *, tailed: bool = False) -> "Buckets":
        """Quantile buckets over the finite values; zero, where it occurs, has a bucket of its own.

        `tailed`: with finer and finer buckets above the last quantile, where the greatest few values matter most.
        """
        known = steady(values[np.isfinite(values)])
        if not len(known):
            return cls(name, ())
        positive = known[known != 0]
        shares = np.linspace(0, 1, count + 1)[1:-1]
        if tailed and len(positive) > count * LEAST:
            further = int(np.log(len(positive) / count / LEAST) / np.log(TAIL))
            shares = np.concatenate([shares, 1 - TAIL ** -np.arange(1.0, further + 1) / count])
        edges = np.quantile(positive, shares, method="lower") if len(positive) else np.zeros(0)
        edges = np.unique(np.concatenate([[0.0], edges]) if len(positive) < len(known) else edges)
        return cls(name, tuple(float(edge) for edge in edges))

    @classmethod
    def powers(cls, name: str, top: float) -> "Buckets":
        """Buckets 0, 1, 2, 3-4, 5-8, … up to `top`: for counts and distances with a long tail."""
        edges, edge = [0.0, 1.0], 2.0
        while edge < top:
            edges.append(edge)
            edge = np.ceil(edge * 1.5)
        return cls(name, tuple(float(edge) for edge in edges))

    @classmethod
    def doublings(cls, name: str, low: int = -5, high: int = 6, steps: int = 3) -> "Buckets":
        """Edges from 2^low to 2^high, `steps` to each doubling: for counts that fade."""
        return cls(name, tuple(float(2 ** (step / steps)) for step in range(low * steps, high * steps + 1)))

    @property
    def size(self) -> int:
        return len(self.edges) + 2

    def encode(self, values: npt.NDArray[Any]) -> Codes:
        codes = np.searchsorted(np.asarray(self.edges), steady(values), side="left") + 1
        return np.where(np.isnan(values), UNKNOWN, codes)


Field = Category | Buckets


@dataclass(frozen=True)
class FieldGroup:
    """The features of one of the paper's fields: z_u, a_uj, c_ji, x_i or the bias features."""

    fields: tuple[Field, ...] = field(default_factory=tuple)

    @property
    def sizes(self) -> list[int]:
        return [one.size for one in self.fields]

    def encode(self, columns: dict[str, Any], rows: int) -> Codes:
        """[rows, F] codes of the named columns."""
        codes = np.zeros((rows, len(self.fields)), dtype=np.int64)
        for place, one in enumerate(self.fields):
            codes[:, place] = one.encode(columns[one.name])
        return codes

    def filled(self, codes: Codes, columns: dict[str, Any]) -> Codes:
        """A copy of `codes` [R, F] in which the fields of these columns are encoded anew, where the group has them."""
        codes = codes.copy()
        for place, one in enumerate(self.fields):
            if one.name in columns:
                codes[:, place] = one.encode(columns[one.name])
        return codes

    def without(self, names: Collection[str], prefix: str) -> "FieldGroup":
        """The fields that are not in `names`, where each stands with `prefix`."""
        return FieldGroup(tuple(one for one in self.fields if f"{prefix}{one.name}" not in names))

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {"kind": one.kind, "name": one.name, "values": list(one.values if isinstance(one, Category) else one.edges)}
            for one in self.fields
        ]

    @classmethod
    def of_json(cls, rows: list[dict[str, Any]]) -> "FieldGroup":
        return cls(
            tuple(
                (Category if row["kind"] == "category" else Buckets)(row["name"], tuple(row["values"])) for row in rows
            )
        )
