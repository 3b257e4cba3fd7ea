"""Decides that no test finds what another one cached."""

import pytest
from django.core.cache import caches

from project.core import closing


@pytest.fixture(autouse=True)
def _caches_empty() -> None:
    for name in ("default", "shared"):
        caches[name].clear()


@pytest.fixture(autouse=True)
def _open_to_clients() -> None:
    closing.forget()
