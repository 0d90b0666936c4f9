"""Events in: one, some, or a stream of them."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from email.message import Message
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.web.bodies import MEDIA_TYPE, STREAM, parse_json
from api.web.documents.events import (
    EXAMPLE,
    EventDocument,
    EventResult,
    EventsReply,
    RejectedLine,
    StreamReply,
)
from api.web.keys import needs
from api.web.parameters import LONGEST_ID, Opened
from api.web.problems import responses
from graph.driver import Database
from graph.errors import one_line
from graph.events import IMPRESSION, Event, Outcome, write_events

router = APIRouter(tags=["events"], dependencies=[needs("write")], responses=responses(409, 413, 415))

MOST = 1_000  # events of an array, and of one transaction of a stream
LONGEST_LINE = 65_536  # bytes
LONGEST_DETAIL = 500  # characters
TOLD = 100  # rejected lines that a reply names
LINES = "\n".join(json.dumps({**EXAMPLE, "key": f"order-17/{number}"}) for number in (1, 2)) + "\n"
SCHEMA = EventDocument.model_json_schema()
BODY = {
    "required": True,
    "content": {
        MEDIA_TYPE: {
            "schema": {"anyOf": [SCHEMA, {"type": "array", "items": SCHEMA, "minItems": 1, "maxItems": MOST}]},
            "examples": {"one": {"value": EXAMPLE}, "some": {"value": [EXAMPLE]}},
        },
        STREAM: {"schema": {"type": "string", "description": "one event a line"}, "example": LINES},
    },
}
one = TypeAdapter(EventDocument)
some = TypeAdapter(list[EventDocument])


@router.post("/events", operation_id="send_events", openapi_extra={"requestBody": BODY})
async def send(request: Request, database: Opened) -> EventsReply | StreamReply:
    """Store events, each exactly once in effect: send them again whenever the answer did not come.

    One event, or an array of 1,000 at most, is stored as a whole or not at all. A stream (`application/x-ndjson`, one
    event a line of 64 KiB at most) is stored in transactions of 1,000 lines: lines that are no good are left out and
    told by their number. Users are made where they are unknown; an unknown item is refused.
    """
    kind = _media_type(request)
    if kind == STREAM:
        return await _store_stream(request, database)
    if kind != MEDIA_TYPE:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {MEDIA_TYPE} or {STREAM}, not {kind}")
    events = [document.event() for document in _documents(await request.body())]
    outcomes = await _store(request, database, events)
    results = [EventResult.model_validate(outcome, from_attributes=True) for outcome in outcomes]
    accepted = sum(result.status == "accepted" for result in results)
    return EventsReply(accepted=accepted, repeated=len(results) - accepted, results=results)


def _media_type(request: Request) -> str:
    message = Message()
    message["content-type"] = request.headers.get("content-type", MEDIA_TYPE)
    return message.get_content_type()


def _documents(body: bytes) -> list[EventDocument]:
    try:
        given = parse_json(body)
    except json.JSONDecodeError as error:
        raise _invalid([{"type": "json_invalid", "loc": (), "msg": f"no JSON: {error.msg}"}]) from None
    try:
        if not isinstance(given, list):
            return [one.validate_python(given)]
        if not 1 <= len(given) <= MOST:
            raise _invalid([{"type": "length", "loc": (), "msg": f"{len(given)} events: send 1 to {MOST:,} at a time"}])
        return some.validate_python(given)
    except ValidationError as error:
        raise _invalid(error.errors(include_input=False, include_url=False)) from None


def _invalid(errors: Sequence[Any]) -> RequestValidationError:
    return RequestValidationError([{**error, "loc": ("body", *error["loc"])} for error in errors])


async def _store(request: Request, database: Database, events: list[Event], reject: bool = False) -> list[Outcome]:
    """In a thread, so that a slow write holds up no other request; then their users' weights are worked out anew."""
    outcomes = await run_in_threadpool(write_events, database, events, int(time.time()), reject=reject)
    accepted = {outcome.key for outcome in outcomes if outcome.status == "accepted"}
    users = {event.user for event in events if event.key in accepted and event.kind != IMPRESSION}
    if users:
        request.app.state.refresher.wake(sorted(users))
    return outcomes


async def _store_stream(request: Request, database: Database) -> StreamReply:
    reply, batch = StreamReply(), dict[int, Event | RejectedLine]()
    async for number, line in _lines(request.stream()):
        batch[number] = _read_line(number, line)
        if len(batch) == MOST:
            await _store_batch(request, database, batch, reply)
            batch.clear()
    if batch:
        await _store_batch(request, database, batch, reply)
    return reply


async def _store_batch(
    request: Request, database: Database, batch: dict[int, Event | RejectedLine], reply: StreamReply
) -> None:
    """Store the events of a batch of lines and tell `reply` of all lines, in their order."""
    events = [event for event in batch.values() if isinstance(event, Event)]
    outcomes = iter(await _store(request, database, events, reject=True) if events else ())
    for number, entry in batch.items():
        if isinstance(entry, RejectedLine):
            _refuse(reply, entry)
            continue
        outcome = next(outcomes)
        if outcome.status == "rejected":
            _refuse(reply, RejectedLine(line=number, key=outcome.key, detail=outcome.detail or ""))
        elif outcome.status == "accepted":
            reply.accepted += 1
        else:
            reply.repeated += 1


async def _lines(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes | None]]:
    """Lines that are not blank, with their numbers from 1; None for one that is too long, which is not kept."""
    number, begun, long = 0, bytearray(), False
    async for chunk in stream:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            number += 1
            if long or len(begun) + len(part) > LONGEST_LINE:
                yield number, None
            elif line := bytes(begun + part).strip():
                yield number, line
            begun.clear()
            long = False
        long = long or len(begun) + len(rest) > LONGEST_LINE
        if long:
            begun.clear()
        else:
            begun += rest
    if long:
        yield number + 1, None
    elif line := bytes(begun).strip():
        yield number + 1, line


def _read_line(number: int, line: bytes | None) -> Event | RejectedLine:
    """The event of a line, or why it has none."""
    if line is None:
        return RejectedLine(line=number, key=None, detail=f"the line is longer than {LONGEST_LINE // 1024} KiB")
    try:
        given = parse_json(line)
    except json.JSONDecodeError as error:
        return RejectedLine(line=number, key=None, detail=f"no JSON: {error.msg}")
    try:
        return one.validate_python(given).event()
    except ValidationError as error:
        key = given.get("key") if isinstance(given, dict) else None
        key = key[:LONGEST_ID] if isinstance(key, str) else None
        return RejectedLine(line=number, key=key, detail=one_line(error)[:LONGEST_DETAIL])


def _refuse(reply: StreamReply, rejected: RejectedLine) -> None:
    reply.refused += 1
    if len(reply.rejected) < TOLD:
        reply.rejected.append(rejected)
