"""`twohop index` by Spark's engine, on the small shop: what one machine makes, also by executors of their own."""

from collections.abc import Iterator

import pytest

from graph.driver import Database
from tests.api.conftest import Line, answer, refused, twohop

WEIGHTS = """
MATCH (j:Item)-[s:SIMILAR {generation: $generation}]->(i:Item)
RETURN j.id AS source, i.id AS target, s.rank AS rank, s.weight AS weight ORDER BY source, rank
"""


def newest() -> dict[str, object]:
    found: dict[str, object] = max(answer("generations", "list"), key=lambda one: one["id"])
    return found


@pytest.fixture(autouse=True)
def as_before(shop: Line) -> Iterator[None]:
    """The shop's own generation alone is left: other tests of the shop start from it."""
    before = {one["id"] for one in answer("generations", "list")}
    yield
    for one in answer("generations", "list"):
        if one["id"] not in before:
            assert twohop("generations", "drop", str(one["id"])).exit_code == 0


@pytest.mark.parametrize("master", [None, pytest.param("local-cluster[2,1,1024]", marks=pytest.mark.long)])
def test_spark_makes_the_same_generation(shop: Line, database: Database, master: str | None) -> None:
    before = newest()
    said = twohop("index", "--engine", "spark", "--no-switch", "--keep", "9", *(["--master", master] if master else []))
    assert said.exit_code == 0, said.stderr
    made = newest()
    assert said.stdout.startswith(f"Generation {made['id']} of model {before['artefact'][:12]} is ready: ")  # type: ignore[index]
    mine, other = (database.read(WEIGHTS, {"generation": one["id"]}) for one in (made, before))
    weights, expected = ([row.pop("weight") for row in rows] for rows in (mine, other))
    assert mine == other
    assert weights == pytest.approx(expected, rel=1e-5)


@pytest.mark.long  # Spark tries for a minute
def test_a_master_that_is_not_there_is_one_line(shop: Line) -> None:
    said = refused("index", "--engine", "spark", "--master", "spark://127.0.0.1:9")
    assert said.startswith("twohop: Spark at spark://127.0.0.1:9 does not start: ")


@pytest.mark.long  # it starts Spark as well
def test_what_a_worker_lacks_is_one_line(shop: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", "/nowhere/python")
    said = refused("index", "--engine", "spark")
    assert said.startswith("twohop: Spark at local[*,4] could not make the edges: ")
    assert "/nowhere/python" in said
