"""Decides that no test writes behind what another one noted."""

import pytest

from accounts import noting


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    noting._noted.clear()
    noting._waiting.clear()
