"""Whether the process lives, whether it can answer, and how it fares."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from api.web.keys import needs
from api.web.observe import DATABASE_UP, GENERATION, REGISTRY
from api.web.parameters import Opened
from api.web.problems import responses
from cypher.live import live as read_live
from graph.errors import TwohopError

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: str = Field(examples=["up"])


@router.get("/health/live", operation_id="check_live")
async def live() -> Health:
    """200 while the process is up, whatever its database does."""
    return Health(status="up")


@router.get("/health/ready", operation_id="check_ready", responses=responses(503))
def ready(database: Opened) -> Health:
    """200 while the database answers and has live weights."""
    read_live(database)
    return Health(status="ready")


@router.get(
    "/metrics",
    operation_id="show_metrics",
    dependencies=[needs("read")],
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"example": "twohop_database_up 1.0\n"}}}},
)
def metrics(request: Request) -> PlainTextResponse:
    """Numbers of this process for Prometheus."""
    connection = request.app.state.connection
    DATABASE_UP.set(connection.up)
    try:
        GENERATION.set(read_live(connection.database).id)
    except TwohopError:  # a database that is away, or without live weights, is no reason to tell nothing
        GENERATION.set(0)
    return PlainTextResponse(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
