"""Decides that no test finds what another one cached."""

import pytest
from django.core.cache import caches


@pytest.fixture(autouse=True)
def _caches_empty() -> None:
    for name in ("default", "shared"):
        caches[name].clear()
