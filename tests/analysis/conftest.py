"""What the tests of the app share."""

from datetime import UTC, datetime

import pytest

from tests.analysis import gazetteers


@pytest.fixture
def now():
    return datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def whole_gazetteer():
    """Return the whole gazetteer; the first test process of a machine compiles it."""
    return gazetteers.whole()
