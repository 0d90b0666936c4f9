"""One shape for all that goes wrong: problem+json (RFC 9457), also for what the framework itself rejects."""

import logging
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from graph.errors import (
    Conflict,
    DatabaseError,
    DatabaseUnavailable,
    DeadlineExceeded,
    Invalid,
    NotFound,
    ServerError,
    SettingsError,
    StoreError,
    TwohopError,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 5  # seconds
SHOWN = 10  # of the errors of one request
SCHEMA = {"$ref": "#/components/schemas/Problem"}
LONGEST = 500  # characters of a text of the client's that is told back
# The nearest class of an error decides; what is not here is a 500.
STATUS: dict[type[Exception], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    SettingsError: HTTPStatus.UNPROCESSABLE_ENTITY,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    ServerError: HTTPStatus.SERVICE_UNAVAILABLE,
    DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DeadlineExceeded: HTTPStatus.GATEWAY_TIMEOUT,
}


class FieldError(BaseModel):
    """`where`: place in the request, such as `body.items.0.id`; `why`: what is wrong with it."""

    where: str
    why: str


class Problem(BaseModel):
    """What went wrong. `detail` says what to do; `errors` has each field of a request that is no good."""

    type: Annotated[str, Field(examples=["about:blank"])] = "about:blank"
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["user 'nobody' is not in the graph"])
    errors: list[FieldError] | None = None


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer beside its result, for the OpenAPI document."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": SCHEMA, "example": _example(HTTPStatus(status))}},
        }
        for status in sorted(statuses)
    }


def describe(app: FastAPI) -> None:
    """Put the schema of problems into the app's OpenAPI document, which names it by `SCHEMA`."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        document = make()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        made = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= made.pop("$defs") | {"Problem": made}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def problem(
    status: int, detail: str, errors: list[FieldError] | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The response of a failure; 503 says when to come again."""
    known = HTTPStatus(status)
    body = Problem(title=known.phrase, status=status, detail=_clean(detail), errors=errors)
    if known == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"Retry-After": str(RETRY_AFTER)} | (headers or {})
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Answer every failure of the app by a problem."""
    app.add_exception_handler(TwohopError, _refuse)
    app.add_exception_handler(RequestValidationError, _reject)
    app.add_exception_handler(HTTPException, _answer)
    app.add_exception_handler(Exception, _fail)


def _refuse(_: Request, error: Exception) -> JSONResponse:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)
    detail = str(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s", error)
    if isinstance(error, DatabaseError):  # its address and statement are for the log
        detail = {
            HTTPStatus.SERVICE_UNAVAILABLE: "the database does not answer",
            HTTPStatus.GATEWAY_TIMEOUT: "the database took longer than a request may: ask for less",
        }.get(status, "the database failed")
    return problem(status, detail)


def _reject(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this one
    errors = [
        FieldError(where=_clean(".".join(str(part) for part in one["loc"])), why=_clean(str(one["msg"])))
        for one in error.errors()[:SHOWN]
    ]
    first = errors[0]
    detail = f"{first.where.rpartition('.')[2]}: {first.why.removeprefix('Value error, ')}"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)


def _answer(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this one
    return problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))


def _fail(_: Request, error: Exception) -> JSONResponse:
    log.error("unexpected %s", type(error).__name__, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; its log has the reason")


def _clean(text: str) -> str:
    """What a client sent, told back: short, and valid UTF-8."""
    return text[:LONGEST].encode("utf-8", "replace").decode("utf-8")


def _example(status: HTTPStatus) -> dict[str, Any]:
    details = {
        HTTPStatus.UNAUTHORIZED: "no valid API key: send one in the header X-API-Key",
        HTTPStatus.FORBIDDEN: "this key may read only",
        HTTPStatus.NOT_FOUND: "user 'nobody' is not in the graph",
        HTTPStatus.CONFLICT: "event 'order-17' was sent before with other content",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is larger than 8 MiB",
        HTTPStatus.UNPROCESSABLE_ENTITY: "k: Input should be greater than or equal to 1",
        HTTPStatus.TOO_MANY_REQUESTS: "more than 600 requests a minute: wait a little",
        HTTPStatus.SERVICE_UNAVAILABLE: "the database does not answer",
        HTTPStatus.GATEWAY_TIMEOUT: "the database took longer than a request may: ask for less",
    }
    return Problem(title=status.phrase, status=status, detail=details.get(status, status.phrase)).model_dump(
        exclude_none=True
    )
