"""Generations of weights: which one is live, and which one is tried beside it."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.web.documents.generations import (
    GREATEST_ID,
    ExperimentDocument,
    ExperimentRequest,
    GenerationDocument,
    GenerationsDocument,
)
from api.web.keys import needs
from api.web.parameters import Opened
from api.web.problems import responses
from cypher.variants import variants
from graph import generations as stored
from graph.driver import Database
from graph.errors import NotFound
from graph.experiment import running_experiment, start_experiment, stop_experiment

router = APIRouter(tags=["generations"])

Id = Annotated[int, Path(ge=1, le=GREATEST_ID, examples=[2], description="id of a generation")]


@router.get("/generations", operation_id="list_generations", dependencies=[needs("read")])
def generations(database: Opened) -> GenerationsDocument:
    """All generations of weights that are stored, the newest first."""
    return GenerationsDocument.model_validate({"generations": stored.list_generations(database)}, from_attributes=True)


@router.post("/generations/rollback", operation_id="roll_back", dependencies=[needs("admin")], responses=responses(409))
def rollback(database: Opened) -> GenerationDocument:
    """Make the generation live again that was live before; it ends an experiment."""
    return _generation(database, stored.rollback(database))


@router.post(
    "/generations/{generation}/activate",
    operation_id="activate_generation",
    dependencies=[needs("admin")],
    responses=responses(404, 409),
)
def activate(database: Opened, generation: Id) -> GenerationDocument:
    """Make a ready generation the live one, at once for everybody; it ends an experiment."""
    stored.switch(database, generation)
    return _generation(database, generation)


@router.get("/experiment", operation_id="show_experiment", dependencies=[needs("read")], responses=responses(404))
def experiment(database: Opened) -> ExperimentDocument:
    """The experiment that runs, and how its two variants do."""
    running = running_experiment(database)
    return ExperimentDocument.of(running, variants(database, running.began))


@router.put(
    "/experiment", operation_id="start_experiment", dependencies=[needs("admin")], responses=responses(404, 409)
)
def begin(database: Opened, asked: ExperimentRequest) -> ExperimentDocument:
    """Give a share of the users another ready generation. The same again changes nothing; any other begins anew."""
    running = start_experiment(database, asked.challenger, asked.share)
    return ExperimentDocument.of(running, variants(database, running.began))


@router.delete("/experiment", operation_id="stop_experiment", dependencies=[needs("admin")], responses=responses(404))
def end(database: Opened) -> ExperimentDocument:
    """Give everybody the live generation again; the last figures come back."""
    last = experiment(database)
    stop_experiment(database)
    return last


def _generation(database: Database, generation: int) -> GenerationDocument:
    for one in stored.list_generations(database):
        if one.id == generation:
            return GenerationDocument.model_validate(one, from_attributes=True)
    raise NotFound(f"generation {generation} was dropped meanwhile")
