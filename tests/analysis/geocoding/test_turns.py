"""One server is asked by one at a time, whoever asks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from analysis.failures import Transient
from analysis.geocoding import turns
from analysis.models import GeocoderHost

NOW = datetime(2026, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def reserve(host: str = "a", *, now: datetime = NOW) -> float:
    return turns.reserve(host, interval_s=1.0, now=now)


def test_each_waits_for_the_one_before():
    waits = [reserve(), reserve(), reserve(now=NOW + timedelta(seconds=0.5)), reserve("b")]

    assert waits == [0.0, 1.0, 1.5, 0.0]
    assert reserve(now=NOW + timedelta(seconds=60)) == 0.0


def test_rivals_never_share_a_moment():
    def turn(_number: int) -> float:
        try:
            return reserve()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        waits = sorted(pool.map(turn, range(24)))

    assert waits == [float(number) for number in range(24)]
    assert GeocoderHost.objects.count() == 1


def test_a_block_holds_for_everybody_and_a_longer_one_stays():
    turns.block("a", for_s=30, reason="429", now=NOW)
    turns.block("a", for_s=5, reason="429", now=NOW)

    assert (reserve(), reserve()) == (30.0, 31.0)


def test_a_wait_that_is_too_long_is_put_off():
    turns.block("a", for_s=600, reason="429", now=NOW)

    with pytest.raises(Transient) as raised:
        reserve()

    assert raised.value.retry_after == 600.0
