"""What the loaders' tests share: settings with a home of their own, and a way to load small files."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import loaders
from graph.settings import Settings
from loaders import Loaded


@pytest.fixture
def own_settings(new_settings: Callable[..., Settings], tmp_path: Path) -> Settings:
    return new_settings(home=tmp_path / "home")


@pytest.fixture
def data_settings(new_settings: Callable[..., Settings], data_folder: Path, tmp_path: Path) -> Settings:
    return new_settings(home=tmp_path / "home", data=data_folder)


@pytest.fixture
def load_tables(tmp_path: Path, own_settings: Settings) -> Callable[..., Loaded]:
    """Write files and a mapping (as a dict) into a folder and load it; `options` go to `loaders.load`."""

    def load(mapping: dict[str, Any], files: dict[str, str | bytes], **options: Any) -> Loaded:
        folder = tmp_path / "raw"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        path = folder / "mapping.yaml"
        path.write_text(json.dumps({"source": {"id": "shop"}, **mapping}), encoding="utf-8")  # JSON is YAML
        return loaders.load("tables", own_settings, mapping=path, **options)

    return load


@pytest.fixture
def web_server() -> Iterator[Callable[[dict[str, bytes]], str]]:
    """Serves contents by path on the loopback address; gives the server's address."""
    started: list[ThreadingHTTPServer] = []

    def serve(files: dict[str, bytes]) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = files.get(self.path)
                self.send_response(404 if content is None else 200)
                self.send_header("content-length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.fixture
def unused_address() -> str:
    """An address where nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
