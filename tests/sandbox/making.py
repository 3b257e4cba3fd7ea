"""Clients and pages that the sandbox's tests ask with."""

from typing import Any

import ccxt
import requests

NOW_MS = 1_700_000_030_000
"""2023-11-14T22:13:50Z: 50 seconds into a minute."""

MINUTE_MS = 60_000
OPEN_MS = NOW_MS // MINUTE_MS * MINUTE_MS
"""When the candle that is still open opened."""


def aimed(exchange: Any, url: str) -> Any:
    """Point a ccxt client, sync or async, at a local server."""
    if exchange.id == "binance":
        api = dict(exchange.urls["api"], public=f"{url}/api/v3", private=f"{url}/api/v3")
    else:
        api = dict(exchange.urls["api"], rest=url)
    exchange.urls["api"] = api
    exchange.options["fetchMarkets"] = {"types": ["spot"]}
    exchange.enableRateLimit = False
    return exchange


def make_binance(url: str) -> ccxt.binance:
    """Return a sync client of the sandbox's Binance that knows its markets."""
    client = aimed(ccxt.binance({"timeout": 3000}), url)
    client.load_markets()
    return client


def make_okx(url: str) -> ccxt.okx:
    """Return a sync client of the sandbox's OKX that knows its markets."""
    client = aimed(ccxt.okx({"timeout": 3000}), url)
    client.load_markets()
    return client


def klines(url: str, **query: Any) -> Any:
    """Return a page of Binance's rows, of BTCUSDT 1m unless said otherwise."""
    asked = {"symbol": "BTCUSDT", "interval": "1m", **query}
    return requests.get(f"{url}/api/v3/klines", params=asked, timeout=5).json()


def okx_rows(url: str, path: str = "history-candles", **query: Any) -> Any:
    """Return a page of OKX's rows, of BTC-USDT 1m unless said otherwise."""
    asked = {"instId": "BTC-USDT", "bar": "1m", **query}
    answer = requests.get(f"{url}/api/v5/market/{path}", params=asked, timeout=5).json()
    assert answer["code"] == "0", answer
    return answer["data"]
