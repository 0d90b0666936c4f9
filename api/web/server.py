"""The HTTP server: uvicorn, with an end to the patience that it has for slow clients.

uvicorn waits for ever for the rest of a request's head, for a body that nobody reads, and for a client that does not
take its reply.
"""

import asyncio
import gc
import json
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.web.observe import CONNECTIONS, log_config
from api.web.problems import MEDIA_TYPE, Problem
from graph.errors import SettingsError

LONGEST_HEAD = 65_536  # bytes
PATIENCE = 10.0  # seconds
KEEP_ALIVE = 75  # seconds: longer than a reverse proxy keeps its own, or it would send into a closing connection
GRACE = 30  # seconds that requests get to end in
GARBAGE = 100_000  # new containers until the collector looks for cycles among them; Python's own 700 is for small heaps


class PatientProtocol(HttpToolsProtocol):
    """One connection, which waits no longer than `patience` seconds for its client."""

    patience = PATIENCE

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._head = 0  # bytes of a head that has begun
        self._in_body = False
        self._only_head = True  # nothing but a head is in the data that is looked at

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        CONNECTIONS.inc()
        self._wait("head", self._refuse_head)

    def connection_lost(self, exc: Exception | None) -> None:
        CONNECTIONS.dec()
        for name in ("head", "rest", "reply"):
            self._stop_waiting(name)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._only_head = not self._in_body  # the end of a body may come long after the reply
        super().data_received(data)
        if self.transport.is_closing() or not self._only_head or not self._answered():
            return
        self._head += len(data)
        if self._head > LONGEST_HEAD:
            self._end(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head of the request is longer than 64 KiB")
        elif "head" not in self._timers:
            self._wait("head", self._refuse_head)

    def on_headers_complete(self) -> None:
        self._stop_waiting("head")
        self._head, self._in_body, self._only_head = 0, True, False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        self._stop_waiting("rest")
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_body and self._answered():  # it is read on and thrown away, so that the client sees the reply
            self._wait("rest", self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait("reply", self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting("reply")

    def send_400_response(self, msg: str) -> None:
        self._end(HTTPStatus.BAD_REQUEST, msg)

    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _refuse_head(self) -> None:
        if self._head:
            self._end(HTTPStatus.REQUEST_TIMEOUT, f"the head of the request was not there within {self.patience:g} s")
        else:
            self.transport.close()

    def _end(self, status: HTTPStatus, detail: str) -> None:
        """Answer what never became a request, and close the connection."""
        body = json.dumps(Problem(title=status.phrase, status=status, detail=detail).model_dump(exclude_none=True))
        head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head.encode() + body.encode())
        self.transport.close()

    def _wait(self, name: str, then: Callable[[], object]) -> None:
        self._stop_waiting(name)
        self._timers[name] = self.loop.call_later(self.patience, then)

    def _stop_waiting(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()


class Server(uvicorn.Server):
    """uvicorn on a socket that is bound already; `announce` is called once it takes requests."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], object]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


def serve(app: FastAPI, bound: socket.socket, patience: float, announce: Callable[[], object]) -> None:
    """Serve until SIGINT or SIGTERM; requests that are worked on then are answered first."""
    allow_connections()
    collect_seldom()
    config = uvicorn.Config(
        app,
        http=type("Protocol", (PatientProtocol,), {"patience": patience}),
        ws="none",
        log_config=log_config(),
        access_log=False,  # api.web.observe has its own
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    with suppress(KeyboardInterrupt):  # uvicorn ends well, then raises the signal again
        Server(config, announce).run([bound])


def listen(host: str, port: int) -> socket.socket:
    """A socket at this address. Raises `SettingsError` where it can't be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise SettingsError(
            f"can't listen on {host}:{port}: {error.strerror}: choose other --host and --port"
        ) from None
    return bound


def allow_connections() -> None:
    """As many open files as the system lets this process have: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def collect_seldom() -> None:
    """Shorter and fewer pauses for garbage: what was imported stays for good and is not looked at again.

    A collection of everything stops all requests for 100 ms, and rows of the graph are many short-lived containers.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)
