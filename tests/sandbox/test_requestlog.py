import threading

import pytest

from project.sandbox.requestlog import LogEntry, RequestLog, Wanted

pytestmark = pytest.mark.once


def make_entry(number, **fields):
    known = {"at_ms": 1, "method": "GET", "path": "/a", "query": {}, "client": "127.0.0.1"}
    return LogEntry(number=number, **{**known, **fields})


def test_log_returns_the_wanted_entries_in_order():
    log = RequestLog()
    for number, path in enumerate(("/a", "/b", "/a"), start=1):
        log.add(make_entry(number, path=path, client=f"127.0.0.{number}"))

    assert [each.number for each in log.entries(Wanted(path="/a"))] == [1, 3]
    assert [each.number for each in log.entries(Wanted(after=1))] == [2, 3]
    assert log.clients(Wanted(path="/b")) == {"127.0.0.2"}
    log.clear()
    assert log.as_json() == []


def test_log_waits_for_requests_that_are_still_to_come():
    log = RequestLog()
    coming = threading.Timer(0.01, lambda: log.add(make_entry(1, path="/b")))
    coming.start()

    assert log.wait_for(1, wanted=Wanted(path="/b"), at_most_s=5)
    assert not log.wait_for(1, wanted=Wanted(path="/c"), at_most_s=0.01)
    coming.join()
