"""Who may do what: the header X-API-Key, its role, and the dependency that each router names."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from cachetools import TTLCache
from fastapi import Request, Security
from fastapi.security import APIKeyHeader
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from graph.driver import Database
from graph.keys import KEY, ROLES, ApiKey, Role, find_key, hash_key, new_key

FRESH = 5.0  # seconds for which a key that was found is not looked up again: a revoked one works no longer than that
KNOWN = 10_000  # keys kept

header = APIKeyHeader(name="X-API-Key", auto_error=False, description="made by `twohop keys create`")


class Keys:
    """Keys by their id: those in the graph, and those made for the life of this process only."""

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database
        self._found: TTLCache[str, ApiKey] = TTLCache(KNOWN, FRESH)
        self._own: dict[str, ApiKey] = {}

    def make_own(self, role: Role) -> str:
        """A key that no database knows and that ends with the process."""
        key_id, key = new_key()
        self._own[key_id] = ApiKey(key_id, "this process", role, hash_key(key))
        return key

    async def check(self, key: str | None) -> ApiKey | None:
        """The stored key that this one is; None for any other text."""
        match = KEY.fullmatch(key or "")
        if key is None or match is None:
            return None
        key_id = match[1]
        stored = self._own.get(key_id) or self._found.get(key_id)
        if stored is None:
            stored = await run_in_threadpool(find_key, self._database(), key_id)
            if stored is not None:
                self._found[key_id] = stored
        return stored if stored is not None and stored.opens(key) else None


def needs(role: Role) -> Any:
    """Dependency of routes that keys of this role, or of a higher one, may use."""

    async def check(request: Request, key: Annotated[str | None, Security(header)]) -> None:
        found = await request.app.state.keys.check(key)
        if found is None:
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "no valid API key: send one in the header X-API-Key (twohop keys create)",
                {"WWW-Authenticate": "ApiKey"},
            )
        if ROLES.index(found.role) < ROLES.index(role):
            raise HTTPException(HTTPStatus.FORBIDDEN, f"this key's role is {found.role}: the request needs {role}")
        request.state.key = found.id

    return Security(check)
