"""The chart's feed."""

import pytest

from markets import charting
from markets.charting import BadChartError
from tests.markets.factories import (
    MINUTE,
    NOW,
    NOW_MS,
    START_MS,
    make_audit_difference,
    make_backfill_task,
    make_candles,
    make_finding,
    make_gap,
    make_market,
    make_series,
)

pytestmark = pytest.mark.django_db


def feed(market, **asked):
    told = {"timeframe": "", "before": "", "limit": "", **asked}
    return charting.feed(market, **told, now=NOW)


def at(number):
    return START_MS + number * MINUTE


def test_feed_tells_candles_gaps_and_tasks_of_its_window():
    series = make_series("BTC/USDT")
    make_series("BTC/USDT", "1h")
    make_candles(series, 10, without=(4,))
    gap = make_gap(series, at(4), at(5))
    make_gap(series, at(6), at(7), state="closed", closed_at=NOW)
    task = make_backfill_task(series, at(4), at(5))
    make_gap(series, at(50), at(51))

    found = feed(series.market)

    assert [row[0] for row in found["candles"]] == [at(n) for n in range(10) if n != 4]
    assert found["candles"][0] == [at(0), 100.0, 101.0, 99.0, 100.5, 10.0, True]
    assert found["timeframes"] == ["1m", "1h"]
    assert (found["timeframe"], found["step_ms"], found["now_ms"]) == ("1m", MINUTE, NOW_MS)
    assert found["window"] == {"start_ms": at(0), "end_ms": at(10)}
    assert found["older"] is None
    assert found["gaps"] == [
        {
            "id": gap.pk,
            "start_ms": at(4),
            "end_ms": at(5),
            "missing": 1,
            "reason": "unknown",
            "state": "open",
            "url": f"/admin/markets/gap/{gap.pk}/change/",
        }
    ]
    assert found["backfills"] == [{"start_ms": at(6), "end_ms": at(7)}]
    assert [(one["id"], one["status"]) for one in found["tasks"]] == [(task.pk, "pending")]


def test_feed_goes_back_page_by_page_without_losing_a_gap_between_two():
    series = make_series("BTC/USDT")
    make_candles(series, 10, without=(5,))
    make_gap(series, at(5), at(6))

    newest = feed(series.market, limit="4")
    older = feed(series.market, limit="4", before=str(newest["older"]))

    assert [row[0] for row in newest["candles"]] == [at(n) for n in (6, 7, 8, 9)]
    assert (newest["older"], len(newest["gaps"])) == (at(6), 1)
    assert [row[0] for row in older["candles"]] == [at(n) for n in (1, 2, 3, 4)]
    assert older["older"] == at(1)


def test_feed_of_a_bare_market_is_empty():
    assert feed(make_market())["candles"] == []
    assert feed(make_series().market)["candles"] == []


@pytest.mark.parametrize(
    "asked",
    [{"limit": "0"}, {"limit": "5001"}, {"limit": "x"}, {"before": "-1"}, {"before": "1e3"}],
)
def test_feed_refuses_wrong_parameters(asked):
    with pytest.raises(BadChartError):
        feed(make_series().market, **asked)


@pytest.mark.parametrize("count", [1, 3])
def test_feed_costs_the_same_for_any_number_of_marks(count, django_assert_num_queries):
    series = make_series()
    make_candles(series, 10)
    for number in range(count):
        make_gap(series, at(number), at(number + 1))

    with django_assert_num_queries(9):
        feed(series.market)


def test_coverage_tells_each_series():
    series = make_series("BTC/USDT", "1h")
    fine = make_series("BTC/USDT", "1m")
    make_candles(fine, 5)
    make_gap(fine)

    found = charting.coverage_of(series.market)

    assert found == [
        {"timeframe": "1m", "first": at(0), "last": at(4), "count": 5, "gaps": 1, "expected": 5},
        {"timeframe": "1h", "first": None, "last": None, "count": 0, "gaps": 0, "expected": 0},
    ]


def test_a_timeframe_that_is_not_kept_is_made():
    series = make_series("BTC/USDT")
    make_candles(series, 20, without=(7, 8))
    gap = make_gap(series, at(7), at(9))
    finding = make_finding(series, start_ms=at(3), end_ms=at(4))
    told = {"settled_at": NOW, "settled_by": "somebody"}
    make_finding(series, start_ms=at(5), end_ms=at(6), **told)
    difference = make_audit_difference(series, open_time=at(12))

    found = feed(series.market, timeframe="5m", limit="3")

    assert found["made"] == ["5m", "15m", "1h", "4h", "1d", "1w", "1M"]
    assert (found["made_of"], found["step_ms"]) == ("1m", 5 * MINUTE)
    assert [row[0] for row in found["candles"]] == [at(5), at(10), at(15)]
    assert found["candles"][1] == [at(10), 103.0, 107.0, 99.0, 100.5, 50.0, True]
    assert found["incomplete"] == [[at(5), 2]]
    assert found["older"] == at(5)
    assert [one["id"] for one in found["gaps"]] == [gap.pk]
    assert [one["id"] for one in found["differences"]] == [difference.pk]
    assert found["findings"] == []
    before = feed(series.market, timeframe="5m", before=str(found["older"]))
    assert [row[0] for row in before["candles"]] == [at(0)]
    assert [one["id"] for one in before["findings"]] == [finding.pk]
    assert before["older"] is None


def test_a_page_of_made_candles_costs_a_bounded_number_of_stored_ones(monkeypatch):
    monkeypatch.setattr(charting, "MOST_PARTS", 100)
    series = make_series("BTC/USDT")
    make_candles(series, 30 * 5)

    found = feed(series.market, timeframe="5m")

    assert len(found["candles"]) == 20


def test_coverage_tells_how_much_there_should_be():
    series = make_series("BTC/USDT")
    make_candles(series, 20, without=(7, 8))

    (row,) = charting.coverage_of(series.market)

    assert (row["count"], row["expected"]) == (18, 20)
