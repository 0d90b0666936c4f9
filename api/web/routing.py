"""How a request of a route is taken: first its key, then its rate, then its body, and only then a place to work."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.web.bodies import MEDIA_TYPE, STREAM, StrictRequest
from api.web.keys import Needs
from api.web.limits import is_stream

BODIES = frozenset(("POST", "PUT", "PATCH"))  # methods that have one


class Route(APIRoute):
    """A route that reads no body before it knows who sends it, and reads JSON strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        checks = [one.dependency for one in self.dependencies if isinstance(one.dependency, Needs)]
        takes_body = not BODIES.isdisjoint(self.methods or ())
        takes_stream = STREAM in (self.openapi_extra or {}).get("requestBody", {}).get("content", {})

        async def admit(request: Request) -> Response:
            request = StrictRequest(request.scope, request.receive, request._send)
            state = request.app.state
            if not checks:  # open to anybody, so it takes none of the places of who has a key
                with state.lobby.enter():
                    return await handle(request)
            for check in checks:
                await check.admit(request)
            state.rates.count(request.state.key)
            stream = is_stream(request.scope)
            if stream and not takes_stream:  # it may be as long as a stream, and would be held as one body
                raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send one document as {MEDIA_TYPE}")
            if takes_body and not stream:
                await request.body()  # before it takes a place, for it may come slowly
            with (state.streams if stream else state.gate).enter():
                return await handle(request)

        return admit


def adopt(router: APIRouter) -> APIRouter:
    """Make the routes of a router, made by anybody in FastAPI's own way, routes of this class."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            route.__class__ = Route
    return router
