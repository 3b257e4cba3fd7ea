import copy
from types import SimpleNamespace

import pytest

from project.core import checks
from project.db import library


@pytest.fixture
def ids(settings, monkeypatch):
    """Return what tells which problems there are with changed settings."""

    def check(**changes):
        databases = copy.deepcopy(settings.DATABASES)
        databases["default"] |= changes
        monkeypatch.setattr(checks, "settings", SimpleNamespace(DATABASES=databases))
        return [found.id for found in checks.databases(None)]

    return check


def test_settings_as_they_are_pass(ids):
    assert ids() == []


def test_lasting_connections_are_refused(ids):
    assert ids(CONN_MAX_AGE=60) == ["core.E001"]


def test_a_transaction_for_every_request_is_refused(ids):
    assert ids(ATOMIC_REQUESTS=True) == ["core.E002"]


def test_library_with_the_wal_reset_bug_is_warned_of(ids, settings, monkeypatch):
    monkeypatch.setattr(library, "is_fixed", lambda: False)

    expected = ["core.W001"] if "sqlite" in settings.DATABASES["default"]["ENGINE"] else []
    assert ids() == expected
