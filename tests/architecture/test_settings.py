"""Every environment variable that is read is documented, and no other."""

import ast
import re

import pytest

from tests.architecture.places import ROOT, parsed, sources

pytestmark = pytest.mark.once

READERS = {"made", "text", "flag", "one_of", "number", "numbers", "whole", "words", "url", "scaled"}
#: Read by the compose file alone.
OF_COMPOSE = {"POSTGRES_PASSWORD", "GRAFANA_PASSWORD"}
#: Told by one process of ours to another, or by the machine; nobody sets them.
INTERNAL = {
    "DJANGO_SETTINGS_MODULE",
    "HOME",
    "MILLRACE_RESTARTS",
    "MILLRACE_ROLE",
    "PATH",
    "PROMETHEUS_MULTIPROC_DIR",
    "PYTHONPATH",
}


def literal(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def is_environ(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "environ"


def read_by(node: ast.AST) -> str:
    """Return the name of the variable that an expression reads; empty where it reads none."""
    if isinstance(node, ast.Subscript) and is_environ(node.value):
        return literal(node.slice)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return ""
    of_env = isinstance(node.func.value, ast.Name) and node.func.value.id == "env"
    if of_env and node.func.attr in READERS:
        return literal(node.args[0])
    if is_environ(node.func.value) and node.func.attr == "get":
        return literal(node.args[0])
    is_getenv = node.func.attr == "getenv"
    return literal(node.args[0]) if is_getenv else ""


def variables() -> list[str]:
    """Return the names of all variables that the product reads."""
    found = {read_by(node) for path in sources() for node in ast.walk(parsed(path))}
    return sorted((found | {"ENVIRONMENT"}) - INTERNAL - {""})


def test_configuration_lists_every_variable():
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([A-Z0-9_]+)` \|", text, re.MULTILINE)

    assert sorted(listed) == variables()
    assert len(listed) == len(set(listed))


def test_example_lists_every_variable():
    text = (ROOT / "deploy" / ".env.example").read_text(encoding="utf-8")
    listed = re.findall(r"^(?:# )?([A-Z0-9_]+)=", text, re.MULTILINE)

    assert sorted(set(listed) - OF_COMPOSE) == variables()
    assert set(listed) >= OF_COMPOSE
    assert len(listed) == len(set(listed))


def test_example_leaves_no_secret_filled_in():
    text = (ROOT / "deploy" / ".env.example").read_text(encoding="utf-8")
    secrets = re.findall(
        r"^(?:# )?([A-Z0-9_]*(?:KEY|KEYS|SECRET|TOKEN)[A-Z0-9_]*)=(.*)$", text, re.M
    )

    assert secrets
    assert [name for name, value in secrets if value.strip()] == []


def test_environment_is_read_in_settings_and_at_the_edges_alone():
    allowed = {"settings", "runtime", "sandbox", "stress", "management"}
    readers = {
        str(path.relative_to(ROOT))
        for path in sources()
        for node in ast.walk(parsed(path))
        if (name := read_by(node)) and name not in INTERNAL and not allowed & set(path.parts)
    }

    assert readers <= {"project/core/version.py"}
