"""A small graph with weights, and the scores of PDN (eq. 14) in plain Python."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from graph.driver import Database
from graph.weights import Weights

CLEAR = "MATCH (n) DETACH DELETE n"
NODES = """
UNWIND $users AS id CREATE (:User {id: id})
WITH count(*) AS users
UNWIND $items AS item CREATE (i:Item) SET i = item
"""
EDGES = """
UNWIND $pairs AS pair
MATCH (u:User {id: pair[0]}), (i:Item {id: pair[1]})
CREATE (u)-[r:INTERACTED {count: 2, kind: 'purchase', last_position: pair[2]}]->(i)
SET r.last_time = datetime({epochSeconds: 7}), i.popularity = coalesce(i.popularity, 0) + 1
"""


@dataclass
class WeightedGraph:
    """Weights by id: `triggers` {user: {item: e^t}}, `similar` {source: {target: e^s}}, `direct` vectors.

    `available` may be None where the source doesn't know. `unweighted` are interactions newer than the weights. An item
    that is similar to itself has a path to itself, where e^t counts to the power `repeat_power`.
    """

    triggers: dict[str, dict[str, float]]
    similar: dict[str, dict[str, float]]
    available: dict[str, bool | None]
    user_direct: dict[str, list[float]]
    item_direct: dict[str, list[float]]
    unweighted: set[tuple[str, str]] = field(default_factory=set)
    repeat_power: float = 1.0

    def write(self, database: Database) -> None:
        """Replace all nodes and edges of `database` by the raw graph, without weights."""
        database.write(CLEAR)
        items = [{"id": item, "title": f"Item {item}", "available": there} for item, there in self.available.items()]
        database.write(NODES, {"users": list(self.triggers), "items": items})
        weighted = [(user, item) for user, items in self.triggers.items() for item in items]
        pairs = [[user, item, place] for place, (user, item) in enumerate([*weighted, *sorted(self.unweighted)])]
        database.write(EDGES, {"pairs": pairs})

    def weights(self) -> Weights:
        users, items = list(self.triggers), list(self.available)
        user_at, item_at = ({key: place for place, key in enumerate(keys)} for keys in (users, items))
        triggers = [(user_at[u], item_at[i], w) for u, found in self.triggers.items() for i, w in found.items()]
        similar = [
            (item_at[j], item_at[i], weight, rank)
            for j in self.similar
            for rank, (i, weight) in enumerate([*self.itself(j), *self.neighbours(j)], start=1 - len(self.itself(j)))
        ]
        t = np.array(triggers, dtype=float).reshape(-1, 3)
        s = np.array(similar, dtype=float).reshape(-1, 4)
        return Weights(
            users=users,
            items=items,
            user_direct=np.array([self.user_direct[user] for user in users]),
            item_direct=np.array([self.item_direct[item] for item in items]),
            trigger_user=t[:, 0].astype(int),
            trigger_item=t[:, 1].astype(int),
            trigger_weight=t[:, 2],
            similar_source=s[:, 0].astype(int),
            similar_target=s[:, 1].astype(int),
            similar_weight=s[:, 2],
            similar_rank=s[:, 3].astype(int),
            repeat_power=self.repeat_power,
        )

    def neighbours(self, source: str) -> list[tuple[str, float]]:
        others = (pair for pair in self.similar.get(source, {}).items() if pair[0] != source)
        return sorted(others, key=lambda pair: (-pair[1], pair[0]))

    def itself(self, source: str) -> list[tuple[str, float]]:
        return [pair for pair in self.similar.get(source, {}).items() if pair[0] == source]

    def ranked_triggers(self, user: str) -> list[tuple[str, float]]:
        return sorted(self.triggers[user].items(), key=lambda pair: (-pair[1], pair[0]))

    def seen(self, user: str) -> set[str]:
        return set(self.triggers[user]) | {item for name, item in self.unweighted if name == user}

    def direct(self, user: str, item: str) -> float:
        d = sum(p * q for p, q in zip(self.user_direct[user], self.item_direct[item], strict=True))
        return d + math.log1p(math.exp(-d)) if d > 0 else math.log1p(math.exp(d))

    def paths(self, user: str, m: int, k: int) -> dict[str, dict[str, float]]:
        """{item: {trigger: softplus(t + s)}} of all items that the top triggers reach."""
        found: dict[str, dict[str, float]] = {}
        for trigger, weight in self.ranked_triggers(user)[:m]:
            for item, similar in self.neighbours(trigger)[:k]:
                found.setdefault(item, {})[trigger] = math.log1p(weight * similar)
            for item, similar in self.itself(trigger):
                found.setdefault(item, {})[trigger] = math.log1p(weight**self.repeat_power * similar)
        return found

    def score(self, user: str, item: str, m: int, k: int) -> float:
        return self.direct(user, item) + sum(self.paths(user, m, k).get(item, {}).values())

    def candidates(self, user: str, m: int, k: int, repeats: bool) -> dict[str, float]:
        """{item: score} of what may be recommended."""
        left_out = set() if repeats else self.seen(user)
        return {
            item: self.score(user, item, m, k)
            for item in self.paths(user, m, k)
            if item not in left_out and self.available[item] is not False
        }


def star(weight: float, neighbours: Sequence[str] = ("b", "c", "d")) -> WeightedGraph:
    """User `u` had `a`, whose neighbours have the weights `weight`, `weight` / 2, …; all vectors are of length 1."""
    items = ("a", *neighbours)
    return WeightedGraph(
        triggers={"u": {"a": weight}, "new": {}},
        similar={"a": {item: weight / place for place, item in enumerate(neighbours, start=1)}},
        available=dict.fromkeys(items, True),
        user_direct={"u": [weight], "new": [0.0]},
        item_direct={item: [1.0] for item in items},
    )
