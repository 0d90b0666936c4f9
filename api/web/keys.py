"""Who may do what: the header X-API-Key, its role, and the dependency that each router names."""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import APIKeyHeader
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from graph.driver import Database
from graph.keys import KEY, ROLES, ApiKey, Role, hash_key, list_keys, new_key

FRESH = 5.0  # seconds after which the keys are read again: a revoked one works no longer than that
PACE = 0.05  # seconds between two reads for keys that are not among them: they may be new

header = APIKeyHeader(name="X-API-Key", auto_error=False, description="made by `twohop keys create`")


class Keys:
    """Keys by their id: those in the graph, and those made for the life of this process only.

    All of them are kept, as there are few. An unknown key is looked for once more in the graph, together with all that
    wait meanwhile: a new key opens at once, and made-up ones cost the database `1 / PACE` small reads a second at most.
    """

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database
        self._stored: dict[str, ApiKey] = {}
        self._own: dict[str, ApiKey] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    def make_own(self, role: Role) -> str:
        """A key that no database knows and that ends with the process."""
        key_id, key = new_key()
        self._own[key_id] = ApiKey(key_id, "this process", role, hash_key(key))
        return key

    def known(self, key: str) -> ApiKey | None:
        """As `check`, of what is in memory and fresh: None says nothing."""
        match = KEY.fullmatch(key)
        if match is None:
            return None
        found = self._own.get(match[1])
        if found is None and time.monotonic() - self._read_at <= FRESH:
            found = self._stored.get(match[1])
        return found if found is not None and found.opens(key) else None

    async def check(self, key: str | None) -> ApiKey | None:
        """The key that this text opens; None for any other text.

        Raises `DatabaseUnavailable` where only the database could tell.
        """
        match = KEY.fullmatch(key or "")
        if key is None or match is None:
            return None
        known = self._own.get(match[1]) or await self._find(match[1])
        return known if known is not None and known.opens(key) else None

    async def _find(self, key_id: str) -> ApiKey | None:
        asked = time.monotonic()
        if key_id not in self._stored or asked - self._read_at > FRESH:
            async with self._reading:  # one reader; the others take what it found
                if self._read_at < asked:
                    await asyncio.sleep(max(0.0, self._read_at + PACE - time.monotonic()))
                    begun = time.monotonic()
                    found = await run_in_threadpool(list_keys, self._database())
                    self._stored, self._read_at = {one.id: one for one in found}, begun
        return self._stored.get(key_id)


class Needs:
    """Dependency of routes that keys of one role, or of a higher one, may use."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(self, request: Request, _: Annotated[str | None, Security(header)]) -> None:
        """The OpenAPI document has the header from here; `api.web.routing.Route` has called `admit` before."""
        await self.admit(request)

    async def admit(self, request: Request) -> None:
        """Let the request through once. Raises a 401 without a key that is known, a 403 where its role is lower."""
        if getattr(request.state, "admitted", None) == self.role:
            return
        found = await request.app.state.keys.check(request.headers.get(header.model.name))
        if found is None:
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "no valid API key: send one in the header X-API-Key (twohop keys create)",
                {"WWW-Authenticate": "ApiKey"},
            )
        request.state.key = found.id
        if ROLES.index(found.role) < ROLES.index(self.role):
            raise HTTPException(HTTPStatus.FORBIDDEN, f"this key's role is {found.role}: the request needs {self.role}")
        request.state.admitted = self.role


def needs(role: Role) -> Any:
    """What a router or a route names: `dependencies=[needs("read")]`."""
    return Security(Needs(role))
