"""What the tests of the app share: a moment, the gazetteer, a world that does as it is told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.analysis import doing, gazetteers


@pytest.fixture
def now():
    return datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def whole_gazetteer():
    """Return the whole gazetteer; the first test process of a machine compiles it."""
    return gazetteers.whole()


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> doing.Outside:
    """A site, an extractor and a geocoder beyond the app."""
    found = doing.Outside()
    found.install(monkeypatch.setattr)
    return found


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
