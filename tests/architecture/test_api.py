"""Rules that every endpoint keeps."""

import logging
from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from project.core.api.permissions import DenyAll
from tests.architecture.places import APPS

METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}


def endpoints() -> list[tuple[str, Any]]:
    """Return the addresses of our own views, each with its class."""
    generator = SchemaGenerator()
    generator._initialise_endpoints()
    found = [(found[0], found[-1].cls) for found in generator.endpoints or ()]
    return [(path, view) for path, view in found if any(app.owns(view.__module__) for app in APPS)]


@pytest.fixture(scope="module")
def schema() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)


def operations(schema: Any) -> list[tuple[str, str, Any]]:
    return [
        (method, path, item[method])
        for path, item in schema["paths"].items()
        for method in METHODS & set(item)
    ]


def test_every_endpoint_names_its_permission():
    silent = [
        path
        for path, view in endpoints()
        if DenyAll in view.permission_classes or not view.permission_classes
    ]

    assert endpoints()
    assert silent == []


def test_schema_builds_without_warnings(capsys, caplog):
    caplog.set_level(logging.WARNING)
    with GENERATOR_STATS.silence():
        pass
    GENERATOR_STATS.reset()

    SchemaGenerator().get_schema(request=None, public=True)

    assert capsys.readouterr().err == ""
    assert (list(GENERATOR_STATS._warn_cache), list(GENERATOR_STATS._error_cache)) == ([], [])


def test_every_operation_has_a_summary_and_a_name_of_its_own(schema):
    found = [one for one in operations(schema) if not one[1].endswith("/schema/")]
    names = [operation["operationId"] for _, _, operation in found]

    assert [one[:2] for one in found if not one[2].get("summary")] == []
    assert len(names) == len(set(names))


def test_every_operation_that_needs_a_caller_says_what_refusals_look_like(schema):
    for method, path, operation in operations(schema):
        if path.endswith("/schema/") or not any(operation.get("security", [])):
            continue
        refusals = operation["responses"]
        assert "401" in refusals, (method, path)
        assert "application/problem+json" in refusals["401"]["content"], (method, path)


def test_addresses_have_no_trailing_slash(schema):
    ours = {"/api/schema/", "/api/docs/", "/api/etl/"}  # as the contract writes them

    assert [path for path in schema["paths"] if path.endswith("/") and path not in ours] == []


@pytest.mark.django_db
def test_no_endpoint_answers_nobody_by_mistake(schema, client):
    """Whatever says that it needs a caller turns everybody else away."""
    for method, path, operation in operations(schema):
        if path.endswith("/stream") or not any(operation.get("security", [])):
            continue
        if {} in operation["security"]:
            continue
        filled = _filled(path, operation)
        answer = client.generic(method.upper(), filled)
        assert answer.status_code == 401, (method, filled, answer.status_code)


def _filled(path: str, operation: Any) -> str:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            schema = parameter["schema"]
            is_number = schema.get("type") == "integer"
            value = "1" if is_number else "5f8b0b8e-0000-4000-8000-000000000000"
            path = path.replace("{" + parameter["name"] + "}", value)
    return path
