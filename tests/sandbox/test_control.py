"""The endpoints that a demo, or a test in another process, moves the sandbox with."""

import pytest
import requests

from tests.sandbox.making import MINUTE_MS, NOW_MS, OPEN_MS, klines

pytestmark = pytest.mark.once


def control(world, method, path, body=None, **query):
    return requests.request(
        method, f"{world.exchange.url}/_control/{path}", json=body, params=query, timeout=5
    )


def test_faults_are_added_listed_and_removed(world):
    ids = control(
        world, "POST", "faults", [{"kind": "html200", "times": 1}, {"kind": "hang"}]
    ).json()["ids"]
    klines_answer = requests.get(f"{world.exchange.url}/api/v3/ping", timeout=5)
    control(world, "DELETE", f"faults/{ids[1]}")

    listed = control(world, "GET", "faults").json()["faults"]

    assert "<html>" in klines_answer.text
    assert [(each["id"], each["kind"], each["hits"]) for each in listed] == [(ids[0], "html200", 1)]
    assert control(world, "DELETE", "faults").status_code == 204
    assert control(world, "GET", "faults").json() == {"faults": []}
    assert control(world, "DELETE", f"faults/{ids[0]}").status_code == 404


def test_log_shows_who_asked_what(world):
    klines(world.exchange.url, limit=3)
    requests.get(f"{world.exchange.url}/api/v5/public/time", timeout=5)

    entries = control(world, "GET", "log", venue="binance").json()["entries"]

    (entry,) = entries
    assert entry["query"] == {"symbol": "BTCUSDT", "interval": "1m", "limit": "3"}
    assert (entry["method"], entry["path"]) == ("GET", "/api/v3/klines")
    assert (entry["client"], entry["symbol"], entry["timeframe"]) == (
        "127.0.0.1",
        "BTC/USDT",
        "1m",
    )
    assert (entry["status"], entry["rows"], entry["market_ms"]) == (200, 3, NOW_MS)
    later = control(world, "GET", "log", after=entry["number"]).json()["entries"]
    assert [each["path"] for each in later] == ["/api/v5/public/time"]
    control(world, "DELETE", "log")
    assert control(world, "GET", "log").json() == {"entries": []}


def test_clock_is_frozen_moved_and_sped_up(world):
    frozen = control(world, "POST", "clock", {"now_ms": OPEN_MS}).json()
    moved = control(world, "POST", "clock", {"advance_ms": MINUTE_MS}).json()
    running = control(world, "POST", "clock", {"rate": 60}).json()
    real = control(world, "POST", "clock", {"mode": "real"}).json()

    assert frozen == {"mode": "frozen", "rate": 0.0, "now_ms": OPEN_MS}
    assert moved == {"mode": "frozen", "rate": 0.0, "now_ms": OPEN_MS + MINUTE_MS}
    assert (running["mode"], running["rate"], running["now_ms"] >= moved["now_ms"]) == (
        "running",
        60.0,
        True,
    )
    assert (real["mode"], real["now_ms"] > NOW_MS) == ("real", True)


def test_outage_takes_candles_until_it_ends(world):
    start_ms, end_ms = OPEN_MS - 8 * MINUTE_MS, OPEN_MS - 6 * MINUTE_MS
    body = {"start_ms": start_ms, "end_ms": end_ms, "venue": "binance"}
    query = {"startTime": start_ms - MINUTE_MS, "limit": 2}

    number = control(world, "POST", "outage", body).json()["id"]
    during = klines(world.exchange.url, **query)
    listed = control(world, "GET", "outage").json()["outages"]
    control(world, "DELETE", "outage", id=number)
    afterwards = klines(world.exchange.url, **query)

    assert [row[0] for row in during] == [start_ms - MINUTE_MS, end_ms]
    assert listed == [{"id": number, "symbol": None, "timeframe": None, **body}]
    assert [row[0] for row in afterwards] == [start_ms - MINUTE_MS, start_ms]


def test_correction_changes_a_final_candle(world):
    at_ms = OPEN_MS - 3 * MINUTE_MS
    body = {"symbol": "BTC/USDT", "timeframe": "1m", "open_ms": at_ms, "volume": 7.5}

    before = klines(world.exchange.url, startTime=at_ms, limit=1)[0]
    control(world, "POST", "corrections", body)
    after = klines(world.exchange.url, startTime=at_ms, limit=1)[0]

    assert after == [*before[:5], "7.5", *before[6:]]
    assert len(control(world, "GET", "corrections").json()["corrections"]) == 1
    control(world, "DELETE", "corrections")
    assert klines(world.exchange.url, startTime=at_ms, limit=1)[0] == before


def test_limit_is_set_counted_and_lifted(world):
    control(world, "POST", "limits", {"venue": "okx", "units": 1, "per_s": 3600})
    url = f"{world.exchange.url}/api/v5/public/time"

    statuses = [requests.get(url, timeout=5).status_code for _ in range(2)]
    counts = control(world, "GET", "counts").json()["counts"]
    control(world, "POST", "limits", {"venue": "okx"})
    statuses.append(requests.get(url, timeout=5).status_code)

    assert statuses == [200, 429, 200]
    (count,) = counts
    assert (count["venue"], count["client"], count["requests"], count["refused"]) == (
        "okx",
        "127.0.0.1",
        2,
        1,
    )
    control(world, "DELETE", "counts")
    assert control(world, "GET", "counts").json() == {"counts": []}


def test_markets_tell_where_their_candles_come_from(world):
    first = control(world, "GET", "markets").json()["markets"][0]

    assert (first["symbol"], first["prefix"]) == ("BTC/USDT", "generated")
    assert first["timeframes"][:3] == ["1m", "3m", "5m"]


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("faults", {"kind": "nonsense"}, "nonsense"),
        ("faults", {"kind": "hang", "tymes": 1}, "tymes"),
        ("faults", [1], "object"),
        ("clock", {"speed": 1}, "speed"),
        ("clock", {"now_ms": "soon"}, "soon"),
        ("clock", [], "object"),
        ("outage", {"start_ms": 1}, "end_ms"),
        ("outage", {"start_ms": 1, "end_ms": 2, "simbol": "x"}, "simbol"),
        ("corrections", {"symbol": "NO/PE", "timeframe": "1m", "open_ms": 1}, "NO/PE"),
        ("limits", {"units": 1}, "venue"),
        ("limits", {"venue": "okx", "unit": 1}, "unit"),
    ],
)
def test_body_that_cannot_be_used_is_refused_with_the_reason(world, path, body, words):
    answer = control(world, "POST", path, body)

    assert answer.status_code == 400
    assert words in answer.json()["detail"]
