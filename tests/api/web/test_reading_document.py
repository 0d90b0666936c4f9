"""The OpenAPI document of the reading routes: examples that are true to their models, bounds and descriptions."""

from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from api.web.app import create_app
from api.web.routes import items, sessions, users

ROUTES = [route for module in (users, items, sessions) for route in module.router.routes if isinstance(route, APIRoute)]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app().openapi()


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_the_example_of_the_answer_is_one(document: dict[str, Any], route: APIRoute) -> None:
    operation = document["paths"][route.path.replace(":path", "")][next(iter(route.methods)).lower()]
    assert operation["operationId"].isidentifier()
    assert operation["description"]
    [content] = operation["responses"]["200"]["content"].values()
    examples = resolve(document, content["schema"])["examples"]
    for example in examples:
        made = TypeAdapter(route.response_model).validate_python(example)
        assert TypeAdapter(route.response_model).dump_python(made, mode="json", exclude_unset=True) == example


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_every_parameter_is_bounded_and_described(document: dict[str, Any], route: APIRoute) -> None:
    operation = document["paths"][route.path.replace(":path", "")][next(iter(route.methods)).lower()]
    for parameter in operation.get("parameters", []):
        assert parameter["description"], parameter["name"]
        for schema in parameter["schema"].get("anyOf", [parameter["schema"]]):
            bounded = {
                "string": {"maxLength", "enum"}, "integer": {"maximum"}, "number": {"maximum"}, "array": {"maxItems"},
                "boolean": {"type"}, "null": {"type"},
            }  # fmt: skip
            assert bounded[schema["type"]] & set(schema), parameter["name"]


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    found = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(set(found)) == len(found)
