"""Partitions of the candle table."""

import pytest
from django.db import connection

from markets import partitions
from tests.markets.factories import START_MS, make_candles, make_series

pytestmark = pytest.mark.django_db


def names():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'markets_candle'::regclass ORDER BY 1"
        )
        return [row[0] for row in cursor.fetchall()]


def test_without_partitions_nothing_is_done(django_assert_num_queries):
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL has partitions")

    with django_assert_num_queries(0):
        partitions.ensure(START_MS, START_MS + 1)


@pytest.mark.postgres
def test_each_month_gets_a_partition_once():
    year_later = START_MS + 366 * 86_400_000

    partitions.ensure(year_later, year_later + 40 * 86_400_000)
    partitions.ensure(year_later, year_later + 40 * 86_400_000)

    assert {"markets_candle_2027_01", "markets_candle_2027_02"} <= set(names())


@pytest.mark.postgres
def test_candles_go_to_the_partition_of_their_month():
    make_candles(make_series(), 3)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM markets_candle_2026_01")
        assert cursor.fetchone() == (3,)
