"""One shape for all that goes wrong: problem+json (RFC 9457), also for what the framework itself rejects."""

import logging
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from graph.errors import (
    BRANCH,
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
    """Put problems into the app's OpenAPI document: their schema, and which of them an operation may answer."""
    make = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        document = make()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        made = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= made.pop("$defs") | {"Problem": made}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for operation in (one for path in document["paths"].values() for one in path.values()):
            if "requestBody" in operation:
                operation["responses"] |= {str(status): one for status, one in responses(408, 413, 415).items()}
            if "security" not in operation:
                for status in ("401", "403", "429"):
                    operation["responses"].pop(status, None)
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
    return JSONResponse(body.model_dump(exclude_none=True), int(status), headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Answer every failure that the app knows by a problem; what is left, a bug, ends in `api.web.observe`."""
    app.add_exception_handler(TwohopError, _refuse)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _reject)


def refusal(error: TwohopError | HTTPException) -> JSONResponse:
    """The response to a failure that the app knows."""
    if isinstance(error, HTTPException):
        return problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)
    detail = str(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, DatabaseUnavailable):  # told once elsewhere
        log.error("%s", error)
    if isinstance(error, DatabaseError):  # its address and statement are for the log
        detail = {
            HTTPStatus.SERVICE_UNAVAILABLE: "the database does not answer",
            HTTPStatus.GATEWAY_TIMEOUT: "the database took longer than a request may: ask for less",
        }.get(status, "the database failed")
    return problem(status, detail)


# They are coroutines, or each would wait for a thread.


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TwohopError | HTTPException)  # noqa: S101  registered for these
    return refusal(error)


async def _reject(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this one
    errors = [_field_error(one) for one in error.errors()[:SHOWN]]
    first = errors[0]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{first.where.rpartition('.')[2]}: {first.why}", errors)


def _field_error(one: dict[str, Any]) -> FieldError:
    if one["type"] == "json_invalid":  # its place is a number of bytes, and its reason is in the context
        return FieldError(where="body", why=_clean(f"no good JSON: {one.get('ctx', {}).get('error', one['msg'])}"))
    where = ".".join(str(part) for part in one["loc"] if not BRANCH.search(str(part)))
    return FieldError(where=_clean(where), why=_clean(str(one["msg"]).removeprefix("Value error, ")))


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
        HTTPStatus.TOO_MANY_REQUESTS: "this key may send 200 per 1 second: wait 1 s",
        HTTPStatus.SERVICE_UNAVAILABLE: "the database does not answer",
        HTTPStatus.GATEWAY_TIMEOUT: "the database took longer than a request may: ask for less",
    }
    return Problem(title=status.phrase, status=status, detail=details.get(status, status.phrase)).model_dump(
        exclude_none=True
    )
