"""What the live chart draws."""

from collections import deque

import pytest

from project.db import watching
from project.db.findings import Finding, Severity
from project.db.statistics import PoolStatistics
from project.storage import charting
from tests.storage.factories import NOW, make_sample

pytestmark = pytest.mark.django_db
NOW_S = int(NOW.timestamp())


@pytest.fixture(autouse=True)
def watch(monkeypatch):
    found = watching.Watch("default")
    monkeypatch.setattr(watching, "of", lambda _: found)
    return found


def test_feed_adds_up_processes_and_takes_the_worst_waits():
    make_sample(NOW_S - 3, in_use=2, wait_p95_seconds=0.1, errors_busy_total=1)
    make_sample(NOW_S - 3, process="b", in_use=3, wait_p95_seconds=0.4, errors_io_total=2)
    make_sample(NOW_S - 2, in_use=1)
    make_sample(NOW_S - 301)

    told = charting.feed(minutes=5, now=NOW)

    assert told["seconds"] == [NOW_S - 3, NOW_S - 2]
    assert told["series"]["in_use"] == [5, 1]
    assert told["series"]["wait_p95_seconds"] == [0.4, 0]
    assert told["series"]["errors_total"] == [3, 0]


def test_feed_goes_on_with_what_this_process_has_not_written_yet(watch):
    make_sample(NOW_S - 3, process="other", in_use=2)
    watch.findings = (Finding("leak", Severity.ERROR, "It leaks.", "Close it."),)
    watch.series = deque(
        [
            PoolStatistics("default", "sqlite", NOW.replace(microsecond=5), 1, in_use=4),
        ]
    )

    told = charting.feed(minutes=5, now=NOW)

    assert told["seconds"] == [NOW_S - 3, NOW_S]
    assert told["series"]["in_use"] == [2, 6]
    assert told["findings"] == [{"name": "leak", "severity": "error", "text": "It leaks."}]


def test_feed_asks_the_same_number_of_queries_for_one_row_and_three(django_assert_num_queries):
    for rows in (1, 2):
        for number in range(rows):
            make_sample(NOW_S - rows, process=f"p{number}")
        with django_assert_num_queries(2):
            charting.feed(minutes=5, now=NOW)


def test_feed_bounds_what_is_asked():
    assert charting.feed(minutes=10**9, now=NOW)["seconds"] == []
    assert charting.feed(minutes=0, now=NOW)["seconds"] == []
