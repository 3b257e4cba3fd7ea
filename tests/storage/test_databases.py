"""Which database is meant."""

from pathlib import Path

import pytest
from django.db import connection
from psycopg.conninfo import conninfo_to_dict

from project.storage import databases
from project.storage.adapters.postgres import PostgresDatabase
from project.storage.adapters.sqlite import SqliteDatabase
from project.storage.errors import WrongTargetError


@pytest.mark.parametrize("url", ["postgres://u:p@h:5/d", "postgresql://u:p@h:5/d"])
def test_named_takes_urls_of_postgresql(url):
    found = databases.named(url)

    assert isinstance(found, PostgresDatabase)
    words = {"user": "u", "password": "p", "host": "h", "port": "5", "dbname": "d"}
    assert conninfo_to_dict(found.dsn) == words
    assert str(found) == "h:5/d"


def test_named_takes_files(tmp_path):
    path = tmp_path / "a.sqlite3"

    assert databases.named(str(path)) == databases.named(f"sqlite://{path}") == SqliteDatabase(path)
    assert databases.named("b.sqlite3") == SqliteDatabase(Path.cwd() / "b.sqlite3")


def test_named_refuses_other_kinds():
    with pytest.raises(WrongTargetError, match="mysql"):
        databases.named("mysql://h/d")


@pytest.mark.django_db
def test_own_is_what_django_runs_on():
    own = databases.own()

    assert own.vendor == connection.vendor
    if isinstance(own, SqliteDatabase):
        assert own.path.exists()
        assert databases.is_own(SqliteDatabase(own.path.parent / "." / own.path.name))
    else:
        assert own.name == connection.settings_dict["NAME"]
    assert databases.is_own(own)
    assert not databases.is_own(SqliteDatabase(Path("/elsewhere")))


def test_own_takes_what_libpq_needs_and_no_more(monkeypatch):
    facts = {
        "NAME": "d",
        "USER": "u",
        "PASSWORD": "p",
        "HOST": "h",
        "PORT": "",
        "OPTIONS": {"sslmode": "require", "pool": {}, "isolation_level": 1},
    }
    fake = type("Fake", (), {"vendor": "postgresql", "settings_dict": facts})
    monkeypatch.setattr(databases, "connections", {"default": fake})

    own = databases.own()

    words = {"user": "u", "password": "p", "host": "h", "dbname": "d", "sslmode": "require"}
    assert conninfo_to_dict(getattr(own, "dsn", "")) == words
