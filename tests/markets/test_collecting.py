"""The collect cycle against the sandbox's exchanges, with every fault they can have."""

from datetime import UTC, datetime

import pytest

from markets import collecting, configuring
from markets.choices import Mode, Policy
from markets.models import Candle, CandleRevision, Market, QualitySummary, Series
from project import sandbox
from project.core.callers import SYSTEM
from project.core.models import Run
from project.sandbox import Fault, FaultKind
from project.sandbox.exchange.timeframes import TIMEFRAMES
from tests.markets import doing
from tests.markets.factories import MINUTE, NOW

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 1, 5, tzinfo=UTC)
VENUES = ["binance", "okx"]


def moments(series=None):
    rows = Candle.objects.filter(series=series) if series else Candle.objects.all()
    return list(rows.order_by("open_time").values_list("open_time", flat=True))


def pages(world):
    entries = world.exchange.log.entries()
    return [one for one in entries if one.timeframe is not None]


WHOLE = list(range(doing.LISTED_MS, doing.CLOCK_MS, MINUTE))


@pytest.mark.parametrize("exchange", VENUES)
def test_first_run_fetches_the_history_asked_for(world, no_naps, exchange):
    run = doing.collect(doing.make_local(world, exchange, start_at=START))

    assert (run.status, run.error_message, run.progress) == ("done", "", 100)
    assert run.counts["candles"] == len(WHOLE)
    assert moments() == WHOLE
    provisional = Candle.objects.filter(final=False)
    assert list(provisional.values_list("open_time", flat=True)) == WHOLE[-1:]


@pytest.mark.parametrize("exchange", VENUES)
def test_stored_values_are_the_exchanges(world, no_naps, exchange):
    doing.collect(doing.make_local(world, exchange, start_at=START))

    candle = Candle.objects.order_by("open_time")[100]
    book = world.exchange.candles.markets["BTC/USDT"].book
    timeframe = TIMEFRAMES["1m"]
    told = next(iter(book.forward(timeframe, candle.open_time)))
    assert candle.open_time == told.open_ms
    assert (candle.open, candle.close) == (float(told.open), float(told.close))
    assert candle.quote_volume == float(told.quote_volume)
    assert candle.trades == (told.trades if exchange == "binance" else None)


@pytest.mark.parametrize("exchange", VENUES)
def test_next_run_asks_for_what_is_new_and_the_last_candles_again(world, no_naps, exchange):
    collector = doing.make_local(world, exchange, start_at=START)
    doing.collect(collector)
    world.clock.advance(7 * MINUTE)
    world.exchange.log.clear()

    run = doing.collect(collector)

    assert run.counts["candles"] == 7 + 1 + collecting.ASKED_AGAIN
    assert len(pages(world)) == 1
    assert moments() == list(range(doing.LISTED_MS, doing.CLOCK_MS + 7 * MINUTE, MINUTE))
    assert Candle.objects.filter(final=False).count() == 1
    assert CandleRevision.objects.count() == 0


def test_a_correction_of_a_final_candle_is_taken_and_logged(world, no_naps):
    collector = doing.make_local(world, start_at=START)
    doing.collect(collector)
    corrected = WHOLE[-3]
    old = Candle.objects.get(open_time=corrected)
    world.exchange.candles.correct(
        sandbox.Correction(symbol="BTC/USDT", timeframe="1m", open_ms=corrected, volume="123.5")
    )

    doing.collect(collector)

    assert Candle.objects.get(open_time=corrected).volume == 123.5
    revision = CandleRevision.objects.get()
    assert (revision.open_time, revision.old_volume) == (corrected, old.volume)


def test_without_a_start_the_last_page_is_history_enough(world, no_naps):
    doing.collect(doing.make_local(world, request_limit=100))

    assert moments() == WHOLE[-100:]


def test_an_earlier_start_fetches_the_older_history_too(world, no_naps):
    collector = doing.make_local(world, start_at=datetime(2026, 1, 6, 12, tzinfo=UTC))
    doing.collect(collector)
    assert moments() == WHOLE[36 * 60 :]

    collector.start_at = START
    collector.save()
    doing.collect(collector)

    assert moments() == WHOLE


def test_a_range_is_collected_once(world, no_naps):
    end = datetime(2026, 1, 5, 3, tzinfo=UTC)
    collector = doing.make_local(world, mode=Mode.RANGE, start_at=START, end_at=end)
    doing.collect(collector)
    world.exchange.log.clear()

    run = doing.collect(collector)

    assert moments() == WHOLE[:180]
    assert run.status == "done"
    assert pages(world) == []


