import sqlite3

from django.db import DEFAULT_DB_ALIAS, connections

from project.db import healing, statistics, watching
from project.db.findings import Finding, Healing, Severity
from project.db.recording import Event
from project.db.stress.scratch import Account, Entry
from project.db.watching import Watch
from tests.db.making import until


def finding(how: Healing | None) -> Finding:
    return Finding("test", Severity.WARNING, "It is so.", "Do something.", how)


def test_recycle_closes_free_connections(alias):
    Account.objects.using(alias).count()
    connections[alias].close()

    assert healing.heal(finding(Healing.RECYCLE), alias=alias) == "closed 1 free connection(s)"
    assert statistics.snapshot(alias).size == 0
    assert Account.objects.using(alias).count() == 20


def test_grow_allows_more(alias):
    assert healing.heal(finding(Healing.GROW), alias=alias) == "allowed 6 connections"


def test_checkpoint_folds_the_wal_in(alias):
    Entry.objects.using(alias).bulk_create(
        [Entry(account_id=1, amount=1, note="x" * 100) for _ in range(5000)]
    )
    connections[alias].close()
    assert statistics.snapshot(alias).disk.wal_bytes > 100_000

    assert healing.heal(finding(Healing.CHECKPOINT), alias=alias) == "folded the WAL in"
    assert statistics.snapshot(alias).disk.wal_bytes == 0


def test_checkpoint_gives_way_to_readers(alias):
    reader = sqlite3.connect(connections[alias].settings_dict["NAME"], isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM db_stress_account").fetchone()
    Account.objects.using(alias).update(balance=1)

    assert healing.heal(finding(Healing.CHECKPOINT), alias=alias) == "the WAL is still being read"
    reader.close()


def test_nothing_is_done_where_nothing_can_be(alias):
    assert healing.heal(finding(None), alias=alias) == ""


def test_watch_heals_once_and_says_so(alias, monkeypatch):
    monkeypatch.setattr("project.db.diagnosing._LARGE_WAL_BYTES", 1_000)
    Account.objects.using(alias).update(balance=1)
    connections[alias].close()
    watch = Watch(alias)

    watch.tick()
    watch.tick()

    assert watch.healed == {"wal_growing": "folded the WAL in"}
    assert watch.findings == ()
    assert len(watch.series) == 2


def test_watch_in_a_thread_tells_each_snapshot_and_outlives_its_listener(alias):
    told: list[str] = []

    def listen(watch: Watch, snapshot: statistics.PoolStatistics) -> None:
        told.append(snapshot.alias)
        raise ValueError("a bug of the listener")

    stop = watching.start([alias], interval_s=0.02, on_tick=listen)
    assert until(lambda: len(told) >= 3)
    stop()

    assert set(told) == {alias}
    assert watching.of(alias).series[-1].alias == alias
    assert watching.of(alias) is not watching.of(DEFAULT_DB_ALIAS)
    assert statistics.snapshot(alias).events.get(Event.ABANDONED, 0) == 0
