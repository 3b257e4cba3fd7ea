import os
import threading

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from project.db import library, statistics
from project.db.recording import ErrorKind, Event
from project.db.stress.scratch import Account
from tests.db import files, making


def test_snapshot_counts_uses_and_writes(alias):
    before = statistics.snapshot(alias)
    for number in range(10):
        Account.objects.using(alias).filter(pk=1).update(balance=number)
        connections[alias].close()

    after = statistics.snapshot(alias)

    assert after.uses - before.uses == 10
    assert after.events[Event.WRITTEN] - before.events[Event.WRITTEN] == 10
    assert (after.in_use, after.idle, after.size, after.max_size) == (0, 1, 1, 20)
    assert 0 < after.use.p50_s < 1
    assert 0 < after.write.p50_s <= after.write.p99_s < 1
    assert after.process == os.getpid()
    assert after.library == library.version()
    assert after.disk.database_bytes > 0
    assert after.disk.wal_bytes > 0
    assert after.disk.total_bytes > after.disk.free_bytes > 0


def test_snapshot_shows_who_writes_and_who_waits(alias):
    over = threading.Event()

    def write() -> None:
        with transaction.atomic(using=alias):
            over.wait(5)
        connections[alias].close()

    threads = [threading.Thread(target=write, name=f"writer {n}") for n in range(3)]
    for thread in threads:
        thread.start()
    assert making.until(lambda: statistics.snapshot(alias).writers_waiting == 2)

    now = statistics.snapshot(alias)
    over.set()
    for thread in threads:
        thread.join()

    assert now.writer is not None
    assert now.writer.place.startswith("tests/db/test_statistics.py:")
    assert now.writer.thread.startswith("writer ")
    assert now.oldest is not None
    assert now.in_use == 3


def test_snapshot_opens_no_connection(alias):
    before = statistics.snapshot(alias).events
    making.wrapper(alias).close_pool()

    now = statistics.snapshot(alias)

    assert before[Event.OPENED] > 0
    assert (now.size, now.uses, now.events.get(Event.OPENED, 0)) == (0, 0, 0)


def test_snapshot_without_a_pool_is_zero(tmp_path, django_db_blocker):
    settings = {**files.sqlite_settings(tmp_path / "a"), "ENGINE": "django.db.backends.sqlite3"}
    settings["OPTIONS"].pop("pool")
    with django_db_blocker.unblock(), making.database("stock", settings):
        now = statistics.snapshot("stock")

    assert (now.vendor, now.size, now.max_size, now.errors_total) == ("sqlite", 0, 0, 0)


def test_figures_have_the_same_names_for_every_pool(alias):
    now = statistics.snapshot(alias)

    figures = now.figures()

    assert set(figures) == set(statistics.snapshot(DEFAULT_DB_ALIAS).figures())
    assert all(isinstance(value, int | float) for value in figures.values())
    assert figures["max_size"] == 20
    assert {f"errors_{kind}_total" for kind in ErrorKind} <= set(figures)
    assert {"wait_p95_seconds", "use_p99_seconds", "write_wait_p50_seconds"} <= set(figures)
    assert {"wal_bytes", "free_bytes", "oldest_use_seconds"} <= set(figures)
