"""How soon an event takes effect over HTTP: `python -m benchmarks.freshness`.

`twohop serve`, in a process of its own, gets one event after another, each of another household and of an item that it
never had. Each household is looked at once, a certain time after the reply: do all its items have weights? One look,
because looking again and again would be work for the same two cores. The time within which 95 of 100 events have their
effect is what is asked for. `refresh` is the work itself, in this process, by size of history. What was written leaves
at the end. Wants the store complete-journey, loaded and indexed. Writes `benchmarks/results/freshness.json`.
"""

import json
import os
import platform
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain
from statistics import median
from typing import Any
from urllib.parse import quote

import httpx
import psutil

from api.web.live import LiveNetworks
from api.web.server import collect_seldom
from benchmarks.runs import STORE as SMALL_STORE
from benchmarks.runs import command, results, sized
from benchmarks.serving import percentile, served
from graph.driver import Database, connect
from graph.jars import NEO4J
from graph.settings import load_settings

RESULTS = results("freshness")
STORE = sized("complete-journey", SMALL_STORE)
# Milliseconds from the reply to the look: events.
LOOKS = sized({25: 50, 50: 100, 75: 100, 100: 200, 150: 50}, {100: 20})
WARM_UP = 10
PATIENCE = 60.0  # seconds for one effect
AGAIN = 0.1  # seconds between looks at an event that had no effect when it was looked at first
KEY = "benchmark-freshness-"
HISTORIES = sized((50, 1_000), (10, 1_000))
SIZES = sized(
    {"about 300 items": (270, 330), "about 1,000 items": (900, 1100), "most items": (1400, 100_000)},
    {"10 items or more": HISTORIES},
)
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


def measure(address: str, key: str, sent: Sequence[tuple[Sent, int]]) -> list[tuple[float, float, bool]]:
    """Of each event, to be looked at so many milliseconds later: seconds to the reply, seconds from there to the look,
    and whether it had its effect."""
    took = []
    with httpx.Client(base_url=address, headers={"X-API-Key": key}, timeout=PATIENCE) as client:
        for number, (one, wait) in enumerate(sent):
            begun = time.perf_counter()
            event = {"key": f"{KEY}{os.getpid()}-{number}", "kind": "purchase", **one}
            client.post("/events", json=event).raise_for_status()
            replied = time.perf_counter()
            time.sleep(wait / 1000)
            looked = time.perf_counter()
            effect = _weighed(client, one["user"])
            took.append((replied - begun, looked - replied, effect))
            while not effect:
                if time.perf_counter() - replied > PATIENCE:
                    raise TimeoutError(f"no effect of {event} within {PATIENCE:.0f} s")
                time.sleep(AGAIN)
                effect = _weighed(client, one["user"])
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


def main(arguments: Sequence[str] | None = None) -> None:
    command(__doc__).parse_args(arguments)
    collect_seldom()  # as `twohop serve` does
    settings = load_settings(STORE)
    busy = psutil.getloadavg()[0]
    with connect(settings) as database:
        live = LiveNetworks(lambda: database, settings.intents_folder)
        refresh: dict[str, Any] = {
            name: refresh_times(live, choose(database, *bounds, 51)) for name, bounds in SIZES.items()
        }
        state = database.read(NOW)
        moment = datetime.fromtimestamp(state[0]["now"] if state else time.time(), UTC).isoformat()
        waits = list(chain.from_iterable([wait] * count for wait, count in LOOKS.items()))
        random.Random(0).shuffle(waits)  # noqa: S311
        users = choose(database, *HISTORIES, len(waits) + WARM_UP)
        sent = [{"user": user, "item": database.read(UNMET, {"user": user})[0]["id"], "time": moment} for user in users]
        try:
            with served(STORE) as (address, key):
                took = measure(address, key, list(zip(sent, [0] * WARM_UP + waits, strict=True)))[WARM_UP:]
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
        "reply": summary([reply for reply, *_ in took]),
        "in_effect": {
            f"after_{wait}_ms": {
                "events": count,
                "share": round(sum(one[2] for one in looks) / count, 3),
                "looked_after_ms": round(1000 * median(one[1] for one in looks), 1),
            }
            for wait, count in LOOKS.items()
            if (looks := [one for one, planned in zip(took, waits, strict=True) if planned == wait])
        },
        "refresh": refresh,
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
