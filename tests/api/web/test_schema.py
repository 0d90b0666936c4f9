"""The OpenAPI document is true: Schemathesis sends what it allows and what it forbids, and checks all that comes back.

`TWOHOP_EXAMPLES` is the number of requests it makes up for each operation.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, CheckContext
from schemathesis.core.transport import Response
from starlette.types import Receive, Scope, Send

from api.web.app import create_app
from api.web.bodies import STREAM
from graph.driver import Database
from graph.settings import Settings
from tests.api.conftest import Line, enter
from tests.api.shop_intents import linked_intents
from tests.api.web.conftest import kept, open_client, take_time

EXAMPLES = int(os.environ.get("TWOHOP_EXAMPLES", "10"))
# The ids that the document gives as examples are there, so that its examples lead somewhere.
SHOP = """
MERGE (:User {id: '1'}) MERGE (:Item {id: '1082185'})
MERGE (n:BrowseNode {id: 'GROCERY'}) SET n.name = 'Grocery', n.level = 1, n.tree = 'small-shop'
"""
# Of a stream the document cannot say what its lines are, and a line that is no good does not refuse the others.
LEFT_OUT = {False: ["positive_data_acceptance"], True: ["positive_data_acceptance", "negative_data_rejection"]}
# Schemathesis learns ids from replies: what the shop had before is not to be changed or deleted.
STANDING = "MATCH (n) WHERE n:User OR n:Item OR n:BrowseNode RETURN n.id AS id"
standing: set[str] = set()
headers: dict[str, str] = {}
apps: list[Any] = [create_app(Settings(_env_file=None, neo4j_uri="bolt://127.0.0.1:9"))]  # it gives the document


async def newest(scope: Scope, receive: Receive, send: Send) -> None:
    """The last one of `apps`, which is started already."""
    if scope["type"] == "http":
        await apps[-1](scope, receive, send)
        return
    kind = ""
    while kind != "lifespan.shutdown":
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})


def what_the_document_allows_is_refused_only_by_the_graph(
    _: CheckContext, response: Response, case: schemathesis.Case
) -> None:
    """A document says nothing of what is stored, nor of two fields that contradict each other."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 422):
        return
    errors = response.json().get("errors", [])
    # To JSON Schema 3.0 is an integer as well; here it is none. And a document knows no clock.
    beyond = ("valid integer", "the time lies")
    known = [
        error
        for error in errors
        if error["where"] in ("body", "query") or any(words in error["why"] for words in beyond)
    ]
    if len(known) < len(errors):
        raise AssertionError(f"the document allows what is refused: {errors}")


@schemathesis.serializer(STREAM)
def lines(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


schema = schemathesis.openapi.from_asgi("/openapi.json", newest)


@pytest.fixture(scope="module", autouse=True)
def running(line: Line, database: Database) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, line.folder, line.environment)
        take_time(patch)
        with linked_intents(line, database), kept(database), open_client("admin") as client:
            standing.update(row["id"] for row in database.read(STANDING))
            database.write(SHOP)
            headers.update({"X-API-Key": str(client.headers["X-API-Key"])})
            apps.append(client.app)
            yield
            apps.pop()


def of_operation(label: str) -> Callable[[schemathesis.Case], None]:
    """A test of one operation, such as `GET /users`."""

    @schema.include(name=label).parametrize()
    @settings(max_examples=EXAMPLES, derandomize=EXAMPLES <= 10, suppress_health_check=list(HealthCheck))
    @pytest.mark.timeout(600 + 30 * EXAMPLES)
    def test(case: schemathesis.Case) -> None:
        if case.method != "GET" and standing & {str(value) for value in (case.path_parameters or {}).values()}:
            return
        case.call_and_validate(
            headers=headers,
            excluded_checks=[CHECKS.get_one(name) for name in LEFT_OUT[case.media_type == STREAM]],
            additional_checks=[what_the_document_allows_is_refused_only_by_the_graph],
        )

    return test


# One function for all would give all its tests the same id, of which pytest-xdist runs only one.
for operation in schema.get_all_operations():
    label = operation.ok().label
    globals()["test_" + re.sub(r"\W+", "_", label).strip("_").lower()] = of_operation(label)
