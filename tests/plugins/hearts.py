"""Decides that a heart begun by a test starts nothing else: no sampler writes rows meanwhile."""

import pytest

from project.core import processes


@pytest.fixture(autouse=True)
def _hearts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_with_heart", [])
