"""A store of an older version is brought up to date by connecting: edges name triggers, vectors have lengths."""

import pytest

from cypher.recommend import recommend
from cypher.similar import similar
from graph.driver import Database, connect
from graph.generations import switch, write_generation
from graph.server import ManagedServer
from tests.weighted_graph import star

AGE = """
MATCH ()-[s:SIMILAR]->() REMOVE s.trigger
WITH count(s) AS edges
MATCH (g:Generation) REMOVE g.names_triggers, g.length_property
WITH count(g) AS generations
MATCH (i:Item) REMOVE i.direct_length_1
"""
UNNAMED = "MATCH (j)-[s:SIMILAR]->() WHERE s.trigger IS NULL OR s.trigger <> j.id RETURN count(s) AS edges"


def test_an_older_store_answers_as_before(
    server: ManagedServer, empty_database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    small = star(2.0, ("b", "c"))
    user = next(iter(small.triggers))
    small.write(empty_database)
    options = {"model": "pdn", "data": "tests", "artefact": "sha", "metrics": {}}
    switch(empty_database, write_generation(empty_database, small.weights(), **options))
    before = recommend(empty_database, user), similar(empty_database, "a")
    assert before[0].items
    empty_database.write(AGE)
    empty_database.write("DROP INDEX similar_paths")
    empty_database.write("CREATE INDEX similar_neighbours FOR ()-[s:SIMILAR]-() ON (s.trigger, s.generation, s.rank)")
    assert empty_database.read(UNNAMED)[0]["edges"] > 0
    lengths = "MATCH (i:Item) RETURN i.id AS id, i.direct_length_1 AS length ORDER BY id"
    with connect(server.settings) as database:
        assert "older version" in capsys.readouterr().err
        assert database.read(UNNAMED) == [{"edges": 0}]
        assert all(row["length"] > 0 for row in database.read(lengths))
        assert (recommend(database, user), similar(database, "a")) == before
        indexes = "SHOW INDEXES YIELD name, state WHERE name STARTS WITH 'similar' RETURN name, state"
        assert database.read(indexes) == [{"name": "similar_paths", "state": "ONLINE"}]
    with connect(server.settings):
        assert "older version" not in capsys.readouterr().err
