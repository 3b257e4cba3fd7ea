"""Real exchange data, by way of the sandbox: what is stored equals the files, gap by gap."""

import csv
import json
from pathlib import Path

import pytest

from markets import backfilling
from markets.models import BackfillTask, Gap, Series
from project import sandbox
from tests.markets import doing

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "candles"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason=f"the real candle files are not at {FOLDER}: not shipped"
    ),
]


def files():
    for path in sorted(FOLDER.glob("*.csv")):
        market, _, timeframe = path.stem.rpartition("-")
        base, quote = market.split("_")[-2:]
        yield path.stem, f"{base}/{quote}", timeframe, read(path)


def read(path):
    with path.open() as lines:
        rows = list(csv.reader(lines))[1:]
    return [(int(row[0]), *map(float, row[1:])) for row in rows]


def test_stored_equals_the_files_and_the_gaps_found_equal_the_known_ones(no_naps, record_property):
    known = json.loads((FOLDER / "GAPS.json").read_text())
    frames: dict[str, list[str]] = {}
    for _, symbol, timeframe, _ in files():
        frames.setdefault(symbol, []).append(timeframe)
    with sandbox.running(sandbox.WorldPlan(candles=FOLDER)) as world:
        collector = doing.make_local(
            world,
            symbols=[{"symbol": name, "timeframes": found} for name, found in frames.items()],
            start_at="2017-01-01T00:00:00Z",
        )
        run = doing.collect(collector)
        doing.check_quality()
        asked = len(world.exchange.log.entries())

    assert (run.status, run.error_message) == ("done", "")
    names = ("open_time", "open", "high", "low", "close", "volume")
    found_gaps = 0
    for stem, symbol, timeframe, rows in files():
        series = Series.objects.get(market__symbol=symbol, timeframe=timeframe)
        assert list(series.candles.order_by("open_time").values_list(*names)) == rows, stem
        assert not series.candles.filter(final=False).exists()
        gaps = list(
            Gap.objects.filter(series=series)
            .order_by("start_ms")
            .values_list("start_ms", "end_ms", "missing")
        )
        step = (series.candles.order_by("open_time")[1].open_time - rows[0][0]) or 1
        expected = [
            (one["first_missing_ms"], one["last_missing_ms"] + step, one["missing"])
            for one in known[stem]["gaps"]
        ]
        assert gaps == expected, stem
        tasks = BackfillTask.objects.filter(series=series).order_by("start_ms")
        spans = list(tasks.values_list("start_ms", "end_ms"))
        assert spans == backfilling.merged([gap[:2] for gap in gaps])
        found_gaps += len(gaps)
    outages = Gap.objects.filter(reason="exchange_outage")
    assert set(outages.values_list("series__market__symbol", flat=True)) == {
        "ETH/USDT",
        "ICX/BTC",
        "VEN/BTC",
        "XRB/BTC",
    }
    record_property("candles", sum(len(rows) for *_, rows in files()))
    record_property("gaps", found_gaps)
    record_property("requests", asked)
