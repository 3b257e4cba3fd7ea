"""How candles are written, piece by piece."""

import gzip
import json

import pyarrow as pa
import pytest
from pyarrow import feather

from markets import reading, writing
from markets.reading import Reader, Window
from tests.markets.factories import MINUTE, START_MS, make_candles, make_series

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(monkeypatch):
    monkeypatch.setattr(reading, "CHUNK", 4)
    series = make_series("BTC/USDT")
    make_candles(series, 10)
    return Reader(reading.Kept(series), Window())


def test_csv_has_the_contracts_columns(reader):
    heading, first, *_ = b"".join(writing.pieces(reader, writing.Csv())).decode().splitlines()

    assert heading == writing.CSV_HEADING == "open_time_ms,open,high,low,close,volume"
    assert first == "1767571200000,100.0,101.0,99.0,100.5,10.0"


@pytest.mark.parametrize("is_packed", [True, False])
def test_freqtrades_json_is_an_array_of_arrays(reader, is_packed):
    pieces = list(writing.pieces(reader, writing.FreqtradeJson(is_packed=is_packed)))

    body = b"".join(pieces)
    found = json.loads(gzip.decompress(body) if is_packed else body)
    assert found[0] == [START_MS, 100.0, 101.0, 99.0, 100.5, 10.0]
    assert [row[0] for row in found] == [START_MS + n * MINUTE for n in range(10)]
    assert all(pieces)


def test_an_empty_json_is_an_empty_array():
    reader = Reader(reading.Kept(make_series()), Window())

    assert b"".join(writing.pieces(reader, writing.FreqtradeJson(is_packed=False))) == b"[]"


def test_feather_is_what_freqtrade_reads(reader, tmp_path):
    path = tmp_path / "BTC_USDT-1m.feather"
    path.write_bytes(b"".join(writing.pieces(reader, writing.Columns("feather"))))

    table = feather.read_table(path)

    assert table.column_names == ["date", "open", "high", "low", "close", "volume"]
    assert table.schema.field("date").type == pa.timestamp("ms", tz="UTC")
    assert table.column("close").to_pylist()[:2] == [100.5, 101.5]
    assert table.num_rows == 10


def test_row_groups_are_of_bounded_size(reader, monkeypatch, tmp_path):
    monkeypatch.setattr(writing, "GROUP", 4)
    path = tmp_path / "candles.parquet"
    path.write_bytes(b"".join(writing.pieces(reader, writing.Columns("parquet"))))

    from pyarrow import parquet

    meta = parquet.ParquetFile(path).metadata
    assert [meta.row_group(n).num_rows for n in range(meta.num_row_groups)] == [4, 4, 2]
