"""The features of PDN: z_u of shoppers, x_i of items, a_uj of interactions, c_ji of pairs, and the bias features."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from graph.errors import SourceError
from models.fields import Buckets, Category, Codes, FieldGroup
from models.interactions import DAY, HALF_LIVES, Floats, Interactions, Ints, faded
from models.pairs import Pairs, Part
from models.profiles import browse_paths

if TYPE_CHECKING:
    from models.exposures import Exposures
    from models.profiles import Data

HOUR = 3600
LEVELS = 4  # of the browse tree at most, from the top
LONG = 400  # events: a trigger further back shares a bucket with all that are
SAMPLE = 500_000  # pairs, enough for the edges of buckets
PROFILE, CATEGORY = "profile_", "category_"  # what the names of such fields begin with
GROUPS = ("user", "item", "behaviour", "pair", "bias")


def pair_columns(together: Floats, forward: Floats, backward: Floats, source: Ints, target: Ints) -> dict[str, Floats]:
    """Dense c_ji of pairs from raw counts [E] and the buyers of both items [E]."""
    root = np.sqrt(np.maximum(source, 1) * np.maximum(target, 1)).astype(np.float32)
    return {
        "forward": forward,
        "backward": backward,
        "forward_share": forward / root,
        "backward_share": backward / root,
        "together": together,
        "cosine": together / root,
        "confidence": together / np.maximum(source, 1).astype(np.float32),
    }


@dataclass(frozen=True)
class Features:
    """How raw columns become codes. Fitted once, kept in the manifest of the artefact."""

    user: FieldGroup
    item: FieldGroup
    behaviour: FieldGroup
    pair: FieldGroup
    bias: FieldGroup

    @property
    def sizes(self) -> dict[str, list[int]]:
        return {name: getattr(self, name).sizes for name in GROUPS}

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name).to_json() for name in GROUPS}

    @property
    def user_profile(self) -> list[str]:
        """Properties of `User` that z_u has beside the fixed ones."""
        return [one.name for one in self.user.fields if one.name not in ("id", "activity")]

    @property
    def item_profile(self) -> list[str]:
        """Properties of `Item` that x_i has beside the fixed ones."""
        return [one.name.removeprefix(PROFILE) for one in self.item.fields if one.name.startswith(PROFILE)]

    @property
    def levels(self) -> int:
        """Levels of the browse tree in x_i, from the top down to the deepest that it has."""
        found = [one.name.removeprefix(CATEGORY) for one in self.item.fields if one.name.startswith(CATEGORY)]
        return max(map(int, found), default=-1) + 1

    @classmethod
    def of_json(cls, groups: dict[str, Any]) -> Self:
        return cls(**{name: FieldGroup.of_json(groups[name]) for name in GROUPS})

    def without(self, names: Collection[str]) -> "Features":
        """The rest, when these are left out, named `group.name`.

        Raises `SourceError` for names that are not there, and where a group of an edge or a node would be empty.
        """
        known = {name: [f"{name}.{one.name}" for one in getattr(self, name).fields] for name in GROUPS}
        every = [one for group in known.values() for one in group]
        if unknown := sorted(set(names) - set(every)):
            raise SourceError(f"cannot leave out {', '.join(unknown)}: the features here are {', '.join(every)}")
        for name, group in known.items():
            if name != "bias" and set(group) <= set(names):
                raise SourceError(f"cannot leave out {', '.join(group)}: no feature of {name} would be left")
        return Features(**{name: getattr(self, name).without(names, f"{name}.") for name in GROUPS})


class Encoder:
    """Codes for one snapshot or excerpt: static parts are encoded once, moving parts (history, counts) on request.

    Pairs are encoded without either (`data` None).
    """

    def __init__(self, data: "Data | None", features: Features, exposures: "Exposures | None" = None) -> None:
        self.features, self.exposures, self._data = features, exposures, data

    @cached_property
    def _item(self) -> Codes:
        count = self._data["item"].num_nodes
        columns = item_columns(self._data, self.features.levels) | {"buyers": np.zeros(count)}
        return self.features.item.encode(columns, count)

    @cached_property
    def _user(self) -> Codes:
        count = self._data["user"].num_nodes
        return self.features.user.encode(user_columns(self._data) | {"activity": np.zeros(count)}, count)

    @classmethod
    def fit(
        cls,
        data: "Data",
        events: Interactions,
        pairs: Pairs,
        exposures: "Exposures | None",
        min_buyers: int,
        without: Collection[str] = (),
        furthest: int = LONG,
    ) -> Self:
        """Learn vocabularies and bucket edges from training rows; `without` as in `Features.without`.

        `furthest`: events back of the furthest trigger of an example (`SamplingOptions.triggers`). Triggers that are
        further back when serving share the bucket of the furthest that training sees, else nothing has taught theirs.
        """
        furthest = min(furthest, LONG)
        levels = min(LEVELS, max(data["browse_node"].level, default=-1) + 1)
        users, items = user_columns(data), item_columns(data, levels)
        known = [
            name if count >= min_buyers else None for name, count in zip(data["item"].id, pairs.buyers, strict=True)
        ]
        items |= {"id": known}
        behaviour = behaviour_columns(events, np.arange(len(events)), np.arange(len(events)) + 1)
        some = np.arange(0, len(pairs), max(1, len(pairs) // SAMPLE))
        columns = pair_columns(
            pairs.together[some],
            pairs.forward[some],
            pairs.backward[some],
            pairs.buyers[pairs.source[some]],
            pairs.buyers[pairs.target[some]],
        )
        bias: list[Category | Buckets] = []
        if exposures is not None:
            bias += [Category("display", exposures.displays), Category("mailer", exposures.mailers)]
        if (events.time >= 0).any() and exposures is not None:
            bias += [Buckets("hour", tuple(float(hour) for hour in range(1, 24, 2)))]
        features = Features(
            user=FieldGroup((*_categories(users), Buckets.powers("activity", LONG))),
            item=FieldGroup(
                (*_categories(items), Buckets.fit("price", items["price"], 12), Buckets.powers("buyers", 3000))
            ),
            behaviour=FieldGroup(
                (
                    Buckets.powers("steps", furthest),
                    Buckets.powers("moments", furthest),
                    Buckets.powers("days", LONG),
                    Buckets.powers("count", 50),
                    *(Buckets.doublings(f"count_{days}") for days in (HALF_LIVES if pairs.options.repeats else ())),
                    Buckets.fit("quantity", behaviour["quantity"], 8),
                    Buckets.fit("value", behaviour["value"], 12),
                )
            ),
            pair=FieldGroup(
                (
                    # Most candidates are weak; what is served are each trigger's few best, so these are told apart.
                    *(Buckets.fit(name, values, tailed=True) for name, values in columns.items()),
                    Buckets.fit("text", pairs.text[some], 12, tailed=True),
                    Buckets("brand", (0.0,)),
                    Buckets("depth", (0.0, 1.0, 2.0, 3.0, 4.0)),
                )
            ),
            bias=FieldGroup(tuple(bias)),
        )
        return cls(data, features.without(without), exposures)

    def item_codes(self, buyers: Ints) -> Codes:
        """x of all items [N, Fx] for these counts of buyers [N]."""
        return self.features.item.filled(self._item, {"buyers": buyers})

    def user_codes(self, user: Ints, activity: Ints) -> Codes:
        """z of shoppers [B, Fz] who have met `activity` [B] items so far."""
        return self.features.user.filled(self._user[user], {"activity": activity})

    def behaviour_codes(self, events: Interactions, event: Ints, end: Ints) -> Codes:
        """a_uj [T, Fa] of trigger events as seen just before event number `end` [T] of the same user."""
        return self.features.behaviour.encode(behaviour_columns(events, event, end), len(event))

    def pair_codes(self, pairs: Pairs, pair: Ints, less: Part | None = None) -> Codes:
        """c_ji [P, Fc] of pairs; with `less` [P] a user's part is left out of the counts."""
        source = pairs.source_of(pair)
        counts = (pairs.together[pair], pairs.forward[pair], pairs.backward[pair], pairs.buyers[pairs.target[pair]])
        if less is not None:
            parts = (less.together, less.forward, less.backward, less.buyers)
            counts = tuple(np.maximum(count - part, 0) for count, part in zip(counts, parts, strict=True))
        together, forward, backward, buyers = counts
        columns: dict[str, Any] = pair_columns(together, forward, backward, pairs.buyers[source], buyers)
        columns |= {"text": pairs.text[pair], "brand": pairs.brand[pair], "depth": pairs.depth[pair]}
        return self.features.pair.encode(columns, len(pair))

    def bias_codes(self, item: Ints, place: Ints, time: Ints) -> Codes:
        """Codes [C, Fb] of where each candidate was exposed and of the hour."""
        codes = np.zeros((len(item), len(self.features.bias.fields)), dtype=np.int64)
        if self.exposures is None or not self.features.bias.fields:
            return codes
        placed = dict(zip(("display", "mailer"), self.exposures.codes(item, place, time).T, strict=True))
        for column, one in enumerate(self.features.bias.fields):
            codes[:, column] = placed.get(one.name, 0)
        return self.features.bias.filled(codes, {"hour": np.where(time >= 0, time % DAY / HOUR, np.nan)})


