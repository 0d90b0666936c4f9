"""An experiment: a part of the users gets the challenger's weights in every query, and nobody else does."""

import math

import pytest

from cypher.explain import explain
from cypher.paths import paths
from cypher.rank import rank
from cypher.recommend import recommend
from cypher.similar import similar
from cypher.triggers import triggers
from cypher.user import user
from cypher.user_complements import user_complements
from graph.constraints import create_constraints
from graph.driver import Database
from graph.generations import switch, write_generation
from tests.weighted_graph import star

INTENTS = """
CREATE (:Serving {id: 'intents', tree: 'shop', now: 7, covered_days: 28})
CREATE (cheese:BrowseNode {id: 'cheese', name: 'Cheese', tree: 'shop'})
CREATE (party:Intent {id: 'party', sentence: 'prepare for a party'})-[:NEEDS {rank: 1, score: 1.0}]->(cheese)
WITH party, cheese
MATCH (u:User {id: 'u'}), (b:Item {id: 'b'})
CREATE (u)-[:PURSUES {rank: 1, categories: []}]->(party), (b)-[:IN_CATEGORY]->(cheese)
"""
CONTROL, CHALLENGER = 2.0, 8.0  # the weights of the star


@pytest.fixture(scope="module")
def generations(database: Database) -> tuple[int, int]:
    create_constraints(database)
    star(CONTROL).write(database)
    database.write(INTENTS)
    made = [
        write_generation(database, star(weight).weights(), model="pdn", data="tests", artefact=f"{weight}", metrics={})
        for weight in (CONTROL, CHALLENGER)
    ]
    switch(database, made[0])
    return made[0], made[1]


@pytest.mark.parametrize(
    ("challenger", "share", "bucket", "variant"),
    [
        (True, 0.25, 2499, "challenger"),
        (True, 0.25, 2500, "control"),
        (True, 0.25, None, "control"),
        (True, 0.0, 0, "control"),
        (True, 1.0, 9999, "challenger"),
        (True, None, 0, "control"),
        (False, 0.25, 0, "control"),
        (False, None, 0, "control"),
    ],
)
def test_every_query_reads_the_weights_of_the_bucket(
    database: Database,
    generations: tuple[int, int],
    challenger: bool,
    share: float | None,
    bucket: int | None,
    variant: str,
) -> None:
    serving = {"challenger": generations[1] if challenger else None, "share": share}
    database.write("MATCH (s:Serving {id: 'weights'}) SET s.challenger = $challenger, s.share = $share", serving)
    generation, weight = generations[variant == "challenger"], {"control": CONTROL, "challenger": CHALLENGER}[variant]
    path = math.log1p(weight * weight)

    answer = recommend(database, "u", explain=True, bucket=bucket)
    assert (answer.generation, answer.variant) == (generation, variant)
    assert [one.path for one in answer.items[0].paths] == [pytest.approx(path)]
    told = explain(database, "u", "b", bucket=bucket)
    assert (told.generation, told.variant, told.score) == (generation, variant, pytest.approx(answer.items[0].score))
    had = triggers(database, "u", bucket=bucket)
    assert (had.generation, had.variant) == (generation, variant)
    assert [one.weight for one in had.triggers] == [weight]
    [ranked] = rank(database, "u", ["b"], bucket=bucket)
    assert (ranked.generation, ranked.score) == (generation, pytest.approx(told.score))
    assert [one.path for one in paths(database, "u", ["b"], bucket=bucket)["b"]] == [pytest.approx(path)]
    needed = user_complements(database, "u", bucket=bucket)
    assert (needed.generation, needed.variant) == (generation, variant)
    assert [(one.id, one.path) for one in needed.items] == [("b", pytest.approx(path))]
    for name in ("u", "new"):
        known = user(database, name, bucket)
        assert (known.generation, known.variant) == (generation, variant)
    new = recommend(database, "new", bucket=bucket)
    assert (new.generation, new.variant, new.fallback) == (generation, variant, "popular")
    nothing = triggers(database, "new", bucket=bucket)
    assert (nothing.generation, nothing.variant, nothing.triggers) == (generation, variant, ())


def test_similar_items_of_a_generation(database: Database, generations: tuple[int, int]) -> None:
    for generation, weight in zip((*generations, None), (CONTROL, CHALLENGER, CONTROL), strict=True):
        found = similar(database, "a", 1, generation=generation)
        assert [(one.id, one.weight) for one in found] == [("b", weight)]
