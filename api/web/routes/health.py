"""Whether the process lives, and whether it can answer."""

from fastapi import APIRouter
from pydantic import BaseModel

from api.web.parameters import Opened
from api.web.problems import responses
from cypher.live import live as read_live

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: str


@router.get("/health/live")
async def live() -> Health:
    """200 while the process is up, whatever its database does."""
    return Health(status="up")


@router.get("/health/ready", responses=responses(503))
def ready(database: Opened) -> Health:
    """200 while the database answers and has live weights."""
    read_live(database)
    return Health(status="ready")
