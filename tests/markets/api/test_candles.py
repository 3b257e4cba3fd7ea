"""Candles over REST: as the contract writes them, streamed."""

import json
from typing import Any

import pyarrow as pa
import pytest
from django.test import AsyncClient
from pyarrow import parquet

from markets.api.candles import FILES
from tests.factories import make_key, make_user
from tests.markets.factories import MINUTE, START_MS, make_candles, make_series


def at(number):
    return START_MS + number * MINUTE


def get(client, series, **query):
    answer = client.get(f"/api/markets/{series.market_id}/candles", query)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer, body


@pytest.fixture
def series(db):
    made = make_series("BTC/USDT")
    make_candles(made, 20, without=(5,))
    return made


def test_json_has_the_contracts_shape(user, series):
    answer, body = get(user, series, timeframe="1m", start="2026-01-05T00:00:00Z", end=at(2))

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == {
        "market": "binance:BTC/USDT",
        "timeframe": "1m",
        "candles": [
            [at(0), 100.0, 101.0, 99.0, 100.5, 10.0, True, False],
            [at(1), 101.0, 102.0, 100.0, 101.5, 10.0, True, False],
        ],
        "next": None,
    }


def test_next_leads_through_the_whole(user, series):
    address, found = f"/api/markets/{series.market_id}/candles?start={at(0)}&limit=7", []
    while address:
        page = json.loads(b"".join(user.get(address).streaming_content))
        found += page["candles"]
        address = page["next"]

    assert [row[0] for row in found] == [at(n) for n in range(20) if n != 5]


def test_fill_ins_are_flagged(user, series):
    _, body = get(user, series, start=at(4), end=at(7), fill="previous")

    rows = json.loads(body)["candles"]
    assert [(row[0], row[7]) for row in rows] == [(at(4), False), (at(5), True), (at(6), False)]


def test_csv_has_the_contracts_heading(user, series):
    answer, body = get(user, series, format="csv", start=at(0), end=at(1))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert body == (
        b"open_time_ms,open,high,low,close,volume\n1767571200000,100.0,101.0,99.0,100.5,10.0\n"
    )


def test_fill_ins_of_a_file_are_flagged_too(user, series):
    _, body = get(user, series, start=at(4), end=at(6), fill="previous", format="csv")

    heading, *rows = body.decode().splitlines()
    assert heading == "open_time_ms,open,high,low,close,volume,filled"
    assert [row.rpartition(",")[2] for row in rows] == ["false", "true"]


def test_a_timeframe_that_is_not_kept_is_made_and_says_so(user, series):
    answer, body = get(user, series, timeframe="5m", start=at(0))

    found = json.loads(body)
    assert answer["X-Resampled-From"] == "1m"
    assert found["resampled_from"] == "1m"
    assert [row[0] for row in found["candles"]] == [at(0), at(5), at(10), at(15)]
    assert found["incomplete"] == [[at(5), 1]]
    assert found["candles"][0] == [at(0), 100.0, 105.0, 99.0, 104.5, 50.0, True, False]


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize("timeframe", ["1m", "5m"])
def test_columns_hold_what_json_holds(user, series, form, timeframe):
    expected = json.loads(get(user, series, timeframe=timeframe, start=at(0))[1])

    answer, body = get(user, series, timeframe=timeframe, format=form)

    table = (
        parquet.read_table(pa.BufferReader(body))
        if form == "parquet"
        else pa.ipc.open_stream(body).read_all()
    )
    rows = [list(row.values()) for row in table.to_pylist()]
    found = [[round(row[0].timestamp() * 1000), *row[1:8]] for row in rows]
    assert found == expected["candles"]
    assert ("missing" in table.column_names) == (timeframe == "5m")
    assert answer["Content-Type"] == FILES[form][0]
    assert answer["Content-Disposition"].startswith('attachment; filename="binance_BTC_USDT-')


def test_a_file_of_nothing_is_a_file(user, db):
    series = make_series()

    for form in ("parquet", "arrow"):
        _, body = get(user, series, format=form)
        reader = parquet.read_table if form == "parquet" else read_stream
        assert reader(pa.BufferReader(body)).num_rows == 0


def read_stream(source):
    return pa.ipc.open_stream(source).read_all()


def test_nothing_stored_is_an_empty_answer(user, db):
    series = make_series()

    assert json.loads(get(user, series)[1])["candles"] == []
    assert get(user, series, format="csv")[1].count(b"\n") == 1


def test_zero_is_the_beginning(user, series):
    assert get(user, series, start="0")[1] == get(user, series, start="1970-01-01")[1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"timeframe": "7m"}, "timeframe"),
        ({"timeframe": ""}, "timeframe"),
        ({"timeframe": "1s"}, "timeframe"),
        ({"start": at(5), "end": at(4)}, "end"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "10000001"}, "limit"),
        ({"format": "xml"}, "format"),
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "9" * 30}, "limit"),
        ({"start": "soon"}, "start"),
        ({"start": "2026-13-01"}, "start"),
        ({"start": "9" * 30}, "start"),
        ({"end": "9" * 5000}, "end"),
        ({"start": "2024"}, "start"),
        ({"start": at(5), "end": at(5)}, "end"),
        ({"fill": "linear"}, "fill"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_parameters_are_named(user, series, query, field):
    answer, _ = get(user, series, **query)

    assert answer.status_code == 422
    if field:
        assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_a_stranger_and_nobody_are_refused(nobody, series):
    assert get(nobody, series)[0].status_code == 401


@pytest.mark.django_db(transaction=True)
async def test_under_asgi_the_answer_comes_in_pieces(monkeypatch):
    monkeypatch.setattr("markets.reading.CHUNK", 100)
    series, secret = await _made()
    answer: Any = await AsyncClient().get(
        f"/api/markets/{series.market_id}/candles",
        {"start": at(0), "limit": 1000},
        headers={"Authorization": f"Api-Key {secret}"},
    )
    assert answer.status_code == 200
    pieces = [piece async for piece in answer.streaming_content]

    assert len(pieces) >= 5
    found = json.loads(b"".join(pieces))
    assert [row[0] for row in found["candles"]] == [at(n) for n in range(500)]


async def _made():
    from project.core.hub import in_thread

    def make():
        series = make_series("BTC/USDT")
        make_candles(series, 500)
        return series, make_key(make_user()).secret

    return await in_thread(make)
