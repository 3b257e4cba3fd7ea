"""Faults of the catalogue that really happen: each is provoked, watched and called by its name."""

import contextlib
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from django.db import DatabaseError, OperationalError, connections, transaction

from project.db import diagnosing
from project.db.stress.scratch import Account, Entry
from project.db.watching import Watch
from tests.db import files, making


class Watcher:
    """Takes snapshots of one alias as the watch of a process does."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.watch = Watch(alias, heals=False)
        self.watch.tick()

    @property
    def path(self) -> Path:
        return Path(connections[self.alias].settings_dict["NAME"])

    def names(self) -> list[str]:
        self.watch.tick()
        return [finding.name for finding in self.watch.findings]

    def place(self, name: str) -> str:
        return next(finding.place for finding in self.watch.findings if finding.name == name)


@pytest.fixture
def watcher(make_database):
    return Watcher(make_database(leak_after=0.3, timeout=0.3, max_size=4))


def holding(alias: str, *, count: int = 1, writes: bool = False):
    """Hold connections in threads of their own; returns what lets them go."""
    over, inside = threading.Event(), threading.Barrier(count + 1)

    def hold() -> None:
        try:
            with transaction.atomic(using=alias) if writes else contextlib.nullcontext():
                Account.objects.using(alias).count()
                inside.wait(5)
                over.wait(20)
        finally:
            connections[alias].close()

    threads = [threading.Thread(target=hold) for _ in range(count)]
    for thread in threads:
        thread.start()
    inside.wait(5)

    def let_go() -> None:
        over.set()
        for thread in threads:
            thread.join()

    return let_go


def test_overwritten_file(watcher):
    making.wrapper(watcher.alias).close_pool()
    watcher.path.write_bytes(b"this is no database" * 100)
    Path(f"{watcher.path}-wal").unlink(missing_ok=True)

    with pytest.raises(DatabaseError):
        Account.objects.using(watcher.alias).count()

    assert watcher.names()[0] == "file_damaged"


def test_full_disk(watcher):
    with connections[watcher.alias].cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OperationalError, match="full"):
            Entry.objects.using(watcher.alias).bulk_create(
                [Entry(account_id=1, amount=1, note="x" * 100) for _ in range(2000)]
            )

    assert watcher.names()[0] == "disk_full"


def test_folder_that_is_gone(tmp_path, make_database):
    (tmp_path / "folder").mkdir()
    watcher = Watcher(make_database(file="folder/gone.sqlite3"))
    making.wrapper(watcher.alias).close_pool()
    watcher.watch.tick()
    watcher.watch.series.clear()
    watcher.watch.tick()
    shutil.rmtree(tmp_path / "folder")

    with pytest.raises(OperationalError, match="unable to open"):
        Account.objects.using(watcher.alias).count()

    assert watcher.names()[0] == "cannot_connect"
    (tmp_path / "folder").mkdir()


def test_raw_connections_closed_behind_the_pool(watcher):
    Account.objects.using(watcher.alias).count()
    making.wrapper(watcher.alias).connection.close()
    with pytest.raises(DatabaseError):
        Account.objects.using(watcher.alias).count()
    connections[watcher.alias].close()

    assert watcher.names()[0] == "cannot_connect"


def test_threads_that_end_without_closing(watcher):
    thread = threading.Thread(target=Account.objects.using(watcher.alias).count)
    thread.start()
    thread.join()

    assert watcher.names()[0] == "abandoned"


def test_transaction_that_waits_for_something(watcher, monkeypatch):
    monkeypatch.setattr(diagnosing, "_STUCK_WRITE_S", 0.2)
    let_go = holding(watcher.alias, writes=True)
    time.sleep(0.25)

    names = watcher.names()
    let_go()

    assert names[0] == "slow_writer"
    assert watcher.place("slow_writer").startswith("tests/db/test_faults.py:")


def test_leak(watcher):
    let_go = holding(watcher.alias, count=3)
    time.sleep(0.35)

    names = watcher.names()
    let_go()

    assert names == ["leak"]
    assert watcher.place("leak").startswith("tests/db/test_faults.py:")


def test_exhausted_pool(watcher, monkeypatch):
    let_go = holding(watcher.alias, count=4)
    with pytest.raises(OperationalError, match="4 of 4 in use"):
        Account.objects.using(watcher.alias).count()

    names = watcher.names()
    let_go()

    assert "exhausted" in names
    assert watcher.place("exhausted").startswith("tests/db/test_faults.py:")


def test_endless_reader_and_a_growing_wal(watcher, monkeypatch):
    monkeypatch.setattr(diagnosing, "_LARGE_WAL_BYTES", 1_000_000)
    monkeypatch.setattr(diagnosing, "_LONG_READ_S", 0.1)
    reader = sqlite3.connect(watcher.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM db_stress_account").fetchone()
    Entry.objects.using(watcher.alias).bulk_create(
        [Entry(account_id=1, amount=1, note="x" * 100) for _ in range(20_000)]
    )
    connections[watcher.alias].close()
    assert "wal_growing" in watcher.names()  # the reader is another program

    let_go = holding(watcher.alias)
    time.sleep(0.15)
    names = watcher.names()
    let_go()
    reader.close()

    assert "wal_pinned" in names
    assert "wal_growing" not in names


def test_two_aliases_on_one_file(watcher):
    settings = files.sqlite_settings(watcher.path)
    with making.database("twin", settings):
        twin = Watcher("twin")
        with transaction.atomic(using=watcher.alias), pytest.raises(OperationalError):
            Account.objects.using("twin").update(balance=1)

        assert twin.names()[0] == "deadlock"


def test_read_transaction_turned_into_a_write(watcher):
    settings = files.sqlite_settings(watcher.path)
    settings["OPTIONS"]["transaction_mode"] = "DEFERRED"
    with making.database("deferred", settings):
        deferred = Watcher("deferred")

        def read_then_write() -> None:
            with transaction.atomic("deferred"):
                Account.objects.using("deferred").count()
                with contextlib.closing(sqlite3.connect(watcher.path)) as other:
                    other.execute("UPDATE db_stress_account SET balance = 5")
                    other.commit()
                Account.objects.using("deferred").update(balance=1)

        with pytest.raises(OperationalError, match="locked"):
            read_then_write()

        assert deferred.names()[0] == "deadlock"


def test_shell_that_holds_the_lock(tmp_path, django_db_blocker):
    settings = files.sqlite_settings(tmp_path / "locked.sqlite3")
    settings["OPTIONS"]["timeout"] = 0.1
    with django_db_blocker.unblock(), making.filled("locked", settings):
        watcher = Watcher("locked")
        with contextlib.closing(sqlite3.connect(watcher.path, isolation_level=None)) as shell:
            shell.execute("BEGIN IMMEDIATE")
            with pytest.raises(OperationalError, match="locked"):
                Account.objects.using("locked").update(balance=1)

        assert watcher.names()[0] == "locked_out"


def test_code_that_sets_pragmas(watcher):
    for _ in range(5):
        with connections[watcher.alias].cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -100")
        connections[watcher.alias].close()

    assert watcher.names()[0] == "unstable"


def test_restored_file(watcher, tmp_path, monkeypatch):
    monkeypatch.setattr("project.db.sqlite.pooling._LOOK_AT_FILE_EVERY_S", 0)
    Account.objects.using(watcher.alias).update(balance=1)
    connections[watcher.alias].close()
    making.wrapper(watcher.alias).fold_wal()
    shutil.copy(watcher.path, tmp_path / "copy")
    Account.objects.using(watcher.alias).update(balance=2)
    connections[watcher.alias].close()
    making.wrapper(watcher.alias).fold_wal()
    (tmp_path / "copy").replace(watcher.path)

    assert Account.objects.using(watcher.alias).get(pk=1).balance == 1
    connections[watcher.alias].close()
    assert watcher.names() == ["file_replaced"]


def test_migration_that_was_not_applied(watcher):
    with connections[watcher.alias].cursor() as cursor:
        cursor.execute("DROP TABLE db_stress_entry")
    for _ in range(30):
        with pytest.raises(OperationalError, match="no such table"):
            Entry.objects.using(watcher.alias).count()
        connections[watcher.alias].close()

    assert watcher.names()[0] == "error_rate"


def test_old_library(watcher, monkeypatch):
    monkeypatch.setattr("project.db.library.version", lambda: "3.40.1")

    assert watcher.names() == ["old_library"]
