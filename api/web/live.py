"""The trained networks in the web process: weights of users, new items and sessions, without torch."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.web.placing import place_item
from graph.driver import Database, Row, Run
from graph.errors import StoreError
from graph.excerpt import Excerpt, Profiles
from graph.networks import ADVICE, read_network, served_generations
from graph.statements import statement
from models.features import Features
from models.intents.clusters import MOST, RankerOptions, links_state, nearest_linked, pursued
from models.intents.light import LightEncoder
from models.profiles import Terms
from models.serving import ServedNetwork, Session, SessionEvent, Trigger

Networks = list[tuple[int, ServedNetwork]]


class LiveNetworks:
    """Networks of the served generations, read from the graph once and kept. Safe for threads.

    Args:
        database: gives the database, or raises `DatabaseUnavailable`.
        encoders: folder of the encoders of shopping intents (`Settings.intents_folder`).

    Every method raises `DatabaseError`, and `StoreError` where no weights are live or their networks are not stored.
    """

    def __init__(self, database: Callable[[], Database], encoders: Path) -> None:
        self._database, self._encoders = database, encoders
        self._kept: dict[tuple[str, str], ServedNetwork] = {}
        self._encoder: LightEncoder | None = None
        self._profiles = Profiles()
        self._lock = threading.Lock()

    def refresh_users(self, users: Sequence[str]) -> None:
        """Work out the weights, p_u and the intents of users anew, and take `stale` off them.

        One transaction a user, who is locked meanwhile: an event comes before all of it or after. Users that are not
        there are passed over.
        """
        database = self._database()
        for user in users:
            database.transact(partial(self._refresh, database, user))

    def place_items(self, items: Sequence[str]) -> None:
        """Give new items their vectors and similar items, from the profile alone: see `api.web.placing`."""
        database = self._database()
        for item in items:
            networks = self._networks(database, database.read)
            database.transact(partial(place_item, item=item, networks=networks))

    def forget_item(self, item: str) -> None:
        """After a change of its profile or its place in the tree: what was read of it before counts no longer."""
        self._profiles.forget_item(item)

    def forget_nodes(self) -> None:
        """After a change of the tree."""
        self._profiles.forget_nodes()

    def session(self, events: Sequence[SessionEvent], generation: int | None = None) -> Session:
        """Triggers and vector of somebody unknown; by the live generation, or by another served one.

        Events come in order; where all have a time that decides. Items that the graph has not are left out.
        """
        database = self._database()
        networks = self._networks(database, database.read)
        chosen, network = next((one for one in networks if generation in (None, one[0])), (0, None))
        if network is None:
            raise StoreError(f"generation {generation} is not served: see twohop generations list")
        items = {event.item for event in events}
        data = self._profiles.read(database.read, items, _item_profile(networks))
        data.add_users([_history(events, len(network.features.user_profile))], network.features.user_profile)
        found = network.user_weights(data)
        triggers = [
            Trigger(data["item"].id[item], float(weight)) for item, weight in zip(found.item, found.weight, strict=True)
        ]
        triggers.sort(key=lambda trigger: (-trigger.weight, trigger.id))
        return Session(chosen, triggers, found.direct[0].tolist())

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors [n, d] of texts, by the encoder that linked the graph.

        Raises `StoreError` where intents were never linked, and `ArtefactError` where that encoder is not at hand.
        """
        rows = self._database().read(statement("intents_state"))
        identity = rows[0]["properties"].get("model") if rows else None
        if identity is None:
            raise StoreError("categories are not linked to intents yet: run twohop intents link")
        with self._lock:
            if self._encoder is None or self._encoder.identity != identity:
                self._encoder = LightEncoder.load(self._encoders, identity)
            encoder = self._encoder
        return encoder.encode(texts)

    def _refresh(self, database: Database, user: str, run: Run) -> None:
        networks = self._networks(database, run)
        profile = _union(network.features.user_profile for _, network in networks)
        rows = run(statement("user_history"), {"user": user, "profile": profile})
        if not rows:
            return
        [row] = rows
        states = run(statement("intents_state"), {})
        state: Mapping[str, Any] = states[0]["properties"] if states else {}
        data = self._profiles.read(run, row["items"], _item_profile(networks), state.get("links"))
        data.add_users([row], profile)
        for generation, network in networks:
            found = network.user_weights(data)
            names = (data["item"].id[item] for item in found.item)
            weights = dict(zip(names, found.weight.tolist(), strict=True))
            written = {"user": user, "generation": generation, "direct": found.direct[0].tolist(), "weights": weights}
            run(statement("write_user_weights"), written)
        _refresh_intents(run, row, data, state)
        run(statement("end_refresh"), {"user": user})

    def _networks(self, database: Database, run: Run) -> Networks:
        """(id, network) of each served generation, the live one first; which ones, `run` reads."""
        served = served_generations(run)
        with self._lock:
            found: Networks = []
            for one in served:
                if one.written is None:
                    raise StoreError(f"the networks of generation {one.id} are not in this store: {ADVICE}")
                key = (one.artefact, one.written)
                if key not in self._kept:
                    stored = read_network(database, one.artefact)
                    self._kept[key] = ServedNetwork(
                        stored.graphs,
                        Features.of_json(stored.features),
                        Terms(stored.terms, np.array(stored.idf, dtype=np.float32)),
                        stored.similar,
                        stored.min_buyers,
                        stored.trended,
                    )
                found.append((one.id, self._kept[key]))
            wanted = {(one.artefact, one.written) for one in served}
            self._kept = {key: network for key, network in self._kept.items() if key in wanted}
        return found


