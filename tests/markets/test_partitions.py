"""The app's tables in pieces of time, and the job that makes the pieces ahead."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django_celery_beat.models import PeriodicTask

from markets import partitions
from markets.models import QualitySummary
from project.core import runs
from project.core.callers import SYSTEM
from project.core.runs import Ask
from project.db.partitions import making
from tests.markets import doing
from tests.markets.factories import NOW, START_MS, make_candles, make_quality_summary, make_series

pytestmark = pytest.mark.django_db
DAY_MS = 86_400_000


def test_without_partitions_nothing_is_done(django_assert_num_queries):
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL has partitions")

    with django_assert_num_queries(0):
        partitions.ensure([START_MS])
        partitions.ensure_summaries(START_MS, START_MS + 1)
        assert partitions.make_ahead(now=NOW) == []


def test_pieces_are_made_every_day():
    job = PeriodicTask.objects.get(name="Make partitions ahead")

    assert (job.task, job.enabled, job.crontab.hour) == ("markets.partition", True, "3")


@pytest.mark.django_db(transaction=True)
def test_the_job_makes_pieces():
    run = doing.execute(runs.submit(Ask(kind="markets.partition"), by=SYSTEM, now=NOW))

    is_postgres = connection.vendor == "postgresql"
    assert (run.status, run.error_message) == ("done", "")
    assert bool(run.counts["partitions"]) == is_postgres


@pytest.mark.postgres
def test_each_month_gets_a_partition_once():
    year_later = START_MS + 366 * DAY_MS

    partitions.ensure(range(year_later, year_later + 40 * DAY_MS, DAY_MS))
    partitions.ensure(range(year_later, year_later + 40 * DAY_MS, DAY_MS))

    found = making.pieces(partitions.CANDLES)
    assert {"markets_candle_2027_01", "markets_candle_2027_02"} <= set(found)


@pytest.mark.postgres
def test_between_two_candles_that_lie_decades_apart_nothing_is_made():
    before = set(making.pieces(partitions.CANDLES))

    partitions.ensure([0, 951_868_800_000, 4_102_444_800_000])

    made = set(making.pieces(partitions.CANDLES)) - before
    assert (
        made == {f"markets_candle_{month}" for month in ("1970_01", "2000_03", "2100_01")} - before
    )


@pytest.mark.postgres
def test_months_are_made_ahead_for_every_table():
    now = datetime(2031, 11, 30, tzinfo=UTC)

    made = partitions.make_ahead(now=now)

    months = ("2031_11", "2031_12", "2032_01", "2032_02")
    assert made == [f"{table.name}_{month}" for table in partitions.TABLES for month in months]
    assert partitions.make_ahead(now=now) == []


@pytest.mark.postgres
def test_rows_go_to_the_partition_of_their_month():
    series = make_series()
    make_candles(series, 3)
    make_quality_summary(series)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM markets_candle_2026_01")
        assert cursor.fetchone() == (3,)
        cursor.execute("SELECT count(*) FROM markets_qualitysummary_2026_01")
        assert cursor.fetchone() == (1,)


def test_old_summaries_are_forgotten():
    series = make_series()
    make_quality_summary(series, start_ms=START_MS)
    make_quality_summary(series, start_ms=START_MS + 86_400_000, end_ms=START_MS + 2 * 86_400_000)

    assert making.drop_before(partitions.SUMMARIES, START_MS + 1) == (0, 1)

    assert QualitySummary.objects.count() == 1
