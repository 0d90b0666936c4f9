"""How soon an event takes effect over HTTP: `python -m benchmarks.freshness`.

`twohop serve`, in a process of its own, gets one event after another, each of another household and of an item that it
never had. Then the household is asked for until all its items have weights again: from the reply to the event to that
moment is the time of its effect. `refresh` is the work itself, in this process, by size of history. What was written
leaves at the end. Wants the store complete-journey, loaded and indexed. Writes `benchmarks/results/freshness.json`.
"""

import argparse
import json
import os
import platform
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil

from api.web.live import LiveNetworks
from benchmarks.serving import percentile, served
from graph.driver import Database, connect
from graph.jars import NEO4J
from graph.settings import load_settings

RESULTS = Path(__file__).parent / "results" / "freshness.json"
STORE = "complete-journey"
EVENTS, WARM_UP = 200, 10
PATIENCE = 60.0  # seconds for one effect
POLL = 0.02  # each look costs the two cores as much as a part of the work
KEY = "benchmark-freshness-"
SIZES = {"about 300 items": (270, 330), "about 1,000 items": (900, 1100), "most items": (1400, 100_000)}
USERS = """
MATCH (u:User) WITH u, COUNT { (u)-[:INTERACTED]->() } AS items WHERE $least <= items <= $most
RETURN u.id AS id ORDER BY id
"""
UNMET = """
MATCH (i:Item) WHERE i.popularity >= 5 AND NOT EXISTS { (:User {id: $user})-[:INTERACTED]->(i) }
RETURN i.id AS id ORDER BY i.popularity DESC, id LIMIT 1
"""
UNDO = """
UNWIND $rows AS row
MATCH (u:User {id: row.user})-[r:INTERACTED]->(i:Item {id: row.item})
DELETE r
SET i.popularity = i.popularity - 1, u.stale = true
"""
FORGET = "MATCH (e:Event) WHERE e.key STARTS WITH $key DELETE e"
NOW = "MATCH (s:Serving {id: 'intents'}) RETURN s.now AS now"
PUT_BACK = "MATCH (s:Serving {id: 'intents'}) SET s.now = $now"
Sent = dict[str, str]


def choose(database: Database, least: int, most: int, count: int) -> list[str]:
    found = [row["id"] for row in database.read(USERS, {"least": least, "most": most})]
    random.Random(0).shuffle(found)  # noqa: S311  the same ones each time
    return found[:count]


def measure(address: str, key: str, sent: Sequence[Sent]) -> list[tuple[float, float]]:
    """Seconds to each reply, and from there to the effect."""
    took = []
    with httpx.Client(base_url=address, headers={"X-API-Key": key}, timeout=PATIENCE) as client:
        for number, one in enumerate(sent):
            begun = time.perf_counter()
            event = {"key": f"{KEY}{os.getpid()}-{number}", "kind": "purchase", **one}
            client.post("/events", json=event).raise_for_status()
            replied = time.perf_counter()
            while not _weighed(client, one["user"]):
                if time.perf_counter() - replied > PATIENCE:
                    raise TimeoutError(f"no effect of {event} within {PATIENCE:.0f} s")
                time.sleep(POLL)
            took.append((replied - begun, time.perf_counter() - replied))
    return took


def _weighed(client: httpx.Client, user: str) -> bool:
    found = client.get(f"/users/{quote(user, safe='')}").raise_for_status().json()
    return bool(found["items"] == found["triggers"])


def refresh_times(live: LiveNetworks, users: Sequence[str]) -> dict[str, float]:
    took = []
    for user in users:
        begun = time.perf_counter()
        live.refresh_users([user])
        took.append(time.perf_counter() - begun)
    return summary(took[1:])  # the first one reads the networks


def summary(seconds: Sequence[float]) -> dict[str, float]:
    shares = {f"p{share}_ms": round(1000 * percentile(seconds, share / 100), 1) for share in (50, 95)}
    return {"count": len(seconds), **shares, "max_ms": round(1000 * max(seconds), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    events = parser.parse_args().events
    settings = load_settings(STORE)
    busy = psutil.getloadavg()[0]
    with connect(settings) as database:
        live = LiveNetworks(lambda: database, settings.intents_folder)
        refresh: dict[str, Any] = {
            name: refresh_times(live, choose(database, *bounds, 51)) for name, bounds in SIZES.items()
        }
        state = database.read(NOW)
        moment = datetime.fromtimestamp(state[0]["now"] if state else time.time(), UTC).isoformat()
        users = choose(database, 50, 1000, events + WARM_UP)
        sent = [{"user": user, "item": database.read(UNMET, {"user": user})[0]["id"], "time": moment} for user in users]
        try:
            with served(STORE) as (address, key):
                took = measure(address, key, sent)[WARM_UP:]
        finally:
            database.write(UNDO, {"rows": sent})
            database.write(FORGET, {"key": KEY})
            for row in state:
                database.write(PUT_BACK, row)
            live.refresh_users(users)
    results = {
        "data": STORE,
        "neo4j": NEO4J,
        "python": platform.python_version(),
        "cores": psutil.cpu_count(),
        "processes_running_before": round(busy, 1),
        "reply": summary([reply for reply, _ in took]),
        "reply_to_effect": summary([effect for _, effect in took]),
        "refresh": refresh,
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
