"""The demo: each step of the line where it is not done already, then what came of it."""

import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console
from torch_geometric.data import HeteroData

from api.browser import query_text
from api.display import name, output, recommendation_table, show_load, show_note, similar_table, verb
from api.display_intents import needed_table, pursued_table, show_mining
from api.intents import link_intents, mine_intents, rank_users
from api.loading import load_source
from api.training import choose_recipe, train_pdn, write_index
from cypher.counts import counts
from cypher.history import HistoryItem, history
from cypher.pursued import pursued
from cypher.recommend import recommend
from cypher.sample import sample
from cypher.similar import similar
from cypher.user_complements import user_complements
from cypher.walk import NEIGHBOURS, TRIGGERS, shortlist_for
from graph import generations
from graph.browser import guide_uri
from graph.driver import Database
from graph.errors import ArtefactError, StoreError
from graph.intents import count_intents, read_state
from graph.server import USERNAME, ManagedServer
from graph.settings import Settings
from graph.snapshot import read_snapshot
from graph.source import read_source
from models.artefacts import Artefact, load
from models.intents.clusters import RankerOptions
from models.intents.encoder import best_encoder

USERS, MOST_SHOWN = 3, 20  # users shown, and the items that each of them had at least
HISTORY, SIMILAR = 5, 8
INTENTS, NEEDS, NEEDED = 4, 4, 6  # intents shown, categories that each still needs, and items
KEEP = 2  # generations
EXAMPLES = 40_000  # that are trained on at most: half of the recipe's, for 1% less of NDCG@10 and three minutes less


def prepare(
    settings: Settings, database: Database, source: str, *, mapping: Path | None = None, recipe: Path | None = None
) -> list[str]:
    """Load, train, index and switch, each where it is not done yet. Gives the steps that were done."""
    done = []
    if not _is_loaded(database, source):
        loaded, writer = load_source(source, settings, database, mapping=mapping)
        show_load(loaded, writer, settings.store)
        done.append("load")

    @cache
    def snapshot() -> HeteroData:
        return read_snapshot(database)

    artefact = _find_artefact(settings, database)
    if artefact is None:
        artefact = train_pdn(
            settings, snapshot(), choose_recipe(read_source(database).id, recipe, most_examples=EXAMPLES)
        )
        done.append("train")
    stored = [one for one in generations.list_generations(database) if one.artefact == artefact.id]
    if any(one.live for one in stored):
        return done
    ready = next((one.id for one in stored if one.state == "ready"), None)
    if ready is None:
        ready = write_index(database, artefact, snapshot())
        done.append("index")
    generations.switch(database, ready)
    generations.prune(database, KEEP)
    return [*done, "switch"]


def prepare_intents(settings: Settings, database: Database) -> list[str]:
    """Mine intents and link them, each where it is not done yet. Gives the steps that were done.

    By the untuned encoder where none was tuned: this store's links were made by hand, and tuning takes ten minutes.
    """
    done = []
    if not count_intents(database):
        show_mining(mine_intents(database))
        done.append("mine")
    if read_state(database).get("model") != best_encoder(settings.intents_folder).identity:
        link_intents(settings, database)
        done.append("link")
    elif rank_users(database, RankerOptions()):
        done.append("rank intents")
    return done


def _is_loaded(database: Database, source: str) -> bool:
    """A store that holds another source counts as not loaded: the load then says what is wrong."""
    try:
        stored = read_source(database).id
    except StoreError:  # empty, or a load that was not finished
        return False
    return source in (stored, "tables")


def _find_artefact(settings: Settings, database: Database) -> Artefact | None:
    """The latest model, if it was trained on what the store holds now."""
    try:
        artefact = load(settings.artefacts_folder)
    except ArtefactError:  # none yet, or damaged: train one
        return None
    stored, data = counts(database), artefact.manifest["data"]
    same = (data["users"], data["items"]) == (stored.users, stored.items)
    return artefact if same and artefact.manifest["source"] == read_source(database).properties() else None


