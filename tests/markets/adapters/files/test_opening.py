"""Candle files of every kind: told apart, read whole, bombs and broken ones refused."""

import gzip
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from markets.adapters.files import lines, opening, tables
from markets.adapters.files.lines import BadCandleFileError, moment_ms
from markets.rows import Row

pytestmark = pytest.mark.once

START = 1_767_571_200_000
ROWS = [Row(START + n * 60_000, 1.5 + n, 3.0 + n, 0.25, 2.5 + n, 10.125) for n in range(3)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def read(path):
    found, faults = [], []
    for batch in opening.batches(path, "file"):
        found += batch.rows
        faults += batch.faults
    return found, faults


def as_csv(rows, *, delimiter=",", heading=True, form="ms"):
    def moment(ms):
        return {
            "s": ms // 1000,
            "ms": ms,
            "us": ms * 1000,
            "ns": ms * 1_000_000,
            "iso": datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(),
            "plain": f"{datetime.fromtimestamp(ms / 1000, tz=UTC):%Y-%m-%d %H:%M:%S}",
        }[form]

    head = [delimiter.join(["date", "open", "high", "low", "close", "volume"])] if heading else []
    body = [delimiter.join(map(str, (moment(row[0]), *row[1:6]))) for row in rows]
    return "\n".join([*head, *body])


@pytest.mark.parametrize("form", ["s", "ms", "us", "ns", "iso", "plain"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("heading", [True, False])
def test_csv_of_every_shape(path, form, delimiter, heading):
    path.write_text(as_csv(ROWS, delimiter=delimiter, heading=heading, form=form))

    assert read(path) == (ROWS, [])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_csv_of_every_encoding(path, encoding, end):
    path.write_bytes((as_csv(ROWS).replace("\n", end) + end).encode(encoding))

    assert read(path) == (ROWS, [])


def test_columns_stand_in_any_order_and_extra_ones_are_passed_by(path):
    path.write_text(
        "Symbol,Volume,Close,Trades,Low,High,Open,Quote_Volume,Unix\n"
        f"BTC,10.125,2.5,7,0.25,3,1.5,99.5,{START // 1000}\n"
    )

    assert read(path) == ([ROWS[0]._replace(trades=7, quote_volume=99.5)], [])


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("heading", [True, False])
def test_decimal_commas_go_with_every_other_delimiter(path, delimiter, heading):
    text = as_csv(ROWS, delimiter=delimiter, heading=heading).replace(".", ",")
    path.write_text(text)

    assert read(path) == (ROWS, [])


@pytest.mark.parametrize(
    ("before", "heading"),
    [
        ("", "unix,open,high,low,close,Volume BTC,Volume USDT"),
        ("https://www.example.com\n", "timestamp,open,high,low,close,volume"),
        (
            "\n \n# exported, by a tool, of, two, or, three\n",
            '"Date","Open","High","Low","Close","Volume"',
        ),
        ("", ",open,high,low,close,volume"),
    ],
    ids=["volume in words", "address", "remarks", "index of pandas"],
)
def test_what_stands_before_the_rows(path, before, heading):
    spare = "," * (heading.count(",") - 5)
    body = as_csv(ROWS, heading=False).replace("\n", f"{spare}\n")
    path.write_text(f"{before}{heading}\n{body}{spare}\nsum,1\n")

    found, faults = read(path)

    assert found == ROWS
    assert faults == [(before.count("\n") + 5, "too short: it has 2 cells")]


@pytest.mark.parametrize(
    ("tail", "why"),
    [(",9.9,7", "8 columns without a heading"), (",1,2,3", "9 columns without a heading")],
)
def test_columns_that_nobody_named_are_not_guessed(path, tail, why):
    """Kraken's rows have the average price where others have the volume."""
    path.write_text(as_csv(ROWS, heading=False).replace("\n", f"{tail}\n") + tail)

    with pytest.raises(BadCandleFileError, match=why):
        read(path)


@pytest.mark.parametrize("number", ["1_000", "١٢", "0x1p3", "1,5", "true", ""])
def test_what_only_python_takes_for_a_number_is_none(path, number):
    path.write_text(f'{as_csv(ROWS)}\n{START},"{number}",3,0.25,2.5,10\n')

    found, faults = read(path)

    assert found == ROWS
    assert [line for line, _ in faults] == [5]


def test_years_may_come_first_with_slashes(path):
    path.write_text("date,open,high,low,close,volume\n2026/01/05 00:00:00,1.5,3,0.25,2.5,10.125\n")

    assert read(path) == ([ROWS[0]], [])


def test_what_desktops_add_to_archives_is_passed_by(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("BTCUSDT-1m.csv", as_csv(ROWS))
        archive.writestr("__MACOSX/._BTCUSDT-1m.csv", b"\0\5\x16\7")
        archive.writestr("data/.DS_Store", b"\0\0")

    assert read(path) == (ROWS, [])


def test_a_broken_file_is_told_without_saying_where_it_lies(path):
    feather.write_feather(pa.table({"date": [START]}), path)
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(BadCandleFileError) as caught:
        read(path)

    assert str(path) not in str(caught.value)


def test_a_line_that_is_none_is_told_with_its_number(path):
    path.write_text(as_csv(ROWS) + "\nx,1,2,3,4,5\n1,2\n" + f"{START},1,2,,4,5\n")

    found, faults = read(path)

    assert found == ROWS
    assert [line for line, _ in faults] == [5, 6, 7]


def binance(*, micro, heading=False):
    """Rows as Binance publishes them: microseconds since 2025."""
    factor = 1000 if micro else 1
    body = [
        f"{row[0] * factor},{row[1]},{row[2]},{row[3]},{row[4]},{row[5]},"
        f"{(row[0] + 59_999) * factor},123.5,42,1,2,0"
        for row in ROWS
    ]
    names = (
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
        "taker_buy_volume,taker_buy_quote_volume,ignore"
    )
    return "\n".join([names, *body] if heading else body) + "\n"


@pytest.mark.parametrize("micro", [True, False])
@pytest.mark.parametrize("heading", [True, False])
def test_binances_archives(path, micro, heading):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("BTCUSDT-1m-2026-01.csv", binance(micro=micro, heading=heading))

    assert opening.form_of(path) == "zip"
    assert read(path) == ([row._replace(trades=42, quote_volume=123.5) for row in ROWS], [])


def test_a_checksum_is_that_of_the_file(path):
    path.write_bytes(b"content")
    good = hashlib.sha256(b"content").hexdigest()

    opening.require_checksum(path, f"{good.upper()}  BTCUSDT-1m-2026-01.zip\n", "file")
    with pytest.raises(BadCandleFileError, match="differs"):
        opening.require_checksum(path, "0" * 64, "file")


@pytest.mark.parametrize("is_packed", [True, False])
@pytest.mark.parametrize("piece", [1, 7, 50, 262_144])
def test_freqtrades_json_is_read_in_pieces(path, monkeypatch, is_packed, piece):
    monkeypatch.setattr("markets.adapters.files.texts._PIECE", piece)
    body = json.dumps([list(row[:6]) for row in ROWS]).encode()
    path.write_bytes(gzip.compress(body) if is_packed else body)

    assert read(path) == (ROWS, [])


def table(unit="ms", names=("date", "open", "high", "low", "close", "volume")):
    columns = list(zip(*(row[:6] for row in ROWS), strict=True))
    moments = pa.array(columns[0], pa.timestamp("ms", tz="UTC")).cast(pa.timestamp(unit, tz="UTC"))
    return pa.table(dict(zip(names, [moments, *columns[1:]], strict=True)))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", ["feather", "parquet", "arrow"])
def test_columns_of_every_kind(path, kind, unit):
    if kind == "feather":
        feather.write_feather(table(unit), path, compression="lz4")
    elif kind == "parquet":
        parquet.write_table(table(unit), path)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table(unit).schema) as out:
            out.write_table(table(unit))

    assert opening.form_of(path) == kind
    assert read(path) == (ROWS, [])


def test_a_null_is_a_fault_of_its_row(path):
    broken = table().set_column(1, "open", pa.array([1.5, None, 3.5]))
    parquet.write_table(broken, path)

    found, faults = read(path)

    assert ([row.open for row in found], [line for line, _ in faults]) == ([1.5, 3.5], [2])


BROKEN = {
    "nothing": b"",
    "binary": bytes(range(256)) * 10,
    "endless line": b"1" * 200_000,
    "half a zip": b"PK\x03\x04" + b"\0" * 100,
    "half a gzip": gzip.compress(as_csv(ROWS).encode() * 50)[:60],
    "gzip in gzip": gzip.compress(gzip.compress(b"1,2,3")),
    "half a feather": b"ARROW1\0\0" + b"\0" * 100,
    "half a parquet": b"PAR1" + b"\0" * 100,
    "half a json": b"[[1,2,3,4,5,6],[1,2",
    "json of more": b"[[1,2,3,4,5,6]] [1]",
    "json of objects": b'[{"date": 1, "open": 2}]',
    "json lines": b'{"date": 1, "open": 2}\n',
    "json that ends never": b"[" + b" " * 100_000,
    "wrong heading": b"alpha,beta\n1,2\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(path, name):
    path.write_bytes(BROKEN[name])

    with pytest.raises(BadCandleFileError):
        read(path)


def test_what_unpacks_to_too_much_is_refused(path, monkeypatch):
    monkeypatch.setattr(opening, "MOST_BYTES", 1000)
    monkeypatch.setattr(opening._Bounded.__init__, "__defaults__", (1000,))
    bomb = as_csv(ROWS * 100).encode()
    for packed in (gzip.compress(bomb), zipped(bomb)):
        path.write_bytes(packed)
        with pytest.raises(BadCandleFileError, match="unpacks to more"):
            read(path)


def test_a_row_group_that_unpacks_to_too_much_is_refused(path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_BYTES", 10)
    parquet.write_table(table(), path)

    with pytest.raises(BadCandleFileError, match="unpacks to too much"):
        read(path)


def test_too_many_members_are_refused(path, monkeypatch):
    monkeypatch.setattr(opening, "MOST_MEMBERS", 2)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.csv", as_csv(ROWS))
    path.write_bytes(buffer.getvalue())

    with pytest.raises(BadCandleFileError, match="1 to 2 files"):
        read(path)


def zipped(body):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", body)
    return buffer.getvalue()


@given(st.binary(max_size=300))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(b",\r0")  # csv.Error of the first line
@example(b"a," + b"0" * 140_000 + b"\n")  # and of a field too long
def test_any_bytes_are_read_or_refused(path, content):
    path.write_bytes(content)
    try:
        read(path)
    except BadCandleFileError:
        return


@given(st.integers(lines._SECONDS, lines._MILLIS - 1))
def test_a_moment_is_the_same_in_every_unit(ms):
    whole = ms // 1000 * 1000

    assert moment_ms(whole // 1000) == moment_ms(str(whole)) == whole
    assert moment_ms(ms * 1000) == moment_ms(ms * 1_000_000) == ms
    assert moment_ms(datetime.fromtimestamp(whole / 1000, tz=UTC).isoformat()) == whole


@pytest.mark.parametrize("cell", ["", "soon", "-5", None, True, [], "2026-13-01", float("nan")])
def test_what_is_no_moment_is_refused(cell):
    with pytest.raises((ValueError, TypeError)):
        moment_ms(cell)


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe"),
    [
        ("UNITTEST_BTC-1m.json.gz", "UNITTEST/BTC", "1m"),
        ("freqtrade_ETH_BTC-5m.csv", "ETH/BTC", "5m"),
        ("BTCUSDT-1m-2024-01.zip", "BTCUSDT", "1m"),
        ("BTCUSDT-1mo-2024-01.zip", "BTCUSDT", "1M"),
        ("candles.csv", "", ""),
    ],
)
def test_names_tell_what_is_in_files(name, symbol, timeframe):
    assert opening.named(name) == opening.Named(symbol, timeframe)
