"""The demo's steps on the small shop: each one done once, and taken up where they stand."""

import shutil
from collections.abc import Iterator

import pytest

from api.browser import literal, query_text
from api.demo import EXAMPLES, browser_queries, prepare, show
from api.training import choose_recipe
from graph.driver import Database, connect
from graph.generations import live_generation
from graph.settings import Settings, load_settings
from tests.api.conftest import DELETE_ALL, Line


@pytest.fixture
def opened(shop: Line) -> Iterator[tuple[Settings, Database]]:
    settings = load_settings()
    with connect(settings) as database:
        yield settings, database


def steps(settings: Settings, database: Database, shop: Line) -> list[str]:
    return prepare(settings, database, "tables", mapping=shop.folder / "shop.yaml", recipe=shop.folder / "recipe.yaml")


def test_what_is_done_is_skipped(opened: tuple[Settings, Database], shop: Line) -> None:
    settings, database = opened
    steps(settings, database, shop)
    before = live_generation(database)
    assert steps(settings, database, shop) == []
    assert live_generation(database) == before


def test_it_goes_on_where_it_stands(opened: tuple[Settings, Database], shop: Line) -> None:
    settings, database = opened
    steps(settings, database, shop)
    database.write("MATCH (s:Serving {id: 'weights'}) REMOVE s.generation")  # ended just before the switch
    assert steps(settings, database, shop) == ["switch"]
    database.write("MATCH (g:Generation) SET g.artefact = 'of another model'")
    assert steps(settings, database, shop) == ["index", "switch"]
    database.write("MATCH (s:Source) SET s.loading = true")  # ended within the load
    assert steps(settings, database, shop) == ["load"]
    shutil.rmtree(settings.artefacts_folder)
    assert steps(settings, database, shop)[0] == "train"
    assert steps(settings, database, shop) == []


def test_a_model_of_other_data_is_not_taken(opened: tuple[Settings, Database], shop: Line) -> None:
    settings, database = opened
    steps(settings, database, shop)
    database.write("CREATE (:User {id: 'newcomer'})")
    try:
        assert steps(settings, database, shop)[0] == "train"
    finally:
        database.write("MATCH (u:User {id: 'newcomer'}) DELETE u")
    assert steps(settings, database, shop)[0] == "train"


def test_it_does_all_on_an_empty_store(opened: tuple[Settings, Database], shop: Line) -> None:
    settings, database = opened
    database.write_in_batches(DELETE_ALL)
    shutil.rmtree(settings.store_folder)
    assert steps(settings, database, shop) == ["load", "train", "index", "switch"]


def test_what_it_shows(opened: tuple[Settings, Database], shop: Line, capsys: pytest.CaptureFixture[str]) -> None:
    settings, database = opened
    steps(settings, database, shop)
    capsys.readouterr()
    show(settings, database)
    shown = capsys.readouterr().out
    assert shown.count("last bought") == shown.count("and would be recommended:") == 3
    assert "  2024-01-" in shown
    assert "you bought " in shown
    assert "Similar to " in shown
    assert "Data: made up for tests" in shown
    assert str(shop.environment["NEO4J_PASSWORD"]) not in shown  # a server of your own: its password stays yours
    for text in browser_queries("u00"):
        assert text in shown


def test_the_queries_to_paste_run_as_they_are(opened: tuple[Settings, Database], shop: Line) -> None:
    settings, database = opened
    steps(settings, database, shop)
    picture, *tables = browser_queries("u00")
    graph = database.read_graph(picture)
    assert {label for node in graph.nodes for label in node.labels} == {"User", "Item"}
    for text in tables:
        assert database.read(text)


@pytest.mark.parametrize(
    "value", ["it's", "back\\slash\\", "$user", "\n", "é😀", True, False, None, 3, 0.5, ["1", 2], []]
)
def test_literals_mean_what_they_meant(value: object, database: Database) -> None:
    assert database.read(f"RETURN {literal(value)} AS value")[0]["value"] == value


def test_a_parameter_without_a_value() -> None:
    with pytest.raises(KeyError, match="user"):
        query_text("triggers", m=3, bucket=None)


def test_it_trains_on_no_more_examples_than_it_has_time_for() -> None:
    of = {name: choose_recipe(name, None, most_examples=EXAMPLES).sampling for name in ("complete-journey", "any")}
    assert {sampling.examples for sampling in of.values()} == {EXAMPLES}
    own = choose_recipe("complete-journey", None)
    assert own.sampling.examples > EXAMPLES
    assert choose_recipe("complete-journey", None, most_examples=10**9) == own
