"""Restoring backups."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from project.core.choices import Role
from project.core.models import ProcessHeartbeat
from project.runtime import locking
from project.storage import backing_up, databases, restoring, shelf
from project.storage.adapters import postgres
from project.storage.adapters.postgres import PostgresDatabase
from project.storage.adapters.sqlite import SqliteDatabase
from project.storage.errors import (
    BackupDamagedError,
    NoRoomError,
    StillRunningError,
    WrongTargetError,
)
from project.storage.models import Backup
from tests.storage.factories import NOW
from tests.storage.making import Heard, StoppedError, facts_of, make_sqlite

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made(product):
    backing_up.back_up(progress=Heard(), now=NOW)
    with shelf.locked():
        return backing_up.make(progress=Heard(), now=NOW, with_checksums=True)


def change(product) -> None:
    if product.vendor == "sqlite":
        with closing(sqlite3.connect(product.path)) as database:
            database.execute("DELETE FROM note")
            database.commit()
    else:
        with psycopg.connect(product.dsn) as database:
            database.execute("DELETE FROM note")


def test_restore_brings_back_and_keeps_what_was_there(product, made):
    change(product)
    changed = facts_of(product)

    restored = restoring.restore(made.path, progress=Heard(), now=NOW)

    assert facts_of(product) == (made.facts.counts, made.facts.checksums)
    kept = (
        product.called(restored.kept_as)
        if product.vendor == "postgresql"
        else SqliteDatabase(Path(restored.kept_as))
    )
    assert "before_20261122_020000" in restored.kept_as
    assert facts_of(kept) == changed


def test_restore_into_a_new_database(product, made, folder):
    if product.vendor == "sqlite":
        into = SqliteDatabase(folder.parent / "new.sqlite3")
    else:
        into = product.called(f"{product.name}_new")
    change(product)
    changed = facts_of(product)

    restored = restoring.restore(made.path, progress=Heard(), now=NOW, into=into)

    assert facts_of(into) == (made.facts.counts, made.facts.checksums)
    assert facts_of(product) == changed
    assert restored.kept_as == ""
    with pytest.raises(WrongTargetError, match="exists"):
        restoring.restore(made.path, progress=Heard(), now=NOW, into=into)


@pytest.mark.parametrize("product", ["postgresql"], indirect=True)
@pytest.mark.parametrize("how", ["", " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"])
def test_restored_database_sorts_text_as_the_one_before_it(product, made, how):
    sorting = """
        SELECT datcollate, datctype, to_jsonb(d) ->> 'datlocprovider',
            coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')
        FROM pg_database d WHERE datname = %s
    """
    with product.maintained() as server:
        server.execute(f'DROP DATABASE "{product.name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{product.name}" TEMPLATE template0{how}')
        before = server.execute(sorting, [product.name]).fetchone()

        restoring.restore(made.path, progress=Heard(), now=NOW)

        assert server.execute(sorting, [product.name]).fetchone() == before
    assert facts_of(product) == (made.facts.counts, made.facts.checksums)


@pytest.mark.parametrize("harm", ["cut", "altered"])
def test_restore_refuses_what_was_harmed(product, made, harm):
    content = made.path.read_bytes()
    other = content[:-1] if harm == "cut" else content[:-20] + bytes(20)
    made.path.write_bytes(other)
    before = facts_of(product)

    with pytest.raises(BackupDamagedError):
        restoring.restore(made.path, progress=Heard(), now=NOW)

    assert facts_of(product) == before


@pytest.mark.parametrize(
    "phase", ["reading", "restoring beside", "counting", "putting it in place"]
)
def test_restore_that_is_stopped_leaves_everything_as_it_was(product, made, folder, phase):
    change(product)
    before = facts_of(product)

    with pytest.raises(StoppedError):
        restoring.restore(made.path, progress=Heard(stop_in=phase), now=NOW)

    assert facts_of(product) == before
    if product.vendor == "sqlite":
        assert not list(folder.parent.glob(".*restoring*"))
    else:
        with product.maintained() as server:
            rows = server.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{product.name}%"]
            )
            assert rows.fetchall() == [(product.name,)]


def test_restore_refuses_while_the_installation_runs(product, made, settings):
    before = facts_of(product)
    lock = locking.acquire(settings.DATA_DIR, about="http://here")

    with lock, pytest.raises(StillRunningError, match="http://here"):
        restoring.restore(made.path, progress=Heard(), now=NOW)

    assert facts_of(product) == before


def test_restore_refuses_while_a_process_elsewhere_is_alive(product, made):
    facts = {"host": "other", "pid": 1, "version": "1", "started_at": NOW}
    ProcessHeartbeat.objects.create(
        name="other/1:1:1", role=Role.WORKER, beat_at=timezone.now(), **facts
    )

    with pytest.raises(StillRunningError, match="other/1:1:1"):
        restoring.restore(made.path, progress=Heard(), now=timezone.now())


def test_restore_refuses_while_another_program_has_it_open(product, made, monkeypatch):
    monkeypatch.setattr(postgres, "ALONE_WITHIN_S", 0.3)
    before = facts_of(product)
    other: Any
    if product.vendor == "sqlite":
        other = sqlite3.connect(product.path)
        other.execute("SELECT COUNT(*) FROM note").fetchone()
    else:
        other = psycopg.connect(product.dsn)

    with closing(other), pytest.raises(StillRunningError):
        restoring.restore(made.path, progress=Heard(), now=NOW)

    assert facts_of(product) == before


def test_restore_refuses_another_kind_of_database(product, made, folder):
    other = (
        PostgresDatabase("dbname=x")
        if product.vendor == "sqlite"
        else SqliteDatabase(folder.parent / "x")
    )

    with pytest.raises(WrongTargetError, match="move_database"):
        restoring.restore(made.path, progress=Heard(), now=NOW, into=other)


def test_restore_replaces_a_file_that_is_no_database(folder, monkeypatch):
    database = make_sqlite(folder.parent / "p.sqlite3")
    monkeypatch.setattr(databases, "own", lambda: database)
    with shelf.locked():
        made = backing_up.make(progress=Heard(), now=NOW, with_checksums=True)
    database.path.write_bytes(b"damaged" * 1000)

    restored = restoring.restore(made.path, progress=Heard(), now=NOW)

    assert facts_of(database) == (made.facts.counts, made.facts.checksums)
    assert Path(restored.kept_as).read_bytes() == b"damaged" * 1000


def test_restore_without_room_leaves_everything_as_it_was(product, made, monkeypatch):
    before = facts_of(product)

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(product), "restored", fail)

    with pytest.raises(NoRoomError):
        restoring.restore(made.path, progress=Heard(), now=NOW)

    assert facts_of(product) == before


def test_restore_lets_the_product_know_of_all_backups(product, made):
    Backup.objects.all().delete()

    restoring.restore(made.path, progress=Heard(), now=NOW)

    assert Backup.objects.count() == 2


def test_dump_of_a_database_with_a_password_keeps_it_from_command_lines():
    from project.storage.adapters import programs

    bare, environment = programs._called_with("host=h user=u password=se'cret dbname=d")

    assert "cret" not in bare
    assert environment["PGPASSWORD"] == "se'cret"
