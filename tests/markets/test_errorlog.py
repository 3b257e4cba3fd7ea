"""What is kept of failures, and for how long."""

from datetime import timedelta

import ccxt
import pytest
from django.db import DatabaseError

from markets import errorlog
from markets.adapters import wire
from markets.errorlog import About
from markets.models import ApiErrorLog
from tests.markets.factories import NOW, make_api_error_log

ABOUT = About("binance", "btc", "BTC/USDT", "1m")
pytestmark = pytest.mark.django_db


def test_a_failure_is_kept_with_its_class_and_what_it_was_about():
    error = wire.RateLimitedError("429, slow down", retry_after_s=7)
    error.status = 429

    errorlog.record(error, ABOUT, egress="203.0.113.5", attempt=3, now=NOW)

    row = ApiErrorLog.objects.get()
    told = (row.exchange, row.collector, row.market, row.timeframe, row.egress, row.attempt)
    assert told == ("binance", "btc", "BTC/USDT", "1m", "203.0.113.5", 3)
    assert (row.error_class, row.is_retryable, row.code) == ("rate_limit", True, "rate_limited")
    assert (row.status, row.retry_after_s, row.message) == (429, 7, "429, slow down")


def test_one_failure_is_kept_once_however_many_levels_tell_of_it():
    error = wire.NetworkError("cut")

    errorlog.record(error, ABOUT, now=NOW)
    errorlog.record(error, ABOUT, now=NOW)

    assert ApiErrorLog.objects.count() == 1


def test_foreign_exceptions_show_no_credentials():
    error = ccxt.NetworkError("GET https://x/api?key=1 via http://user:secret@10.0.0.1:80")

    errorlog.record(error, ABOUT, now=NOW)

    row = ApiErrorLog.objects.get()
    assert (row.code, row.error_class) == ("NetworkError", "network")
    assert "secret" not in row.message
    assert "key=1" not in row.message


def test_a_log_that_cannot_be_written_hides_no_other_failure(monkeypatch, caplog):
    def refuse(*_args, **_kwargs):
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(ApiErrorLog, "save", refuse)

    errorlog.record(wire.NetworkError("cut"), ABOUT, now=NOW)

    assert "could not be kept" in caplog.text


def test_what_is_too_old_is_dropped(settings):
    settings.ERROR_LOG_DAYS = 10
    make_api_error_log(happened_at=NOW - timedelta(days=11))
    kept = make_api_error_log(happened_at=NOW - timedelta(days=9))

    assert errorlog.clean_up(now=NOW) == 1
    assert list(ApiErrorLog.objects.all()) == [kept]


def test_counts_by_class_and_hour_are_one_query(django_assert_num_queries):
    for minutes, name in ((5, "timeout"), (10, "timeout"), (70, "timeout"), (75, "network")):
        make_api_error_log(happened_at=NOW - timedelta(minutes=minutes), error_class=name)
    make_api_error_log(happened_at=NOW - timedelta(hours=30))
    now = NOW + timedelta(minutes=30)

    with django_assert_num_queries(1):
        moments, counts = errorlog.by_hour(now=now, hours=4)

    assert [moment.hour for moment in moments] == [9, 10, 11, 12]
    assert list(counts) == ["timeout", "network"]
    assert counts == {"timeout": [0, 1, 2, 0], "network": [0, 1, 0, 0]}
