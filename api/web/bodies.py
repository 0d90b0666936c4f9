"""Bodies of requests as strict JSON: what it cannot be is a 422, never a crash."""

import json
from math import isfinite
from typing import Any

from fastapi import Request
from pydantic_core import from_json

MEDIA_TYPE = "application/json"
STREAM = "application/x-ndjson"  # one JSON document a line


class StrictRequest(Request):
    """A request whose JSON means the same to everybody who reads it."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = parse_json(await self.body())
        return self._json


def parse_json(body: bytes) -> Any:
    """JSON in UTF-8 as RFC 8259 has it, where all readers agree on what it means.

    Raises `json.JSONDecodeError` also for NaN, numbers beyond a float, lone surrogates, no UTF-8, nesting deeper than
    200 levels, and a name that is twice in one object.
    """
    try:
        from_json(body, allow_inf_nan=False)  # strict, but it takes a name twice, and 1e999
        return json.loads(body, object_pairs_hook=_once, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(str(error), "", 0) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice in one object")
    return found


def _finite(number: str) -> float:
    if not isfinite(value := float(number)):
        raise ValueError("a number is too large")
    return value
