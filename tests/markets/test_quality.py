"""The quality check."""

import pytest
from django.utils import timezone

from markets import quality, summarising
from markets.models import BackfillTask, Gap, QualitySummary, Series
from markets.timeframes import DAY_MS
from project.core.callers import SYSTEM
from project.core.models import Run
from project.core.runs import AlreadyRunningError
from tests.markets import doing
from tests.markets.factories import MINUTE, NOW, START_MS, make_candles, make_series


@pytest.mark.django_db
def test_check_finds_gaps_makes_tasks_and_starts_them():
    series = make_series()
    make_candles(series, 20, without=(3, 9))

    done = quality.check(Series.objects.all(), now=NOW)

    assert (done.series, done.opened, done.missing, done.tasks) == (1, 2, 2, 2)
    assert BackfillTask.objects.filter(run_id__isnull=False).count() == 2
    assert quality.check(Series.objects.all(), now=NOW).tasks == 0


@pytest.mark.django_db
def test_check_without_repair_only_looks():
    make_candles(make_series(), 20, without=(3,))

    quality.check(Series.objects.all(), now=NOW, repair=False)

    assert Gap.objects.get().state == "open"
    assert not BackfillTask.objects.exists()


@pytest.mark.django_db
def test_days_are_counted_and_scored():
    series = make_series()
    make_candles(series, 2000, without=range(100, 244))

    quality.check(Series.objects.all(), now=NOW, repair=False)

    first, second = QualitySummary.objects.order_by("start_ms")
    assert (first.start_ms, first.expected, first.stored, first.missing) == (
        START_MS,
        1440,
        1296,
        144,
    )
    assert first.score == pytest.approx(90.0)
    assert (second.expected, second.missing, second.score) == (560, 0, 100.0)


@pytest.mark.django_db
def test_a_check_of_one_market_is_asked_for_once():
    market = make_series().market

    run = quality.ask(market, "1m", by=SYSTEM, now=NOW)

    assert run.payload == {"market_id": market.pk, "timeframe": "1m"}
    with pytest.raises(AlreadyRunningError):
        quality.ask(market, "1m", by=SYSTEM, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_run_checks_the_market_it_names_and_tells_what_it_found():
    chosen, other = make_series(), make_series()
    for series in (chosen, other):
        make_candles(series, 20, without=(3,))
    run = quality.ask(chosen.market, "", by=SYSTEM, now=timezone.now())

    doing.execute(run)

    assert (run.status, run.counts["opened"], run.counts["series"]) == ("done", 1, 1)
    assert set(Gap.objects.values_list("series_id", flat=True)) == {chosen.pk}


@pytest.mark.django_db(transaction=True)
def test_run_without_a_market_checks_all_that_are_enabled():
    enabled, disabled = make_series(), make_series()
    disabled.market.enabled = False
    disabled.market.save()
    for series in (enabled, disabled):
        make_candles(series, 20, without=(3,))

    doing.check_quality()

    assert set(Gap.objects.values_list("series_id", flat=True)) == {enabled.pk}
    assert Run.objects.filter(kind="markets.quality", status="done").exists()


@pytest.mark.django_db
def test_coverage_tells_ends_and_number(django_assert_num_queries):
    one, two, bare = make_series(), make_series(), make_series()
    make_candles(one, 5)
    make_candles(two, 7)

    with django_assert_num_queries(4):  # the series, their days, and what of each isn't counted
        found = quality.coverage([one, two, bare])

    assert found[one.pk]["count"] == 5
    assert found[two.pk]["last"] == START_MS + 6 * MINUTE
    assert bare.pk not in found


@pytest.mark.django_db
def test_coverage_counts_the_days_that_changed_and_no_others(django_assert_num_queries):
    series = make_series()
    make_candles(series, 3 * 1440, without=(5, 1500))
    summarising.mark(series.pk, START_MS, START_MS + 3 * DAY_MS)
    summarising.recount(series, now=NOW)

    with django_assert_num_queries(2):
        assert quality.coverage([series])[series.pk]["count"] == 3 * 1440 - 2
    make_candles(series, 1, start_ms=START_MS + 1500 * MINUTE)
    summarising.mark(series.pk, START_MS + DAY_MS, START_MS + DAY_MS + 1)
    with django_assert_num_queries(3):
        assert quality.coverage([series])[series.pk]["count"] == 3 * 1440 - 1
