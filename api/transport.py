"""HTTP as the client speaks it: sent again where that is safe, and every failure an error of ours."""

from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from httpx_retries import Retry, RetryTransport
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from graph.errors import TwohopError

T = TypeVar("T", bound=BaseModel)

AGAIN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")  # see `Transport`: twice is once
PAUSE = 0.5  # seconds, doubled from one try to the next, of which a random part is waited
LONGEST = 60.0  # seconds between two tries, whatever the server asks for
SHOWN = 200  # characters of an answer that is no problem


class ProblemError(TwohopError):
    """The server refused: `status` and `detail` are those of its problem, `errors` the fields that are no good."""

    def __init__(self, status: int, detail: str, errors: tuple[dict[str, str], ...] = ()) -> None:
        super().__init__(f"{status}: {detail}")
        self.status, self.detail, self.errors = status, detail, errors

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        try:
            told = from_json(response.content)
            return cls(response.status_code, str(told["detail"]), tuple(told.get("errors") or ()))
        except (ValueError, KeyError, TypeError):  # from a proxy, say
            text = " ".join(response.text.split())[:SHOWN]
            return cls(response.status_code, text or response.reason_phrase)


class Unreachable(TwohopError):
    """No answer came, or none that can be read."""


class Transport:
    """Requests to one server. Safe for threads.

    A request without an answer, or with 429 or 503, is sent again up to `retries` times, after the time that the server
    asks for. That is safe although the first one may have taken effect: reads change nothing, PUT, PATCH and DELETE
    leave the same state, and events carry keys. `once` is for what that does not hold for.
    """

    def __init__(self, base_url: str, key: str | None, timeout: float, retries: int) -> None:
        retry = Retry(
            total=retries,
            allowed_methods=METHODS,
            status_forcelist=AGAIN,
            backoff_factor=PAUSE,
            max_backoff_wait=LONGEST,
        )
        self._http = httpx.Client(
            base_url=base_url,
            headers={"X-API-Key": key} if key else {},
            timeout=timeout,
            transport=RetryTransport(retry=retry),
        )

    def request(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        once: bool = False,
    ) -> T:
        """The answer as a `kind`; `query` without its Nones, `body` as JSON. Raises `ProblemError`, `Unreachable`."""
        content = None if body is None else to_json(_plain(body))
        headers = {} if body is None else {"Content-Type": "application/json"}
        return self._read(self.send(method, path, content, headers, query=query, once=once), kind)

    def send_lines(self, path: str, lines: bytes, kind: type[T]) -> T:
        """POST JSON Lines."""
        return self._read(self.send("POST", path, lines, {"Content-Type": "application/x-ndjson"}), kind)

    def send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        once: bool = False,
    ) -> httpx.Response:
        """A successful answer. Raises `ProblemError` and `Unreachable`."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        extensions = {"retry": Retry(total=0)} if once else {}
        try:
            response = self._http.request(
                method, path, params=given, content=content, headers=headers, extensions=extensions
            )
        except httpx.HTTPError as error:
            raise Unreachable(f"{self._http.base_url}: {error or type(error).__name__}; see that it runs") from error
        if response.is_success:
            return response
        raise ProblemError.of(response)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _read(self, response: httpx.Response, kind: type[T]) -> T:
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            told = f"{self._http.base_url}: its answer is no {kind.__name__}"
            raise Unreachable(f"{told}: is it a Twohop server of this version?") from error


def part(key: str) -> str:
    """An id as one part of a path: its slashes and dots are no path's."""
    return quote(key, safe="").replace(".", "%2E")


def _plain(body: object) -> object:
    """A document as what it names: what was not set is left out, so that PATCH changes only what was."""
    return body.model_dump(mode="json", exclude_unset=True) if isinstance(body, BaseModel) else body
