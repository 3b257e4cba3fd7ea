"""Real files of other tools go in and come out equal, in every form and back."""

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from django.core.management import call_command
from pyarrow import feather

from markets import importing, timeframes
from markets.adapters.files import opening
from markets.models import Series
from tests.markets.factories import NOW, make_series

SHARED = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        not (SHARED / "candles").is_dir(), reason=f"no real candle files at {SHARED}: not shipped"
    ),
]
NAMES = ("open_time", "open", "high", "low", "close", "volume")
FILES = sorted(path.name for path in (SHARED / "candles").glob("*.csv"))


def stored(series):
    return list(series.candles.order_by("open_time").values_list(*NAMES))


def of_csv(path):
    with path.open() as lines:
        return [(int(row[0]), *map(float, row[1:])) for row in list(csv.reader(lines))[1:]]


def of_feather(path):
    table = feather.read_table(path)
    moments = table.column("date").cast(pa.timestamp("ms", tz="UTC")).cast(pa.int64()).to_pylist()
    values = [table.column(name).to_pylist() for name in NAMES[1:]]
    return list(zip(moments, *values, strict=True))


def of_json(path):
    return [
        (row[0], *map(float, row[1:])) for row in json.loads(gzip.decompress(path.read_bytes()))
    ]


def fill(path, timeframe):
    series = make_series("BTC/USDT", timeframe)
    importing.load(path, series=series, now=NOW)
    return series


@pytest.mark.parametrize("name", FILES)
def test_real_csv_goes_in_and_comes_out_in_every_form(name, tmp_path):
    path = SHARED / "candles" / name
    timeframe = opening.named(name).timeframe
    rows = of_csv(path)

    series = fill(path, timeframe)

    assert stored(series) == rows
    for ending in (".csv", ".json", ".json.gz", ".feather", ".parquet", ".arrows"):
        out = tmp_path / f"BTC_USDT-{timeframe}{ending}"
        words = {"market": "binance:BTC/USDT", "timeframe": timeframe}
        call_command("export_candles", str(out), **words, stdout=io.StringIO())
        again = importing.survey(out, series, now=NOW)
        assert (again.same, again.new, again.changed) == (len(rows), 0, 0), ending
        assert not again.left_out
        other = make_series(f"C{ending.replace('.', '')}/USDT", timeframe)
        importing.load(out, series=other, now=NOW)
        assert stored(other) == rows, ending


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("ETH_BTC-5m.feather", of_feather),
        ("UNITTEST_BTC-1m.feather", of_feather),
        ("UNITTEST_BTC-1m.json.gz", of_json),
    ],
)
def test_freqtrades_files_go_in_and_come_out_equal(name, read, tmp_path):
    path = SHARED / "freqtrade" / name
    rows = read(path)
    assert len(rows) > 5_000

    series = fill(path, opening.named(name).timeframe)
    out = tmp_path / name
    call_command(
        "export_candles",
        str(out),
        market="binance:BTC/USDT",
        timeframe=series.timeframe,
        stdout=io.StringIO(),
    )

    assert stored(series) == rows
    assert read(out) == rows


@pytest.mark.parametrize("heading", [True, False])
def test_a_binance_archive_of_real_candles_with_rows_off_the_grid(heading, tmp_path):
    """The published shape: microseconds, twelve columns, and rows that are off the grid."""
    rows = of_csv(SHARED / "candles" / "octobot_binance_BTC_USDT-1m.csv")
    body = io.StringIO()
    writer = csv.writer(body, lineterminator="\n")
    if heading:
        writer.writerow(
            ["open_time", *NAMES[1:], "close_time", "quote_volume", "count", "a", "b", "ignore"]
        )
    for row in rows:
        writer.writerow([row[0] * 1000, *row[1:], (row[0] + 59_999) * 1000, 9.5, 7, 0, 0, 0])
    writer.writerow([rows[-1][0] * 1000 + 30_123_000, *rows[-1][1:], 0, 0, 0, 0, 0, 0])
    path = tmp_path / "BTCUSDT-1m-2018-04.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("BTCUSDT-1m-2018-04.csv", body.getvalue())

    series = make_series("BTC/USDT")
    total, found = importing.load(path, series=series, now=NOW)

    assert total.inserted == len(rows)
    assert found.left_out == {"misaligned": 1}
    assert stored(series) == rows
    assert set(series.candles.values_list("trades", "quote_volume")) == {(7, 9.5)}


def test_gaps_of_a_file_are_told():
    known = json.loads((SHARED / "candles" / "GAPS.json").read_text())
    for name in ("freqtrade_UNITTEST_BTC-1m", "freqtrade_ADA_BTC-5m"):
        path = SHARED / "candles" / f"{name}.csv"
        series = make_series("BTC/USDT", opening.named(name).timeframe)

        found = importing.survey(path, series, now=NOW)

        lacks = sum(gap["missing"] for gap in known[name]["gaps"])
        assert found.missing(timeframes.of(series.timeframe)) == lacks
    assert Series.objects.count() == 2
