"""How a request of a route is taken: first its key, then its rate, then its body, and only then a place to work."""

import re
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from http import HTTPStatus
from inspect import iscoroutinefunction
from typing import Any, get_args, get_origin

from anyio.to_thread import run_sync
from fastapi import APIRouter, FastAPI, Request, Response, params
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from api.web.bodies import MEDIA_TYPE, STREAM, StrictRequest
from api.web.keys import Needs
from api.web.limits import is_stream
from api.web.problems import problem

BODIES = frozenset(("POST", "PUT", "PATCH"))  # methods that have one


class Route(APIRoute):
    """A route that reads no body before it knows who sends it, and reads JSON strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        checks = [one.dependency for one in self.dependencies if isinstance(one.dependency, Needs)]
        fields = [field for field in get_flat_params(self.dependant) if isinstance(field.field_info, params.Query)]
        known = {field.alias: _takes_many(field.field_info.annotation) for field in fields}
        takes_body = not BODIES.isdisjoint(self.methods or ())
        takes_stream = STREAM in (self.openapi_extra or {}).get("requestBody", {}).get("content", {})

        async def admit(request: Request) -> Response:
            request = StrictRequest(request.scope, request.receive, request._send)
            state = request.app.state
            if not checks:  # open to anybody, so it takes none of the places of who has a key
                if self.include_in_schema:  # a page may be asked for with anything
                    _check_parameters(request, known)
                with state.lobby.enter():
                    return await handle(request)
            for check in checks:
                await check.admit(request)
            _check_parameters(request, known)
            if not getattr(request.state, "counted", False):  # by `api.web.fast`
                await state.rates.count(request.state.key)
            stream = is_stream(request.scope)
            if stream and not takes_stream:  # it may be as long as a stream, and would be held as one body
                raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send one document as {MEDIA_TYPE}")
            if takes_body and not stream:
                await request.body()  # before it takes a place, for it may come slowly
            with (state.streams if stream else state.gate).enter():
                return await handle(request)

        return admit


def _takes_many(annotation: Any) -> bool:
    return list in (get_origin(one) for one in (annotation, *get_args(annotation)))


def _check_parameters(request: Request, known: Mapping[str, bool]) -> None:
    """One that is misspelt, or is there twice with two values, would be passed over: an answer to another question.

    Args:
        known: names of parameters, and whether one may come again and again.
    """
    counts = Counter(name for name, _ in request.query_params.multi_items())
    errors = [
        {"type": "extra_forbidden", "loc": ("query", name), "msg": what}
        for name, what in (
            *((name, "no such parameter here") for name in counts if name not in known),
            *((name, "give it once") for name, many in known.items() if counts[name] > 1 and not many),
        )
    ]
    if errors:
        raise RequestValidationError(errors)


class Methods:
    """ASGI middleware: 405 where the first template that fits a path has not the method of the request.

    Ids may hold slashes, so `PUT /users/1/history` would else make a user of the id `1/history`. What no template
    matches because of a line end is a 422, as any other control character in an id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._templates: list[tuple[re.Pattern[str], set[str]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "\n" in scope["path"]:
            await problem(HTTPStatus.UNPROCESSABLE_ENTITY, "path: control characters are not allowed")(
                scope, receive, send
            )
            return
        if scope["type"] != "http" or scope["method"] == "GET":  # each path has its own route for GET, or none
            await self.app(scope, receive, send)
            return
        self._templates = self._templates or _templates(scope["app"])
        for template, methods in self._templates:
            if template.match(scope["path"]):
                if scope["method"] in methods:
                    break
                refused = problem(
                    HTTPStatus.METHOD_NOT_ALLOWED,
                    f"this path takes {', '.join(sorted(methods))}",
                    headers={"Allow": ", ".join(sorted(methods))},
                )
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _templates(app: FastAPI) -> list[tuple[re.Pattern[str], set[str]]]:
    """Each template once, in the order in which routes are tried, with the methods of all its routes."""
    found: dict[str, tuple[re.Pattern[str], set[str]]] = {}
    for route in iter_route_contexts(app.routes):
        _, methods = found.setdefault(str(route.path), (route.path_regex, set()))
        methods |= route.methods or set()
    return list(found.values())


def adopt(router: APIRouter) -> APIRouter:
    """Make the routes of a router, made by anybody in FastAPI's own way, routes of this class."""
    for route in router.routes:
        if isinstance(route, APIRoute) and not isinstance(route, Route):
            route.__class__ = Route
            if _is_plain(route):
                route.endpoint = _in_one_thread(route)
    return router


def _is_plain(route: APIRoute) -> bool:
    """Whether its function runs in a thread, and what it returns becomes the whole reply."""
    return (
        not iscoroutinefunction(route.endpoint)
        and route.response_model is not None
        and isinstance(route.response_class, DefaultPlaceholder)
        and route.dependant.response_param_name is None
        and route.dependant.background_tasks_param_name is None
    )


def _in_one_thread(route: APIRoute) -> Callable[..., Coroutine[Any, Any, Response]]:
    """The function, the check of what it returns, and its JSON, in one turn of one thread: FastAPI takes two."""
    function, adapter, status = route.endpoint, TypeAdapter(route.response_model), route.status_code or HTTPStatus.OK
    unset = route.response_model_exclude_unset

    def answer(values: dict[str, Any]) -> Response:
        result = adapter.validate_python(function(**values), from_attributes=True)
        content = adapter.dump_json(result, exclude_unset=unset, by_alias=True)
        return Response(content, status, media_type=MEDIA_TYPE)

    @wraps(function)
    async def run(**values: Any) -> Response:
        return await run_sync(answer, values)

    return run