@pytest.mark.parametrize("exchange", VENUES)
def test_years_before_the_listing_cost_a_few_requests(world, no_naps, exchange):
    Market.objects.update(listed_ms=None)
    collector = doing.make_local(world, exchange, start_at=datetime(2018, 1, 1, tzinfo=UTC))

    doing.collect(collector)

    assert moments() == WHOLE
    assert len(pages(world)) < 60


@pytest.mark.parametrize("exchange", VENUES)
def test_hours_come_from_the_hourly_grid(world, no_naps, exchange):
    symbols = [{"symbol": "ETH/USDT", "timeframes": ["1h", "1d", "6h"]}]
    doing.collect(doing.make_local(world, exchange, start_at=START, symbols=symbols))

    for timeframe, step in (("1h", 60), ("6h", 360), ("1d", 1440)):
        series = Series.objects.get(timeframe=timeframe)
        assert moments(series) == list(range(doing.LISTED_MS, doing.CLOCK_MS, step * MINUTE))


def test_markets_are_discovered_but_only_named_ones_enabled(world, no_naps):
    doing.collect(doing.make_local(world, start_at=START))

    enabled = dict(Market.objects.values_list("symbol", "enabled"))
    assert enabled == {"BTC/USDT": True, "ETH/USDT": False, "SOL/USDT": False}
    assert Market.objects.get(symbol="BTC/USDT").exchange_symbol == "BTCUSDT"


def test_a_disabled_market_is_left_alone(world, no_naps):
    collector = doing.make_local(world, start_at=START)
    configuring.ensure_series(collector)
    Market.objects.update(enabled=False)

    run = doing.collect(collector)

    assert run.status == "done"
    assert moments() == []


def test_an_unlisted_symbol_does_not_keep_the_others(world, no_naps):
    symbols = [{"symbol": name, "timeframes": ["1m"]} for name in ("NOPE/USDT", "BTC/USDT")]
    collector = doing.make_local(world, start_at=START, symbols=symbols)

    run = doing.collect(collector)

    assert run.status == "partial"
    assert run.error_message.startswith("1 of 2 series failed, unknown_symbol: binance:NOPE/USDT")
    assert moments() == WHOLE
    failing = Series.objects.get(failures=1)
    assert failing.last_error.startswith("unknown_symbol")


def test_series_are_collected_in_parallel(world, no_naps):
    symbols = [{"symbol": name, "timeframes": ["1m", "1h"]} for name in ("BTC/USDT", "ETH/USDT")]
    collector = doing.make_local(world, start_at=START, symbols=symbols, concurrency=4)

    run = doing.collect(collector)

    assert (run.status, run.error_message) == ("done", "")
    for series in Series.objects.filter(timeframe="1m"):
        assert moments(series) == WHOLE
    assert run.counts["series"] == 4


@pytest.mark.parametrize("exchange", VENUES)
@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.STATUS, status=500, times=2),
        Fault(FaultKind.STATUS, status=503, times=2),
        Fault(FaultKind.STATUS, status=429, retry_after_s=2, times=2),
        Fault(FaultKind.HTML200, times=2),
        Fault(FaultKind.EMPTY200, times=2),
        Fault(FaultKind.NULL_ROWS, times=2),
        Fault(FaultKind.DISCONNECT, times=2),
        Fault(FaultKind.CUT_BODY, times=2),
        Fault(FaultKind.REDIRECT, times=2, location="http://127.0.0.1:1/"),
        Fault(FaultKind.DUPLICATE_ROWS, rows=5),
        Fault(FaultKind.OUT_OF_ORDER, rows=5),
    ],
    ids=lambda fault: f"{fault.kind}{fault.status if fault.kind == 'status' else ''}",
)
def test_a_fault_that_passes_leaves_no_hole_and_nothing_wrong(world, no_naps, exchange, fault):
    world.exchange.faults.add(fault)

    run = doing.collect(doing.make_local(world, exchange, start_at=START))

    assert (run.status, run.error_message) == ("done", "")
    assert moments() == WHOLE
    assert CandleRevision.objects.count() == 0


