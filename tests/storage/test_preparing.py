"""Making the tables of a move's target; `test_moving.py` moves the whole product."""

import subprocess
from typing import Any

import pytest

from project.storage import preparing
from project.storage.errors import MoveFailedError


def test_prepare_says_why_it_did_not_work(monkeypatch):
    monkeypatch.setenv("ENVIRONMENT", "nonsense")

    with pytest.raises(MoveFailedError, match="nonsense"):
        preparing.prepare("postgres://127.0.0.1:1/x", calls={})


def test_prepare_names_the_database_by_the_environment_alone(monkeypatch):
    seen: dict[str, Any] = {}

    def run(words, **how):
        seen.update(how, words=words)
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(subprocess, "run", run)

    preparing.prepare("postgres://u:secret@h/d", calls={"a.b": [(1, 2)]})

    assert "secret" not in " ".join(seen["words"])
    assert seen["env"]["DATABASE_URL"] == "postgres://u:secret@h/d"
    assert seen["input"] == '{"a.b": [[1, 2]]}'