def _refresh_intents(run: Run, row: Row, data: Excerpt, state: Mapping[str, Any]) -> None:
    """What the user is up to, as of the latest moment that is known; nothing where intents are not linked."""
    if "links" not in state or "now" not in state:
        return
    ranker = RankerOptions.of_stored(state)
    times = list(chain.from_iterable(row["times"]))
    now = float(max([state["now"], *times]))
    counts = sum(row["counts"]), sum(times), len(row["items"])
    fresh = [links_state(state["links"], ranker.stored(now)), *map(str, counts)]
    if row["pursues_state"] == fresh:
        return
    nearest = nearest_linked(data.parents, data.served)
    category_of = {
        item: sorted({nearest[node] for node in nodes if node in nearest}) for item, nodes in data.nodes_of.items()
    }
    engaged = row | {"user": row["id"], "state": fresh}
    run(statement("write_pursues"), {"rows": list(pursued([engaged], category_of, data.served, now, ranker, MOST))})


def _item_profile(networks: Networks) -> list[str]:
    """Of all of them, so that what is kept serves each."""
    return _union(network.features.item_profile for _, network in networks)


def _union(names: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for some in names for name in some))


def _history(events: Sequence[SessionEvent], profile: int) -> Row:
    """Events of somebody unknown as the row of a user: the edges as aligned lists."""
    if all(event.time is not None for event in events):
        events = sorted(events, key=lambda event: event.time or 0)
    edges: dict[str, list[tuple[int, SessionEvent]]] = {}
    for position, event in enumerate(events):
        edges.setdefault(event.item, []).append((position, event))
    return {
        "id": None,
        "profile": [None] * profile,
        "items": list(edges),
        "counts": [len(edge) for edge in edges.values()],
        "positions": [[position for position, _ in edge] for edge in edges.values()],
        "times": [[-1 if event.time is None else event.time for _, event in edge] for edge in edges.values()],
        "sessions": [[event.session or "" for _, event in edge] for edge in edges.values()],
        "quantities": [[_number(event.quantity) for _, event in edge] for edge in edges.values()],
        "values": [[_number(event.value) for _, event in edge] for edge in edges.values()],
        "places": [[] for _ in edges],
    }


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
