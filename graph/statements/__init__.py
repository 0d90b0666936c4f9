"""Cypher of the writers, the snapshot and the generations: one statement a file, read by name."""

from functools import cache
from importlib.resources import files


@cache
def statement(name: str, package: str = __name__) -> str:
    """Text of `<name>.cypher` in `package`; the comment header is kept, Neo4j ignores it."""
    return files(package).joinpath(f"{name}.cypher").read_text(encoding="utf-8")
