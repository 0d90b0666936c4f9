"""The OpenAPI document is true: Schemathesis sends what it allows and what it forbids, and checks all that comes back.

`TWOHOP_EXAMPLES` is the number of requests it makes up for each operation.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.schemas import BaseSchema
from starlette.types import Receive, Scope, Send

from graph.driver import Database
from tests.api.conftest import Line, enter
from tests.api.shop_intents import linked_intents
from tests.api.web.conftest import kept, open_client, take_time

EXAMPLES = int(os.environ.get("TWOHOP_EXAMPLES", "10"))
headers: dict[str, str] = {}
# The ids that the document gives as examples are there, so that its examples lead somewhere.
SHOP = """
MERGE (u:User {id: '1'}) MERGE (i:Item {id: '1082185'}) MERGE (n:BrowseNode {id: 'GROCERY'})
"""


@pytest.fixture(scope="module")
def document(line: Line, database: Database) -> Iterator[BaseSchema]:
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, line.folder, line.environment)
        take_time(patch)
        with kept(database), linked_intents(line, database), open_client("admin") as client:
            database.write(SHOP)
            headers.update({"X-API-Key": str(client.headers["X-API-Key"])})
            app: Any = client.app

            async def running(scope: Scope, receive: Receive, send: Send) -> None:
                """It is started already: Schemathesis need not."""
                if scope["type"] == "lifespan":
                    while True:
                        kind = (await receive())["type"]
                        await send({"type": f"{kind}.complete"})
                        if kind == "lifespan.shutdown":
                            return
                await app(scope, receive, send)

            yield schemathesis.openapi.from_asgi("/openapi.json", running)


schema = schemathesis.pytest.from_fixture("document")


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 10, suppress_health_check=list(HealthCheck))
@pytest.mark.timeout(600 + 30 * EXAMPLES)
def test_an_operation(case: schemathesis.Case) -> None:
    case.call_and_validate(headers=headers)
