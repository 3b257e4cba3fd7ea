"""Why candles are missing: proven by whole pages only, outages, listings, what staff say."""

from datetime import timedelta

import pytest

from markets import ledger, timeframes
from markets.checking import Asked, Page
from markets.choices import GapReason
from markets.models import Gap, Market, QualitySummary, Series
from tests.markets.factories import (
    MINUTE,
    NOW,
    START_MS,
    make_candles,
    make_gap,
    make_rows,
    make_series,
)

pytestmark = pytest.mark.django_db
GRID = timeframes.of("1m")


def at(number):
    return START_MS + number * MINUTE


def rows_without(count, *numbers):
    return [row for number, row in enumerate(make_rows(count)) if number not in numbers]


def page(rows, egress="direct", **extra):
    asked = Asked("BTC/USDT", GRID, rows[0].open_time, rows[-1].open_time + MINUTE)
    return Page(asked, rows, egress=egress, **extra)


def test_a_whole_page_with_both_sides_and_nothing_inside_proves_no_trades():
    series = make_series()
    make_candles(series, 10, without=(4, 5))
    ledger.survey(series, now=NOW)

    assert ledger.note_page(series, page(rows_without(10, 4, 5)), now=NOW) == 1

    gap = Gap.objects.get()
    assert (gap.reason, gap.state, gap.looks) == ("no_trades", "open", 1)
    assert gap.next_look_at == NOW + ledger.SECOND_LOOK_AFTER
    assert gap.evidence[0] | {"rows": 8, "egress": "direct", "proves": True} == gap.evidence[0]


@pytest.mark.parametrize(
    "rows",
    [
        rows_without(10, 4, 5)[:4],  # only before
        rows_without(10, 4, 5)[4:],  # only after
        rows_without(10, 3, 4, 5),  # not right before
        rows_without(10, 4, 5, 6),  # not right after
        rows_without(10, 4),  # one inside
    ],
)
def test_a_one_sided_or_other_page_proves_nothing(rows):
    series = make_series()
    make_candles(series, 10, without=(4, 5))
    ledger.survey(series, now=NOW)

    assert ledger.note_page(series, page(rows), now=NOW) == 0
    assert Gap.objects.get().looks == 0


def test_an_empty_page_and_one_that_rows_were_taken_from_prove_nothing():
    series = make_series()
    make_candles(series, 10, without=(4,))
    ledger.survey(series, now=NOW)
    empty = Page(Asked("BTC/USDT", GRID, at(0), at(10)), [])

    assert ledger.note_page(series, empty, now=NOW) == 0
    assert ledger.note_page(series, page(rows_without(10, 4), is_whole=False), now=NOW) == 0


@pytest.mark.parametrize(
    ("egress", "later", "state"),
    [
        ("direct", timedelta(seconds=1), "open"),
        ("203.0.113.9", timedelta(seconds=1), "unavailable"),
        ("direct", ledger.SECOND_LOOK_AFTER, "unavailable"),
    ],
)
def test_a_second_look_counts_when_it_is_later_or_by_another_way(egress, later, state):
    series = make_series()
    make_candles(series, 10, without=(4,))
    ledger.survey(series, now=NOW)
    ledger.note_page(series, page(rows_without(10, 4)), now=NOW)

    ledger.note_page(series, page(rows_without(10, 4), egress), now=NOW + later)

    assert Gap.objects.get().state == state


def test_of_a_sparse_exchange_the_first_look_is_enough():
    series = make_series()
    make_candles(series, 10, without=(4,))
    ledger.survey(series, now=NOW)

    ledger.note_page(series, page(rows_without(10, 4)), now=NOW, is_sparse=True)

    gap = Gap.objects.get()
    assert (gap.state, gap.reason, gap.next_look_at) == ("unavailable", "no_trades", None)


