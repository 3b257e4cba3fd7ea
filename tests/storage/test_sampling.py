"""Recording this process's pools."""

import time

import pytest
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from project.db import watching
from project.db.findings import Finding, Severity
from project.db.recording import ErrorKind, Event
from project.db.statistics import PoolStatistics
from project.storage import metrics, sampling
from project.storage.models import PoolSample
from tests.storage.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)


def statistics(second: int = 0, **fields) -> PoolStatistics:
    return PoolStatistics(
        "default", "sqlite", NOW.replace(second=second), 1, **{"in_use": 3, **fields}
    )


def test_recorder_writes_a_row_a_second_in_one_insert():
    recorder = sampling.Recorder("web")
    watch = watching.Watch(DEFAULT_DB_ALIAS)
    watch.findings = (Finding("leak", Severity.ERROR, "It leaks.", "Close it."),)
    watch.healed["leak"] = "nothing"
    for second in (1, 1, 2, 3):
        recorder.take(watch, statistics(second, errors={ErrorKind.BUSY: 4}))

    with CaptureQueriesContext(connection) as asked:
        recorder.write()

    assert sum("INSERT" in query["sql"] for query in asked) == 1
    rows = PoolSample.objects.order_by("second")
    start = int(NOW.timestamp())
    assert [row.second - start for row in rows] == [1, 2, 3]
    row = rows[0]
    assert (row.role, row.alias, row.in_use, row.errors_busy_total) == ("web", "default", 3, 4)
    assert row.findings == [
        {
            "name": "leak",
            "severity": "error",
            "explanation": "It leaks.",
            "remedy": "Close it.",
            "healed": "nothing",
        }
    ]


def test_recorder_keeps_samples_while_the_database_is_away(monkeypatch):
    recorder = sampling.Recorder("web")
    watch = watching.Watch(DEFAULT_DB_ALIAS)
    recorder.take(watch, statistics(1))
    recorder.take(watch, statistics(2))

    def fail(*_, **__):
        raise DatabaseError("away")

    with monkeypatch.context() as patched:
        patched.setattr(PoolSample.objects, "bulk_create", fail)
        recorder.write()
    assert not PoolSample.objects.exists()
    recorder.take(watch, statistics(3))
    recorder.write()

    assert PoolSample.objects.count() == 3


def test_recorder_forgets_the_oldest_before_it_eats_memory():
    recorder = sampling.Recorder("web")
    watch = watching.Watch(DEFAULT_DB_ALIAS)
    for _ in range(sampling.KEPT_UNWRITTEN + 10):
        recorder.take(watch, statistics(1))

    assert len(recorder._samples) == sampling.KEPT_UNWRITTEN


def test_begin_watches_and_writes_until_end(monkeypatch):
    monkeypatch.setattr(sampling, "EACH_S", 0.05)

    sampling.begin("web")
    sampling.begin("web")
    time.sleep(0.3)
    sampling.end()

    assert PoolSample.objects.filter(role="web").count() >= 1
    assert sampling._recorders == {}
    sampling.end()
    connection.close()


def test_show_sets_gauges_and_moves_counters_on():
    def value(metric, **labels) -> float:
        return float(metric.labels(**labels)._value.get())

    before = statistics(1, errors={ErrorKind.BUSY: 2}, events={Event.OPENED: 5})
    after = statistics(2, errors={ErrorKind.BUSY: 3}, events={Event.OPENED: 7}, waiting=6)
    busy = value(metrics.ERRORS, alias="default", kind="busy")
    opened = value(metrics.EVENTS, alias="default", event="opened")

    metrics.show(before, None)
    metrics.show(after, before)

    assert value(metrics.GAUGES["waiting"], alias="default") == 6
    assert value(metrics.ERRORS, alias="default", kind="busy") - busy == 3
    assert value(metrics.EVENTS, alias="default", event="opened") - opened == 7


def test_columns_have_the_names_of_figures():
    assert {*sampling._FIGURES} <= {*statistics().figures()}
    assert {*metrics.GAUGES} <= {*statistics().figures()}
