"""The commands on a real database: the whole line, the shapes of their JSON, their exit codes."""

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from api.display import decimals, name
from cypher.triggers import triggers
from graph.driver import Database
from tests.api.conftest import Line, answer, group_of, refused, twohop, user_group

pytestmark = pytest.mark.usefixtures("shop")

REPOSITORY = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "api"]
HITS = {"hr@10", "ndcg@10", "recall@10", "mrr@10"}
METRICS = HITS | {"coverage@10", "category_diversity@10", "popularity_bias@10"}


def start(*words: str, **environment: str) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    return subprocess.Popen(
        [*COMMAND, *words],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# The line


def test_load_prints_counts_and_the_quarantine_file(shop: Line) -> None:
    result = shop.results["load"]
    assert result.exit_code == 0, result.stderr
    words = [line.split() for line in result.stdout.splitlines()]
    assert ["interactions", "361", "360", "1", "0", "0"] in words
    quarantine = shop.folder / "home" / "small-shop" / "quarantine" / "small-shop.jsonl"
    assert f"Rejected rows, with their reasons: {quarantine}" in result.stdout
    assert json.loads(quarantine.read_text())["value"] == "yesterday"


def test_train_and_index_say_what_they_made(shop: Line) -> None:
    for word in ("train", "index"):
        assert shop.results[word].exit_code == 0, shop.results[word].stderr
    artefact = answer("status")["artefact"]["name"]
    assert shop.results["train"].stdout.startswith(f"Model {artefact} is in ")
    assert shop.results["index"].stdout == f"Generation 1 of model {artefact} is live.\n"


def test_jobs_in_the_wrong_order_say_what_comes_first(shop: Line) -> None:
    untrained, empty = shop.results["recommend too early"], shop.results["train of nothing"]
    assert (untrained.exit_code, empty.exit_code) == (1, 1)
    assert untrained.stderr == "twohop: the graph has no live weights: run twohop train pdn, then twohop index\n"
    assert empty.stderr == "twohop: the store is empty: load data first (twohop load)\n"


def test_the_line_finds_what_users_like() -> None:
    for user in ("u00", "u01", "u02", "u03"):
        best = answer("recommend", user)["items"][0]["id"]
        assert group_of(best) == user_group(user)


# Reading


def test_recommend_as_json_splits_each_score_into_its_paths() -> None:
    told = answer("recommend", "u01", "--explain", "-n", "5")
    assert list(told) == ["user", "generation", "variant", "items"]
    assert told["user"] == "u01"
    assert len(told["items"]) == 5
    for item in told["items"]:
        assert list(item) == ["id", "title", "score", "direct", "source", "paths"]
        assert item["paths"]
        for path in item["paths"]:
            assert list(path) == ["trigger", "trigger_title", "trigger_weight", "similar_weight", "path"]
        assert item["score"] == pytest.approx(item["direct"] + sum(path["path"] for path in item["paths"]), abs=1e-9)
    scores = [item["score"] for item in told["items"]]
    assert scores == sorted(scores, reverse=True)


def test_recommend_without_reasons_has_no_paths() -> None:
    told = answer("recommend", "u01", "-n", "3")
    assert [list(item) for item in told["items"]] == [["id", "title", "score", "direct", "source"]] * 3


def test_recommend_takes_fewer_triggers_and_repeats() -> None:
    one = answer("recommend", "u01", "-m", "1", "-k", "4", "--explain", "--repeats")["items"]
    reached = [item for item in one if item["source"] == "paths"]
    assert 0 < len(reached) <= 4
    assert {len(item["paths"]) for item in reached} == {1}
    assert [item["score"] for item in one[len(reached) :]] == [0.0] * (10 - len(reached))
    had = {path["trigger"] for item in answer("recommend", "u01", "--explain")["items"] for path in item["paths"]}
    assert had & {item["id"] for item in answer("recommend", "u01", "--repeats", "-n", "60")["items"]}
    assert not had & {item["id"] for item in answer("recommend", "u01", "-n", "60")["items"]}


def test_recommend_for_people_names_titles_and_reasons() -> None:
    best = answer("recommend", "u01", "--explain")["items"][0]
    shown = twohop("recommend", "u01", "--explain", "-n", "1").stdout
    assert f"{best['title']} [{best['id']}]" in shown
    strongest = best["paths"][0]
    words = " ".join(shown.split())
    assert (
        f"you bought {group_of(strongest['trigger'])} [no. {strongest['trigger']}] ({strongest['path']:.3f})" in words
    )
    assert f"direct ({best['direct']:.3f})" in words
    assert "Data: made up for tests" in shown


def test_similar() -> None:
    told = answer("similar", "g20", "-n", "4")
    assert list(told) == ["item", "generation", "items"]
    assert [list(one) for one in told["items"]] == [["id", "title", "weight", "rank"]] * 4
    assert told["items"][0]["id"] in twohop("similar", "g20").stdout


def test_explain_agrees_with_recommend() -> None:
    best = answer("recommend", "u05", "--explain")["items"][0]
    told = answer("explain", "u05", best["id"])
    assert list(told) == ["user", "item", "title", "generation", "variant", "repeat_power", "score", "direct", "paths"]
    assert told["score"] == pytest.approx(best["score"])
    served = [path for path in told["paths"] if path["served"]]
    assert told["score"] == pytest.approx(told["direct"] + sum(path["path"] for path in served))
    assert [path["trigger"] for path in served] == [path["trigger"] for path in best["paths"]]
    shown = twohop("explain", "u05", best["id"]).stdout
    assert f"score {best['score']:.4f} = direct {best['direct']:.4f}" in shown
    assert served[0]["trigger_title"] in shown


@pytest.fixture
def found_again(database: Database) -> Iterator[str]:
    """An item that u05 had, with a path to itself on which its weight counts squared."""
    made = """
    MATCH (g:Generation {id: 1})
    MATCH (:User {id: 'u05'})-[:INTERACTED]->(had:Item)
    WITH g, had ORDER BY had.id LIMIT 1
    CREATE (had)-[:SIMILAR {trigger: had.id, generation: g.id, rank: 1, weight: 2.0}]->(had)
    SET g.repeat_power = 2.0
    RETURN had.id AS id
    """
    yield database.write(made)[0]["id"]
    database.write("MATCH (had:Item)-[s:SIMILAR]->(had) DELETE s")
    database.write("MATCH (g:Generation {id: 1}) SET g.repeat_power = 1.0")


def test_explain_says_where_a_weight_counts_to_a_power(database: Database, found_again: str) -> None:
    weights = {one.id: one.weight for one in triggers(database, "u05").triggers}
    told = answer("explain", "u05", found_again)
    own = next(path for path in told["paths"] if path["trigger"] == found_again)
    assert told["repeat_power"] == 2
    assert own["trigger_weight"] == pytest.approx(weights[found_again] ** 2)
    assert own["path"] == pytest.approx(math.log1p(own["trigger_weight"] * 2))
    said = "On the path of an item to itself, its weight is to the power of 2."
    assert said in twohop("explain", "u05", found_again).stdout
    assert said not in twohop("explain", "u05", answer("recommend", "u05")["items"][0]["id"]).stdout


def test_unknown_users_and_items() -> None:
    assert refused("recommend", "nobody") == "twohop: user 'nobody' is not in the graph"
    assert refused("recommend", "nobody", "--json") == "twohop: user 'nobody' is not in the graph"
    assert refused("similar", "nothing", "--json") == "twohop: item 'nothing' is not in the graph"
    assert refused("explain", "u00", "nothing") == "twohop: item 'nothing' is not in the graph"


def test_recommend_from_memory_says_the_same() -> None:
    for words in ("-n", "5"), ("--explain", "--repeats", "-n", "30"), ("--category", "Grill", "--min-price", "3"):
        one, other = (answer("recommend", "u02", *words, "--engine", name) for name in ("cypher", "projection"))
        assert [item["id"] for item in one["items"]] == [item["id"] for item in other["items"]]
        triggers = [
            [[path["trigger"] for path in item.get("paths", ())] for item in told["items"]] for told in (one, other)
        ]
        assert triggers[0] == triggers[1]


@pytest.mark.parametrize("engine", ["cypher", "projection", "network", "item-to-item"])
def test_evaluate_as_json_lines(engine: str) -> None:
    result = twohop("evaluate", "--engine", engine, "--json")
    assert result.exit_code == 0, result.stderr
    [told] = map(json.loads, result.stdout.splitlines())
    assert list(told) == ["data", "protocol", "engine", "users", "items", "metrics", "intervals"]
    assert told | {"metrics": None, "intervals": None} == {
        "data": "small-shop",
        "protocol": "leave-one-out, all items",
        "engine": engine,
        "users": 40,
        "items": told["items"],
        "metrics": None,
        "intervals": None,
    }
    assert set(told["metrics"]) == set(told["intervals"]) == METRICS
    for metric, interval in told["intervals"].items():
        assert interval["low"] <= told["metrics"][metric] <= interval["high"]
        assert interval["users"] == 40
    assert told["metrics"]["hr@10"] > 0.6  # by chance 0.2
    assert "Data: made up for tests" in result.stderr


def test_evaluate_some_users_says_so() -> None:
    told = answer("evaluate", "--users", "7")
    assert (told["users"], told["protocol"]) == (7, "leave-one-out, all items, 7 random users")
    assert told == answer("evaluate", "--users", "7")
    shown = twohop("evaluate", "--users", "7").stdout
    assert shown.startswith("small-shop: leave-one-out, all items, 7 random users\n")
    low, high = (told["intervals"]["ndcg@10"][end] for end in ("low", "high"))
    words = " ".join(shown.split())
    assert f"ndcg@10 {told['metrics']['ndcg@10']:.4f} {low:.4f} to {high:.4f}" in words


def test_evaluate_among_drawn_negatives() -> None:
    result = twohop("evaluate", "--negatives", "9", "--json")
    every, sampled = map(json.loads, result.stdout.splitlines())
    assert sampled["protocol"] == "leave-one-out, 9 drawn negatives"
    assert set(sampled["metrics"]) == HITS
    assert sampled["metrics"]["hr@10"] >= every["metrics"]["hr@10"]
    assert sampled["metrics"]["hr@10"] == 1  # the wanted one and nine others


def test_the_version_is_the_packages() -> None:
    assert twohop("--version").stdout == f"twohop {version('twohop')}\n"


def test_status(shop: Line) -> None:
    told = answer("status")
    assert set(told) == {"store", "folder", "server", "source", "loading", "counts", "generation", "artefact"}
    assert told["counts"] == {"users": 40, "items": 60, "browse_nodes": 4, "interactions": 320, "held_out": 40}
    assert (told["source"]["id"], told["loading"]) == ("small-shop", False)
    assert told["generation"]["artefact"].startswith(told["artefact"]["name"])
    assert told["server"]["address"] == shop.environment["NEO4J_URI"]
    shown = twohop("status").stdout
    assert "40 users, 60 items" in shown
    assert told["artefact"]["name"] in shown


def test_status_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEO4J_URI")
    told = answer("status", "--store", "never-started")
    assert told["server"] == {"managed": True, "running": False, "address": None, "browser": None}
    assert told["counts"] is told["generation"] is told["artefact"] is None
    assert "does not run" in twohop("status", "--store", "never-started").stdout


# Generations


def test_a_second_index_and_back() -> None:
    [first] = answer("generations", "list")
    assert first["live"]
    before = answer("recommend", "u02")
    made = re.match(r"Generation (\d+) of model ", twohop("index", "-k", "3").stdout)
    second = int(made[1])
    assert second > first["id"]
    assert answer("recommend", "u02")["generation"] == second
    assert [one["live"] for one in answer("generations", "list")] == [True, False]
    assert twohop("generations", "rollback").stdout == f"Generation {first['id']} is live.\n"
    assert answer("recommend", "u02") == before
    line = refused("generations", "drop", str(first["id"]))
    assert line == f"twohop: generation {first['id']} is live: switch to another one before you drop it"
    assert twohop("generations", "drop", str(second)).exit_code == 0
    assert [one["id"] for one in answer("generations", "list")] == [first["id"]]
    assert refused("generations", "switch", str(second)).startswith(f"twohop: generation {second} does not exist")
    assert refused("generations", "rollback").startswith("twohop: no earlier generation is stored")


def test_index_without_switch_keeps_the_live_one() -> None:
    live = answer("recommend", "u02")["generation"]
    assert "is ready: twohop generations switch" in twohop("index", "--no-switch").stdout
    ready, _ = answer("generations", "list")
    assert (ready["state"], ready["live"]) == ("ready", False)
    assert answer("recommend", "u02")["generation"] == live
    assert f"{ready['id']}" in twohop("generations", "list").stdout
    assert twohop("generations", "drop", str(ready["id"])).exit_code == 0


def test_index_of_an_unknown_model() -> None:
    assert refused("index", "--artefact", "0123").startswith("twohop: no model 0123 in ")


# Wrong usage and failures


@pytest.mark.parametrize(
    "words",
    [
        ("recommend",),
        ("recommend", "u00", "-n", "0"),
        ("evaluate", "--engine", "guess"),
        ("load", "spotify"),
        ("load", "tables"),
        ("load", "complete-journey", "--mapping", "shop.yaml"),
        ("load", "tables", "--mapping", "shop.yaml", "--hold-out", "some"),
        ("generations", "drop", "one"),
        ("juggle",),
    ],
)
def test_wrong_usage(words: tuple[str, ...]) -> None:
    result = twohop(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_another_source_is_refused() -> None:
    line = refused("load", "tables", "--mapping", "shop.yaml", "--hold-out", "none")
    assert line.startswith("twohop: the store holds small-shop (held out: last), not small-shop (held out: none)")


def test_the_same_load_again_changes_nothing() -> None:
    before = answer("status")["counts"]
    assert twohop("load", "tables", "--mapping", "shop.yaml").exit_code == 0
    assert answer("status")["counts"] == before
    assert answer("recommend", "u02")["items"]


def test_a_store_name_that_is_none() -> None:
    assert refused("status", "--store", "../up").startswith("twohop: setting store = '../up': a store's name has")


def test_a_folder_that_cannot_be_written(shop: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWOHOP_HOME", str(shop.folder / "shop.yaml"))
    line = refused("load", "tables", "--mapping", "shop.yaml")
    assert line.startswith(f"twohop: cannot write {shop.folder / 'shop.yaml' / 'small-shop'}")
    assert "Not a directory" in line


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    latest = tmp_path / "small-shop" / "artefacts" / "latest"
    latest.mkdir(parents=True)
    monkeypatch.setenv("TWOHOP_HOME", str(tmp_path))
    assert refused("index") == f"twohop: {latest}: Is a directory"


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"bolt://127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("NEO4J_URI", address)
    assert refused("recommend", "u00", "--json").startswith(f"twohop: {address}: ")


def test_ctrl_c_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # takes the connection, and never answers
        process = start("recommend", "u00", NEO4J_URI=f"bolt://127.0.0.1:{listener.getsockname()[1]}")
        connection, _ = listener.accept()
        with connection:  # closed, it would be a failure of its own, and Ctrl-C might come after it
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
    line = "twohop: interrupted; the same command goes on where it can\n"
    assert (process.returncode, stdout, stderr) == (130, "", line)


def test_ctrl_c_while_the_program_is_read() -> None:
    code = (
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        name == 'api.command' and os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from api.__main__ import main\n"
        "main()"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("words", [("recommend", "u00", "--json"), ("recommend", "u00", "--explain")])
def test_a_reader_that_has_enough_is_no_failure(words: tuple[str, ...]) -> None:
    process = start(*words)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 0


def test_help_is_light() -> None:
    code = (
        "import sys, api.command; print(*sorted({'torch', 'polars', 'neo4j', 'models', 'loaders'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_tiny_scores_are_no_zeros() -> None:
    assert [decimals(best, 2, least=2) for best in (12.0, 0.41, 0.041, 1.4e-5, 0.0)] == [2, 2, 3, 6, 2]


def test_titles_cannot_command_the_terminal() -> None:
    assert name("1", "a\x1b[31mb\r\nc   d") == "a [31mb c d [1]"
    assert name("1", "1") == name("1", None) == "1"
