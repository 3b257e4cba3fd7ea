"""What the tests of the app share: a moment, the gazetteer, a world that does as it is told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from analysis.models import Strategy
from project.core.callers import Caller
from tests.analysis import doing, gazetteers
from tests.analysis.factories import make_strategy, make_unlimited_user


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


@pytest.fixture
def default_strategy(db: Any) -> Strategy:
    """The default, which tests with transactions of their own empty out."""
    found = Strategy.objects.filter(is_default=True).first()
    return found or make_strategy(name="offline", is_default=True)


@pytest.fixture
def caller(default_strategy: Strategy) -> Caller:
    """A plain user without quotas."""
    return Caller(user_id=make_unlimited_user().pk)


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