def _categories(columns: dict[str, Any]) -> list[Category | Buckets]:
    return [Category.fit(name, values) for name, values in columns.items() if isinstance(values, list)]


def user_columns(data: "Data") -> dict[str, Any]:
    return {"id": list(data["user"].id)} | {name: list(values) for name, values in data["user"].profile.items()}


def item_columns(data: "Data", levels: int) -> dict[str, Any]:
    """Columns of x_i: id, brand, browse nodes of the top `levels`, profile fields and price."""
    paths = browse_paths(data)
    level, name = data["browse_node"].level, data["browse_node"].id
    columns: dict[str, Any] = {"id": list(data["item"].id), "brand": list(data["item"].brand)}
    for depth in range(levels):
        columns[f"{CATEGORY}{depth}"] = [
            next((name[node] for node in path if level[node] == depth), None) for path in paths
        ]
    columns |= {f"{PROFILE}{field}": list(values) for field, values in data["item"].profile.items()}
    return columns | {"price": np.asarray(data["item"].price)}


def behaviour_columns(events: Interactions, event: Ints, end: Ints) -> dict[str, Any]:
    """Dense a_uj of trigger events [T], as seen just before event `end` [T] of the same user.

    Time is measured back from the shopper's latest event, so that it means the same in training and serving.
    """
    last = end - 1
    timed = (events.time[event] >= 0) & (events.time[last] >= 0)
    seconds = events.time[last] - events.time[event]
    fading = events.fading[event] * faded(np.where(timed, seconds, 0))
    return {
        "steps": (end - event).astype(np.float64),
        "moments": (events.moment[last] - events.moment[event]).astype(np.float64),
        "days": np.where(timed, seconds / DAY, np.nan),
        "count": events.occurrence[event].astype(np.float64),
        **{f"count_{days}": fading[:, place] for place, days in enumerate(HALF_LIVES)},
        "quantity": events.quantity[event],
        "value": events.value[event],
    }
