"""The app as a process of its own, and what stands between it and its clients: real sockets only."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.api.test_command import start

PATIENCE = 60  # seconds


@contextmanager
def served(**environment: str) -> Iterator[str]:
    """The address of `twohop serve` on the store that the environment names, once it is ready."""
    process = start("serve", "--port", "0", **environment)
    assert process.stdout
    assert process.stderr
    told = process.stdout.readline()
    if not told.startswith("Window: "):
        raise AssertionError(process.communicate()[1])
    address = told.removeprefix("Window: ").partition("/#")[0].rstrip("/\n")
    drain = threading.Thread(target=process.stderr.read)  # or a full pipe would stop the server
    drain.start()
    try:
        end = time.monotonic() + PATIENCE
        while httpx.get(f"{address}/health/ready", timeout=PATIENCE).status_code != HTTPStatus.OK:
            assert time.monotonic() < end, "the server is not ready"
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(60)
        drain.join()


@contextmanager
def cutting(address: str, cuts: int) -> Iterator[str]:
    """An address that hands everything to `address` and back, but for the first answers: those are lost on the way."""
    left = [cuts]
    host, _, port = address.removeprefix("http://").partition(":")
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def pipe(source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if answers and left[0] > 0:
                    left[0] -= 1
                    break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection((host, int(port)))
                for source, target, answers in ((near, far, False), (far, near, True)):
                    threads.append(threading.Thread(target=pipe, args=(source, target, answers), daemon=True))
                    threads[-1].start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def scripted(*answers: Answer) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers in their order, the last one for ever; and the requests that came."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            came.append(f"{self.command} {self.path}")
            status, headers, body = answers[min(len(came), len(answers)) - 1]
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET: Callable[..., None] = answer
        do_POST: Callable[..., None] = answer
        do_PUT: Callable[..., None] = answer
        do_DELETE: Callable[..., None] = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", came
        finally:
            server.shutdown()
            thread.join()