@pytest.mark.parametrize("exchange", VENUES)
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FaultKind.HTML200, "bad_response"),
        (FaultKind.EMPTY200, "bad_response"),
        (FaultKind.NULL_ROWS, "bad_response"),
        (FaultKind.DISCONNECT, "network"),
    ],
)
def test_a_fault_that_stays_stores_nothing_and_is_tried_again(world, no_naps, exchange, kind, code):
    collector = doing.make_local(world, exchange, start_at=START)
    doing.collect(collector)
    Candle.objects.all().delete()
    Series.objects.update(collected_from_ms=None, collected_until_ms=None)
    world.exchange.faults.add(Fault(kind, path="/api/*/*[ks]"))

    run = doing.collect(collector)

    assert (run.status, run.error_type) == ("queued", code)
    assert run.next_try_at is not None
    assert moments() == []
    assert Series.objects.get().collected_until_ms is None


def test_rows_that_cannot_be_right_are_skipped_counted_and_found_as_gaps(world, no_naps):
    world.exchange.faults.add(Fault(FaultKind.BAD_OHLC, rows=2, times=1))

    doing.collect(doing.make_local(world, start_at=START))

    summary = QualitySummary.objects.get(bad_ohlc__gt=0)
    assert summary.bad_ohlc == 2
    assert len(moments()) == len(WHOLE) - 2


def test_policy_retry_asks_again_for_a_page_with_bad_rows(world, no_naps):
    world.exchange.faults.add(Fault(FaultKind.BAD_NUMBER, rows=2, times=1))

    doing.collect(doing.make_local(world, start_at=START, validation_policy=Policy.RETRY))

    assert moments() == WHOLE


def test_policy_reject_takes_no_page_with_bad_rows(world, no_naps):
    world.exchange.faults.add(Fault(FaultKind.MISALIGNED, rows=2))
    collector = doing.make_local(world, start_at=START, validation_policy=Policy.REJECT)

    run = doing.collect(collector)

    assert (run.status, run.error_type) == ("queued", "bad_response")
    assert moments() == []


def test_another_markets_answer_is_refused(world, no_naps):
    collector = doing.make_local(world, start_at=START)
    doing.collect(collector)
    before = list(Candle.objects.values_list("open_time", "close"))
    world.clock.advance(3 * MINUTE)
    world.exchange.faults.add(Fault(FaultKind.WRONG_SYMBOL))

    run = doing.collect(collector)

    assert (run.status, run.error_type) == ("queued", "bad_response")
    assert list(Candle.objects.values_list("open_time", "close")) == before


def test_a_ban_is_honoured_by_the_next_run_without_a_request(world, no_naps):
    collector = doing.make_local(world, start_at=START)
    world.exchange.faults.add(Fault(FaultKind.STATUS, status=418, retry_after_s=300))
    first = doing.collect(collector)
    asked = len(world.exchange.log.entries())
    assert (first.status, first.error_type) == ("queued", "blocked")
    Run.objects.update(next_try_at=None)

    again = doing.execute(first)

    assert (again.status, again.error_type) == ("queued", "rate_limited")
    assert len(world.exchange.log.entries()) == asked
    assert again.next_try_at is not None
    assert again.heartbeat_at is not None
    waits = (again.next_try_at - again.heartbeat_at).total_seconds()
    assert 250 < waits < 305


def test_the_cycle_starts_a_run_of_each_enabled_collector_once(world):
    ours = doing.make_local(world)
    doing.make_local(world, enabled=False)

    first = collecting.start_all(by=SYSTEM, now=NOW)
    again = collecting.start_all(by=SYSTEM, now=NOW)

    assert (first, again) == ((1, 0), (0, 1))
    run = Run.objects.get()
    assert (run.kind, run.payload) == ("markets.collect", {"collector_id": ours.pk})


def test_an_outage_at_the_end_is_asked_for_again_until_it_is_over(world, no_naps):
    outage = world.exchange.candles.add_outage(
        sandbox.Outage(WHOLE[-30], doing.CLOCK_MS + 60 * MINUTE)
    )
    collector = doing.make_local(world, start_at=START)
    doing.collect(collector)
    assert moments() == WHOLE[:-30]

    world.clock.advance(20 * MINUTE)
    doing.collect(collector)
    world.exchange.candles.end_outages(outage)
    doing.collect(collector)

    assert moments() == list(range(doing.LISTED_MS, doing.CLOCK_MS + 20 * MINUTE, MINUTE))


def test_windows_are_bounded_and_follow_each_other(world, no_naps):
    doing.collect(doing.make_local(world, start_at=START, request_limit=500))

    asked = [(int(one.query["startTime"]), int(one.query["endTime"]) + 1) for one in pages(world)]
    assert all(end - start <= 500 * MINUTE for start, end in asked)
    assert [end for _, end in asked[:-1]] == [start for start, _ in asked[1:]]
