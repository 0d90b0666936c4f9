"""What one client may ask of the process: so many bytes, at such a pace, so often, so many at once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from math import ceil
from time import time

from limits import parse_many
from limits.aio.storage import MemoryStorage  # the other one starts a thread for nearly every request
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web.bodies import STREAM
from api.web.problems import problem
from graph.settings import Settings, bytes_of

STREAMS = 8  # of events, read at once
LOBBY = 8  # requests without a key, such as probes, worked on at once
SOON = 1  # seconds, for Retry-After where too much is asked at once


class Limits:
    """ASGI middleware: 413 for a body that is too long, 408 for one that stalls, 504 for a request that takes too long.

    A body that says its length is refused before any of it is read; any other one as soon as it is too long. What is
    left of it is not kept. A stream of events may be longer, and take as long as it needs while it goes on.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.patience, self.deadline = app, settings.idle_timeout, settings.request_timeout
        self.most, self.most_streamed = bytes_of(settings.body_limit), bytes_of(settings.stream_limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stream = is_stream(scope)
        most = self.most_streamed if stream else self.most
        if (_length(scope) or 0) > most:
            await problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_long(most))(scope, receive, send)
            return
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        body = _Body(receive, most, self.patience)
        try:
            async with asyncio.timeout(None if stream else self.deadline) as timer:
                await self.app(scope, body.receive, send_on)
        except TimeoutError:
            if started or not timer.expired():
                raise
            await _late(self.deadline, body.awaited)(scope, receive, send)


class _Body:
    """A body as it comes in: its bytes are counted, and each part must come in time."""

    def __init__(self, receive: Receive, most: int, patience: float) -> None:
        self._receive, self._most, self._patience = receive, most, patience
        self._read = 0
        self.whole = self.awaited = False

    async def receive(self) -> Message:
        if self.whole:  # what comes now is the end of the connection, and may take as long as the reply
            return await self._receive()
        self.awaited = True
        try:
            async with asyncio.timeout(self._patience):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(
                HTTPStatus.REQUEST_TIMEOUT,
                f"nothing of the body came for {self._patience:g} s",
                {"Connection": "close"},
            ) from None
        self.awaited = False
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > self._most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_long(self._most))
            self.whole = not message.get("more_body", False)
        return message


class Rates:
    """How often each key may ask: a sliding window in this process's memory."""

    def __init__(self, rate: str) -> None:
        self._limits = parse_many(rate)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def count(self, key: str) -> None:
        """Count one request. Raises a 429 that says when to come again."""
        for limit in self._limits:
            if not await self._limiter.hit(limit, key):
                stats = await self._limiter.get_window_stats(limit, key)
                wait = ceil(max(SOON, stats.reset_time - time()))
                raise HTTPException(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    f"this key may send {limit}: wait {wait} s",
                    {"Retry-After": str(wait)},
                )


class Gate:
    """How many requests are worked on at once; who comes beyond that is sent away, not queued."""

    def __init__(self, most: int) -> None:
        self.most, self.inside = most, 0

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Raises a 503 where it is full. For one event loop: it takes no lock."""
        if self.inside >= self.most:
            raise HTTPException(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{self.most} requests are worked on already: try again",
                {"Retry-After": str(SOON)},
            )
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1


def is_stream(scope: Scope) -> bool:
    """Whether a request's body is one JSON document a line."""
    return any(
        name == b"content-type" and value.split(b";")[0].strip().lower() == STREAM.encode()
        for name, value in scope["headers"]
    )


def _length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return None


def _late(deadline: float, awaited: bool) -> ASGIApp:
    if not awaited:
        return problem(HTTPStatus.GATEWAY_TIMEOUT, f"the request took longer than {deadline:g} s: ask for less")
    detail = f"the body was not there within {deadline:g} s"
    return problem(HTTPStatus.REQUEST_TIMEOUT, detail, headers={"Connection": "close"})


def _too_long(most: int) -> str:
    size, unit = (most >> 20, "MiB") if most >= 2**20 else (most >> 10, "KiB")
    return f"the body is larger than {size} {unit}: send it in parts"
