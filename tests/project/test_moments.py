from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core import moments


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 22, 6, 39, 59, 123_999, tzinfo=UTC), "2026-11-22T06:39:59.123Z"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000Z"),
        (
            datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
            "2025-12-31T23:00:00.000Z",
        ),
    ],
)
def test_stamp_is_utc_with_milliseconds_and_z(moment, text):
    assert moments.stamp(moment) == moments.stamp_or_none(moment) == text


def test_stamp_of_no_moment_is_none():
    assert moments.stamp_or_none(None) is None


@given(st.integers(-(10**12), 4 * 10**12))
def test_milliseconds_there_and_back(moment_ms):
    assert moments.to_ms(moments.from_ms(moment_ms)) == moment_ms


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Sun, 01 Nov 2026 12:01:30 GMT", 90.0),
        ("Sun, 01 Nov 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("in a while", None),
    ],
)
def test_retry_after_is_read_in_both_forms(told, seconds):
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)

    assert moments.wait_s(told, now=now) == seconds
