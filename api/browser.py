"""The queries of `cypher/` as text to paste into Neo4j Browser: parameters filled in, nothing to set before."""

import re
from typing import Any

from graph.statements import statement

PARAMETER = re.compile(r"\$(\w+)")


def query_text(name: str, **parameters: Any) -> str:
    """The query `name` with these values in the place of its parameters, for people to read and paste.

    What Twohop runs itself takes its parameters apart from the text. Raises `KeyError` for a missing one.
    """
    lines = statement(name, "cypher").strip().splitlines()
    kept = [line for line in lines if not line.startswith("// :param")]
    return PARAMETER.sub(lambda found: literal(parameters[found[1]]), "\n".join(kept))


def literal(value: Any) -> str:
    """A value as Cypher writes it."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    return repr(value)
