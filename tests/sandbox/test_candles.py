from decimal import Decimal

import pytest

from project.sandbox import running
from project.sandbox.exchange.candles import Candle, part_way
from project.sandbox.world import WorldPlan
from tests.sandbox.making import okx_rows

pytestmark = pytest.mark.once

CANDLE = Candle(0, "10.00", "14.00", "8", "12.50", "3.0", quote_volume="30", trades=7)


def test_part_way_starts_as_a_dot_and_ends_as_the_candle():
    start, half = part_way(CANDLE, Decimal(0)), part_way(CANDLE, Decimal("0.5"))
    end = part_way(CANDLE, Decimal(1))

    assert start == Candle(0, "10.00", "10.00", "10", "10.00", "0.0", final=False)
    assert half == Candle(0, "10.00", "12.00", "9", "11.25", "1.5", "15", 3, final=False)
    assert end == Candle(0, "10.00", "14.00", "8", "12.50", "3.0", "30", 7, final=False)


def test_candle_of_a_file_is_provisional_where_the_clock_stands_in_it(tmp_path):
    rows = ("0,1,1,1,1,1", "60000,10.00,14.00,8,12.50,3.0", "120000,1,1,1,1,1")
    heading = "open_time_ms,open,high,low,close,volume"
    (tmp_path / "x_AAA_BBB-1m.csv").write_text("\n".join((heading, *rows)))

    with running(WorldPlan(candles=tmp_path, clock_ms=90_000)) as world:
        page = okx_rows(world.exchange.url, "candles", instId="AAA-BBB")
        world.clock.advance(30_000)
        later = okx_rows(world.exchange.url, "candles", instId="AAA-BBB")

    assert [row[:6] + row[8:] for row in page] == [
        ["60000", "10.00", "12.00", "9", "11.25", "1.5", "0"],
        ["0", "1", "1", "1", "1", "1", "1"],
    ]
    assert [row[0] for row in later] == ["120000", "60000", "0"]
    assert [*later[1][:6], later[1][8]] == [*rows[1].split(","), "1"]
