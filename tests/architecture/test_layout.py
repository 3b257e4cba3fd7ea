"""The shape of the code base itself."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.places import APPS, ROOT, App, imports, name_of, parsed, sources

pytestmark = pytest.mark.once

SOURCES = list(sources())
MOST_LINES = 400
MOST_LINES_OF_TESTS = 600
VAGUE = {"utils", "helpers", "services", "managers", "misc", "common"}


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_modules_are_short():
    long = [name_of(path) for path in SOURCES if text_of(path).count("\n") > MOST_LINES]
    tests = [path for path in sources("tests") if text_of(path).count("\n") > MOST_LINES_OF_TESTS]

    assert (long, [name_of(path) for path in tests]) == ([], [])


def test_modules_say_what_they_are_for():
    silent = [
        name_of(path)
        for path in SOURCES
        if text_of(path).strip() and not ast.get_docstring(parsed(path))
    ]

    assert len(SOURCES) > 100
    assert silent == []


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.path)
def test_every_verb_has_its_test_module(app: App):
    tests = {
        path.stem.removeprefix("test_")
        for folder in app.tests
        for path in (ROOT / "tests" / folder).rglob("test_*.py")
    }

    assert sorted(app.verbs - tests) == []


def test_rest_framework_stays_in_api_packages():
    elsewhere = [
        name_of(path)
        for path in SOURCES
        if "api" not in path.parts
        and any(name.split(".")[0] == "rest_framework" for name in imports(path))
    ]

    assert elsewhere == []


def test_names_say_what_is_decided():
    assert [name_of(path) for path in SOURCES if path.stem in VAGUE] == []


def test_product_knows_nothing_of_its_tests():
    knowing = [
        name_of(path)
        for path in SOURCES
        if any(name.split(".")[0] == "tests" for name in imports(path))
    ]

    assert knowing == []
