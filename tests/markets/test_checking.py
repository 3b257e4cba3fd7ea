"""Which rows of an answer are believed."""

import pytest

from markets import checking, timeframes
from markets.adapters.wire import BadAnswerError
from markets.checking import Asked, BadRowsError
from markets.choices import Policy
from tests.markets.factories import MINUTE, START_MS, make_row, make_rows

ASKED = Asked("BTC/USDT", timeframes.of("1m"), START_MS, START_MS + 10 * MINUTE)


def check(rows, policy=Policy.SKIP):
    return checking.check(rows, ASKED, policy=policy)


def test_a_good_page_is_taken_as_it_is():
    page = check(make_rows(10))

    assert page.rows == make_rows(10)
    assert page.is_whole
    assert not page.findings


def test_an_empty_page_is_whole_and_proves_nothing_by_itself():
    assert check([]).rows == []


def test_order_and_repeats_are_put_right_and_counted():
    rows = make_rows(5)
    spoiled = [rows[0], rows[2], rows[1], rows[1], rows[3], rows[4]]

    page = check(spoiled)

    assert page.rows == rows
    assert dict(page.findings) == {"out_of_order": 1, "duplicate": 1}
    assert page.is_whole


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"high": 1.0}, "bad_ohlc"),
        ({"low": 101.2}, "bad_ohlc"),
        ({"close": 500.0}, "bad_ohlc"),
        ({"low": 0.0}, "bad_value"),
        ({"open": -1.0, "low": -2.0}, "bad_value"),
        ({"volume": -1.0}, "bad_value"),
        ({"close": float("nan")}, "not_a_number"),
        ({"high": float("inf")}, "not_a_number"),
        ({"open_time": START_MS + MINUTE + 7_000}, "misaligned"),
    ],
)
def test_a_row_that_cannot_be_right_is_left_out_and_the_page_not_whole(fields, kind):
    rows = make_rows(3)
    rows[1] = rows[1]._replace(**fields)

    page = check(rows)

    assert page.rows == [rows[0], rows[2]]
    assert dict(page.findings) == {kind: 1}
    assert not page.is_whole


@pytest.mark.parametrize("policy", [Policy.REJECT, Policy.RETRY])
def test_a_strict_policy_refuses_the_whole_page(policy):
    with pytest.raises(BadRowsError, match="bad_ohlc"):
        check([make_row(high=1.0)], policy)


@pytest.mark.parametrize("policy", [Policy.REJECT, Policy.RETRY])
def test_a_strict_policy_refuses_numbers_that_are_none(policy):
    with pytest.raises(BadRowsError, match="not_a_number"):
        check([make_row(close=float("nan"))], policy)


def test_keep_and_flag_keeps_what_can_be_stored():
    odd, off = make_row(high=1.0), make_row(START_MS + MINUTE + 1)

    page = check([odd, off], Policy.KEEP)

    assert page.rows == [odd]
    assert dict(page.findings) == {"bad_ohlc": 1, "misaligned": 1}


def test_rows_outside_the_range_asked_for_are_left_out():
    rows = make_rows(12)

    page = check(rows)

    assert page.rows == rows[:10]
    assert dict(page.findings) == {"outside": 2}
    assert not page.is_whole


def test_a_page_of_another_time_is_no_answer():
    with pytest.raises(BadAnswerError):
        check(make_rows(3, start_ms=START_MS + 86_400_000))


def test_another_markets_candles_are_no_answer():
    rows = make_rows(3)

    with pytest.raises(BadAnswerError, match="another market"):
        checking.require_same_market(
            rows, {row.open_time: row.close * 3 for row in rows}, symbol="BTC/USDT"
        )


@pytest.mark.parametrize("agreeing", [1, 2, 3])
def test_a_correction_of_some_candles_is_an_answer(agreeing):
    rows = make_rows(3)
    stored = {row.open_time: row.close * 3 for row in rows[agreeing:]}

    checking.require_same_market(
        rows, stored | {row.open_time: row.close for row in rows[:agreeing]}, symbol="BTC/USDT"
    )
