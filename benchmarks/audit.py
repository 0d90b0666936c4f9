"""An audit like table I of the paper, on The Complete Journey: `python -m benchmarks.audit [sample|score]`.

`sample` writes what is to be judged, without any score or confidence of the model: `benchmarks/judgments/*.csv`.
Verdicts that are there already stay. `score` joins the judgments with what the store says today and writes
`benchmarks/results/audit.json`. The rules to judge by are in `benchmarks/judgments/README.md`.
"""

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from benchmarks.runs import command
from cypher.browse_node import browse_node
from cypher.pursued import PursuedIntent, pursued
from graph.driver import Database, connect
from graph.errors import StoreError, TwohopError
from graph.progress import track
from graph.settings import load_settings

FOLDER = Path(__file__).parent / "judgments"
RESULTS = Path(__file__).parent / "results" / "audit.json"
HOUSEHOLDS, SEED = 60, 2029  # 2023 and 2026 drew the first two rounds: see README.md
INTENTS, NEEDS = 5, 5  # clusters of a household, and complements of each, as `twohop intents of` shows them
MINED, MINED_SEED, MINED_FILE = 100, 2023, "mined_intents.csv"
COLUMNS = {
    "identification.csv": ("category", "path", "intent", "sentence"),
    "complements.csv": ("intent", "sentence", "complement", "path"),
    MINED_FILE: ("intent", "sentence", "nodes"),
}
VERDICT = ("verdict", "why")

USERS = "MATCH (u:User) WHERE EXISTS { (u)-[:PURSUES]->() } RETURN u.id AS id ORDER BY id"
MINED_INTENTS = """
MATCH (i:Intent {source: 'mined'})
RETURN i.id AS intent, i.sentence AS sentence,
       COLLECT {
         UNWIND i.nodes AS key MATCH (n:BrowseNode {id: key})
         RETURN n.tree + ': ' + reduce(text = '', a IN COLLECT {
           MATCH (n)-[:CHILD_OF*0..]->(above) WITH above ORDER BY above.level RETURN above.name
         } | text + CASE text WHEN '' THEN '' ELSE ' > ' END + a)
       } AS nodes
ORDER BY intent
"""
Pair = tuple[str, str]


def main(arguments: Sequence[str] | None = None) -> None:
    commands = {"sample": sample, "score": score}
    parser = command(__doc__)
    parser.add_argument("what", nargs="?", choices=commands, default="score", help="else %(default)s")
    what: str = parser.parse_args(arguments).what
    try:
        with connect(load_settings("complete-journey")) as database:
            commands[what](database)
    except TwohopError as error:
        sys.exit(f"benchmarks.audit: {error}")


def households(database: Database) -> dict[str, list[PursuedIntent]]:
    """60 households, drawn once and for all, with their intents as they are shown."""
    users = [row["id"] for row in database.read(USERS)]
    if len(users) < HOUSEHOLDS:
        raise StoreError(f"{len(users)} households pursue intents, {HOUSEHOLDS} are drawn: run twohop intents link")
    chosen = sorted(np.random.default_rng(SEED).choice(users, HOUSEHOLDS, replace=False).tolist())
    return {user: pursued(database, user, INTENTS, needs=NEEDS) for user in track(chosen, "Households", len(chosen))}


def sample(database: Database) -> None:
    found = households(database)
    paths: dict[str, str] = {}

    def path(node: str) -> str:
        return paths.setdefault(node, browse_node(database, node).path)

    identified = {
        (one.id, intent.id): (one.id, path(one.id), intent.id, intent.sentence)
        for intents in found.values()
        for intent in intents
        for one in intent.had
    }
    completed = {
        (intent.id, one.id): (intent.id, intent.sentence, one.id, path(one.id))
        for intents in found.values()
        for intent in intents
        for one in intent.needs
    }
    write("identification.csv", sorted(identified.values()))
    write("complements.csv", sorted(completed.values()))
    mined = [(row["intent"], row["sentence"], " | ".join(row["nodes"])) for row in database.read(MINED_INTENTS)]
    judged = {row["intent"] for row in read(MINED_FILE)}
    drawn = np.random.default_rng(MINED_SEED).permutation(len(mined)).tolist()
    drawn.sort(key=lambda number: mined[number][0] not in judged)  # who was drawn before stays while it is mined
    write(MINED_FILE, [mined[number] for number in sorted(drawn[:MINED])])


def write(name: str, rows: Iterable[tuple[str, ...]]) -> None:
    """Rows to judge; a verdict stays as long as its row says the same."""
    known = {tuple(row[column] for column in COLUMNS[name]): row for row in read(name)}
    blank = dict.fromkeys(VERDICT, "")
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow((*COLUMNS[name], *VERDICT))
        count = open_ = 0
        for row in rows:
            told = known.get(row, blank)
            writer.writerow((*row, *(told[column] for column in VERDICT)))
            count, open_ = count + 1, open_ + (not told["verdict"])
    print(f"{FOLDER / name}: {count} rows, {open_} still to be judged")


def read(name: str) -> list[dict[str, str]]:
    file = FOLDER / name
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def score(database: Database) -> None:
    found = households(database)
    identified = [(one.id, intent.id) for intents in found.values() for intent in intents for one in intent.had]
    completed = [(intent.id, one.id) for intents in found.values() for intent in intents for one in intent.needs]
    told = {
        "households": len(found),
        "clusters": sum(map(len, found.values())),
        "identification": figures(identified, "identification.csv", ("category", "intent")),
        "complements": figures(completed, "complements.csv", ("intent", "complement")),
        "mined intents": mined(),
    }
    RESULTS.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1, ensure_ascii=False))


def figures(records: list[Pair], name: str, key: Pair) -> dict[str, Any]:
    """Shares of good ones: of all records (a pair counts as often as it occurs), and of distinct pairs."""
    rows = {(row[key[0]], row[key[1]]): row for row in read(name)}
    judged = [pair for pair in records if pair in rows and rows[pair]["verdict"]]
    good = [pair for pair in judged if rows[pair]["verdict"] == "yes"]
    failures = Counter(pair for pair in judged if rows[pair]["verdict"] != "yes")
    return {
        "records": len(records),
        "not judged": len(records) - len(judged),
        "good": round(len(good) / max(1, len(judged)), 4),
        "interval": wilson(len(good), len(judged)),
        "distinct pairs": len(set(judged)),
        "good of distinct pairs": round(len(set(good)) / max(1, len(set(judged))), 4),
        "failures": [rows[pair] | {"records": count} for pair, count in failures.most_common()],
    }


def mined() -> dict[str, Any]:
    rows = [row for row in read(MINED_FILE) if row["verdict"]]
    good = sum(row["verdict"] == "yes" for row in rows)
    return {"judged": len(rows), "good": round(good / max(1, len(rows)), 4), "interval": wilson(good, len(rows))}


def wilson(good: int, all_: int) -> list[float]:
    """95% interval of a share."""
    interval = binomtest(good, max(1, all_)).proportion_ci(method="wilson")
    return [round(float(interval.low), 4), round(float(interval.high), 4)]


if __name__ == "__main__":
    main()
