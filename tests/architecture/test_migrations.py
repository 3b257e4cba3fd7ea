"""What migrations may do to tables that hold data already."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.places import ROOT

#: Written before the first release, and put into pieces by the next migration.
OF_OLD = {"markets/migrations/0003_findings.py: qualitysummary"}


def migrations() -> Iterator[tuple[Path, list[ast.Call]]]:
    for path in sorted(ROOT.glob("*/migrations/0*.py")) + sorted(ROOT.glob("*/*/migrations/0*.py")):
        if ".venv" not in path.parts:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield path, [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def named(call: ast.Call, key: str) -> str:
    words = {word.arg: word.value for word in call.keywords}
    value = words.get(key) or (call.args[0] if call.args else None)
    return str(value.value).lower() if isinstance(value, ast.Constant) else ""


def test_indexes_on_tables_in_use_are_made_online():
    blocking = []
    for path, calls in migrations():
        by_name = [(ast.unparse(call.func).rpartition(".")[2], call) for call in calls]
        created = {named(call, "name") for name, call in by_name if name == "CreateModel"}
        blocking += [
            f"{path.relative_to(ROOT)}: {named(call, 'model_name')}"
            for name, call in by_name
            if name == "AddIndex" and named(call, "model_name") not in created
        ]

    assert len(list(migrations())) > 10
    assert set(blocking) == OF_OLD, "use project.db.indexes.AddIndexOnline"
