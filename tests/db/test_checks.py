import pytest
from django.conf import settings

from project.db import checks, library
from tests.db import files


def ids(found) -> list[str]:
    return [message.id for message in found]


@pytest.fixture
def set_databases(monkeypatch):
    """Give a function that replaces DATABASES, of which Django's own override warns."""
    return lambda databases: monkeypatch.setattr(settings, "DATABASES", databases)


@pytest.fixture
def good(tmp_path, set_databases):
    database = files.sqlite_settings(tmp_path / "a.sqlite3")
    set_databases({"default": database})
    return database


def test_good_settings_pass(good):
    assert checks.check_databases() == []


def test_other_engines_are_not_judged(set_databases):
    set_databases({"default": {"ENGINE": "django.db.backends.sqlite3", "CONN_MAX_AGE": 9}})

    assert checks.check_databases() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CONN_MAX_AGE", None, "db.E001"),
        ("ATOMIC_REQUESTS", True, "db.E002"),
        ("OPTIONS", {}, "db.W001"),
        ("OPTIONS", {"transaction_mode": "deferred"}, "db.W001"),
    ],
)
def test_wrong_settings_are_named(good, name, value, expected):
    good[name] = value

    assert ids(checks.check_databases()) == [expected]


def test_two_aliases_on_one_file_are_named(good, set_databases):
    set_databases({"default": good, "other": dict(good)})

    assert ids(checks.check_databases()) == ["db.W002"]


def test_old_library_is_named(good, monkeypatch):
    monkeypatch.setattr(library, "version", lambda: "3.40.1")

    assert ids(checks.check_databases()) == ["db.W003"]
