"""What Neo4j Browser takes from Twohop: queries and scripts as text to paste, and the style."""

import re
from collections.abc import Collection
from typing import Any

from graph.browser import read_page
from graph.statements import statement

PARAMETER = re.compile(r"\$(\w+)")
FIRST_WEIGHT = re.compile(r"\{\w+_1\}")
HEADER = re.compile(r"^// :param (\w+) => (.+?);", re.MULTILINE)


def query_text(name: str, **parameters: Any) -> str:
    """The query `name` with these values in the place of its parameters, for people to read and paste.

    What Twohop runs itself takes its parameters apart from the text. Raises `KeyError` for a missing one.
    """
    return PARAMETER.sub(lambda found: literal(parameters[found[1]]), _without_header(name))


def asked_of(name: str) -> dict[str, str]:
    """The parameters of the query `name`, with the values of its header as Cypher."""
    return dict(HEADER.findall(statement(name, "cypher")))


def script(name: str, kept: Collection[str]) -> str:
    """The query `name` as a saved script: numbers and switches as its header gives them, filled in.

    Parameters of the names `kept` stay, where the header gives them an id or ids: what the query is about is set once
    for all scripts.
    """
    values = asked_of(name)

    def fill(found: re.Match[str]) -> str:
        value = values[found[1]]
        return found[0] if found[1] in kept and value[0] in "'[" else value

    return PARAMETER.sub(fill, _without_header(name))


def _without_header(name: str) -> str:
    lines = statement(name, "cypher").strip().splitlines()
    return "\n".join(line for line in lines if not line.startswith("// :param"))


def style(weight_property: str) -> str:
    """Browser's style; a caption that is the weight of the first generation becomes this generation's."""
    return FIRST_WEIGHT.sub(f"{{{weight_property}}}", read_page("style.grass", "").decode())


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
