"""The REST API: what users want, why, and what they still need, from a graph in Neo4j."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from starlette.middleware import Middleware

from api.engines import open_projections
from api.options import EngineName
from api.web import observe, problems
from api.web.connection import Connection
from api.web.fast import Fast
from api.web.keys import Keys
from api.web.limits import LOBBY, STREAMS, Gate, Limits, Rates
from api.web.live import LiveNetworks
from api.web.observe import Observe
from api.web.problems import responses
from api.web.refresh import Refresher
from api.web.routes import (
    browse,
    catalogue,
    contents,
    events,
    generations,
    guide,
    health,
    intents,
    items,
    sessions,
    users,
    window,
)
from api.web.routing import Methods, adopt
from api.web.traces import Traces
from graph.settings import Settings, load_settings

ROUTERS = (users, items, sessions, intents, browse, catalogue, contents, events, generations, guide, health, window)


def create_app(settings: Settings | None = None, engine: EngineName = "cypher") -> FastAPI:
    """The app; without `settings` they come from the environment. It never imports torch.

    It starts without its database, is not ready then, and is by itself as soon as the database answers. With the
    engine `projection` recommendations come from memory as soon as that is built, and until then from queries.
    """
    settings = settings or load_settings()
    traces = Traces()
    projections = None
    if engine == "projection":
        projections = open_projections(lambda: connection.database, settings)
    connection = Connection(settings, traces, projections.wake if projections else lambda: None)
    live = LiveNetworks(lambda: connection.database, settings.intents_folder)
    refresher = Refresher(live, connection, observe.freshness)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = settings.concurrency + STREAMS + LOBBY
        connection.open()
        refresher.start()
        if projections:
            projections.start()
        yield
        if projections:
            projections.stop()
        refresher.stop()
        connection.close()
        traces.close()

    ways = [Middleware(Limits, settings)]
    if not traces.on:  # FastAPI traces its own way only
        ways.insert(0 if projections else 1, Middleware(Fast))  # what memory answers is never late
    app = FastAPI(
        title="Twohop",
        description=__doc__,
        version=version("twohop"),
        lifespan=lifespan,
        responses=responses(401, 403, 422, 429, 503, 504),
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        telemetry=traces.config,
        middleware=[Middleware(Observe), *ways, Middleware(Methods)],  # the first is the outermost
    )
    app.state.connection, app.state.live, app.state.refresher = connection, live, refresher
    app.state.projections = projections
    app.state.keys = Keys(lambda: connection.database)
    app.state.rates = Rates(settings.rate_limit)
    app.state.gate, app.state.streams, app.state.lobby = Gate(settings.concurrency), Gate(STREAMS), Gate(LOBBY)
    for module in ROUTERS:
        app.include_router(adopt(module.router))
    problems.add_handlers(app)
    problems.describe(app)
    return app