def show(settings: Settings, database: Database) -> None:
    """What came of it: some users, similar items, the way into Neo4j Browser, and what to try next."""
    console = output()
    users = [user.id for user in sample(database, USERS, MOST_SHOWN) or sample(database, USERS, 1)]
    for user in users:
        _show_user(console, database, user)
    first = history(database, users[0], 1)[0]
    console.print(f"\nSimilar to {name(first.id, first.title)}", style="bold")
    console.print(similar_table(similar(database, first.id, SIMILAR)))
    console.print()
    show_note(read_source(database))
    _show_browser(console, settings, users[0])
    _show_next(console, users[0], first.id)


def _show_user(console: Console, database: Database, user: str) -> None:
    had = history(database, user, HISTORY)
    did = verb(had)
    console.print(f"\nUser {user} last {did}", style="bold")
    for item in had:
        console.print(f"  {_day(item)}  {name(item.id, item.title)}")
    console.print("and would be recommended:", style="bold")
    console.print(recommendation_table(recommend(database, user, 10, explain=True), did))
    if intents := pursued(database, user, INTENTS, needs=NEEDS) if read_state(database) else []:
        console.print("and is up to:", style="bold")
        console.print(pursued_table(intents))
        console.print("and still needs:", style="bold")
        console.print(needed_table(user_complements(database, user, NEEDED).items))


def _day(item: HistoryItem) -> str:
    return item.last_time.strftime("%Y-%m-%d") if item.last_time else " " * 10


def _show_browser(console: Console, settings: Settings, user: str) -> None:
    console.print("\nThe graph itself, in Neo4j Browser", style="bold")
    if settings.managed:
        server = ManagedServer(settings)
        status = server.status()
        console.print(f"  {status.browser_uri}")
        console.print(f"  connect to {status.bolt_uri}, user {USERNAME}, password {server.password()}")
        console.print(f"  and open the guide there: :guide {guide_uri(str(status.browser_uri))}", soft_wrap=True)
    else:
        console.print(f"  the Browser of {settings.neo4j_uri}, with your own user and password")
    console.print("Three queries to paste:")
    for text in browser_queries(user):
        console.print(f"\n{text}", style="cyan", soft_wrap=True)


def browser_queries(user: str) -> list[str]:
    """As a picture, the paths behind a user's best items; what those start from; and the recommendations."""
    unset: dict[str, Any] = {"category": None, "min_price": None, "max_price": None, "exclude": [], "bucket": None}
    return [
        query_text("picture", user=user, m=TRIGGERS, k=NEIGHBOURS, n=5, paths=3),
        query_text("triggers", user=user, m=20, bucket=None),
        query_text(
            "recommend", user=user, m=TRIGGERS, k=NEIGHBOURS, n=10, shortlist=shortlist_for(10), repeats=False, **unset
        ),
    ]


def _show_next(console: Console, user: str, item: str) -> None:
    command = "twohop"
    if shutil.which(command) is None:
        command = str(Path(sys.executable).with_name(command))
        if Path(command).is_relative_to(Path.cwd()):
            command = str(Path(command).relative_to(Path.cwd()))
    console.print("\nWhat to try next", style="bold")
    lines = {
        f"{command} recommend {user} --explain --repeats": "what the household needs again, too",
        f"{command} similar {item}": "the neighbours of one item",
        f"{command} intents of {user}": "what the household is up to, and what that still needs",
        f"{command} complements {item}": "what goes with one item, and for what",
        f"{command} intents train": "tune the encoder of intents, in ten minutes; then intents link",
        f"{command} evaluate --users 200": "how good it is on the weeks that were held out",
        f"{command} serve": "the same over HTTP, at http://127.0.0.1:8000/docs",
        f"{command} status": "what the store holds",
        f"{command} neo4j stop": "stop the server; the data stays",
    }
    width = max(map(len, lines))
    for line, meaning in lines.items():
        console.print(f"  {line:<{width}}  {meaning}", soft_wrap=True)
