"""The shape of a candle on its way in."""

from markets.rows import Row


def test_a_row_that_tells_only_prices_is_final_and_untold_otherwise():
    row = Row(0, 1.0, 2.0, 0.5, 1.5, 10.0)

    assert (row.final, row.trades, row.quote_volume) == (True, None, None)