def test_looks_that_settle_nothing_are_repeated_ever_later():
    gap = make_gap()
    waits = []
    for _ in range(4):
        gap.refresh_from_db()
        Gap.objects.update(next_look_at=None)
        gap.refresh_from_db()
        ledger.put_off([gap], now=NOW, error="timeout: no answer")
        gap.refresh_from_db()
        assert gap.next_look_at is not None
        waits.append((gap.next_look_at - NOW).total_seconds() / 60)

    assert waits == [10, 20, 40, 80]
    assert (gap.attempts, gap.reason) == (4, "fetch_failed")
    assert gap.evidence[-1]["error"] == "timeout: no answer"


def test_the_same_hole_on_three_symbols_is_an_outage():
    series = [make_series(f"C{n}/BTC", "1m", "okx") for n in range(3)]
    other = make_series("ZZ/BTC", "1m", "binance")
    for one in (*series, other):
        make_gap(one, at(4), at(8))
    single = make_gap(series[0], at(20), at(21))

    told = ledger.note_outages(series[0].market.exchange_id)

    assert told == 3
    reasons = dict(Gap.objects.values_list("pk", "reason"))
    assert reasons.pop(single.pk) == "unknown"
    assert sorted(reasons.values()) == ["exchange_outage"] * 3 + ["unknown"]


def test_two_symbols_are_no_outage_nor_is_another_timeframe():
    one, two = make_series("A/BTC"), make_series("B/BTC")
    hours = make_series("C/BTC", "1h")
    for each in (one, two, hours):
        make_gap(each, at(0), at(60))

    assert ledger.note_outages(one.market.exchange_id) == 0


def test_staff_settle_a_gap_with_a_note():
    gap = make_gap()

    assert ledger.mark(gap, note="halted", now=NOW, user="ann@example.com")

    gap.refresh_from_db()
    assert (gap.state, gap.reason) == ("unavailable", GapReason.MARKED_BY_STAFF)
    assert gap.evidence[-1]["note"] == "halted"
    assert not ledger.mark(gap, note="again", now=NOW, user="ann@example.com")


def listed(series, *, is_listed=True, listed_ms=None):
    Market.objects.filter(pk=series.market_id).update(
        is_listed=is_listed, listed_ms=listed_ms, exchange_symbol="X"
    )
    return Series.objects.select_related("market__exchange").get(pk=series.pk)


def test_what_was_missing_before_the_listing_never_was_there():
    series = listed(make_series(), listed_ms=at(10))
    make_gap(series, at(2), at(5))
    make_gap(series, at(8), at(14))
    later = make_gap(series, at(20), at(22))

    assert ledger.note_listing(series, now=NOW) == 2

    told = Gap.objects.order_by("start_ms").values_list("reason", "state", "missing")
    assert list(told) == [
        ("pre_listing", "unavailable", 3),
        ("pre_listing", "unavailable", 2),
        ("unknown", "open", 4),
        ("unknown", "open", 2),
    ]
    assert ledger.note_listing(series, now=NOW) == 0
    later.refresh_from_db()
    assert later.evidence == []


def test_of_a_delisted_market_nothing_is_to_be_had_until_it_is_listed_again():
    series = listed(make_series(), is_listed=False)
    gap = make_gap(series, at(2), at(5))

    assert ledger.note_listing(series, now=NOW) == 1
    gap.refresh_from_db()
    assert (gap.reason, gap.state) == ("delisted", "unavailable")
    ledger.note_listing(listed(series), now=NOW)

    gap.refresh_from_db()
    assert (gap.reason, gap.state) == ("unknown", "open")


@pytest.mark.parametrize("reason", ledger.BY_STAFF)
def test_staff_say_why_a_gap_is_settled(reason):
    gap = make_gap()

    assert ledger.mark(gap, note="closed on Sundays", now=NOW, user="ann", reason=reason)

    gap.refresh_from_db()
    assert (gap.reason, gap.state) == (reason, "unavailable")
    assert gap.evidence[-1]["note"] == "closed on Sundays"
    assert QualitySummary.objects.get().is_stale
