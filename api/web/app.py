"""The REST API: what users want, why, and what they still need, from a graph in Neo4j."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api.web import problems
from api.web.connection import Connection
from api.web.keys import Keys
from api.web.live import LiveNetworks
from api.web.problems import responses
from api.web.refresh import Refresher
from api.web.routes import browse, health, items, users
from graph.settings import Settings, load_settings

ROUTERS = (users, items, browse, health)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app; without `settings` they come from the environment. It never imports torch.

    It starts without its database, is not ready then, and is by itself as soon as the database answers.
    """
    settings = settings or load_settings()
    connection = Connection(settings)
    live = LiveNetworks(lambda: connection.database, settings.intents_folder)
    refresher = Refresher(live, connection)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        connection.open()
        refresher.start()
        yield
        refresher.stop()
        connection.close()

    app = FastAPI(
        title="Twohop", description=__doc__, lifespan=lifespan, responses=responses(401, 403, 422, 429, 503, 504)
    )
    app.state.connection, app.state.live, app.state.refresher = connection, live, refresher
    app.state.keys = Keys(lambda: connection.database)
    for module in ROUTERS:
        app.include_router(module.router)
    problems.add_handlers(app)
    problems.describe(app)
    return app
