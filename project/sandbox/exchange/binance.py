"""What Binance's spot REST interface answers: names, limits, errors and order of its rows."""

import json
import re
import sys
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal

from aiohttp import web

from project.sandbox.exchange.candles import Candle
from project.sandbox.exchange.generating import GeneratedBook
from project.sandbox.exchange.limiting import Limiter, RateLimit
from project.sandbox.exchange.markets import Ask, Exchange, Market
from project.sandbox.exchange.refusals import binance_error
from project.sandbox.exchange.spoiling import Row, spoil
from project.sandbox.exchange.timeframes import BINANCE_INTERVALS, Timeframe
from project.sandbox.faults import FaultKind
from project.sandbox.serving import ENTRY, FAULT

VENUE = "binance"
PREFIX = "/api/v3"
WEIGHTS = {"/api/v3/klines": 2, "/api/v3/aggTrades": 2, "/api/v3/exchangeInfo": 20}
"""Weight of a request by its path; all others weigh 1."""
USUAL = RateLimit(units=6000, per_s=60, by_weight=True)
"""What one address may use where nothing else is set."""

_USUAL_LIMIT, _MOST = 500, 1000
_DIGITS = re.compile(r"[0-9]{1,20}")
_ORDER_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"]


def wire_symbol(symbol: str) -> str:
    """Return Binance's spelling of a market."""
    return symbol.replace("/", "")


class _WrongError(Exception):
    """A parameter that Binance refuses, with its code and words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.response = binance_error(code, message)


class BinanceRest:
    """The handlers of Binance's paths."""

    def __init__(self, exchange: Exchange, limiter: Limiter) -> None:
        self._exchange = exchange
        self._limiter = limiter
        self._by_wire = {wire_symbol(each): each for each in exchange.markets}

    def routes(self) -> list[web.RouteDef]:
        """Return the paths that are answered."""
        return [
            web.get(f"{PREFIX}/ping", self.ping),
            web.get(f"{PREFIX}/time", self.time),
            web.get(f"{PREFIX}/exchangeInfo", self.exchange_info),
            web.get(f"{PREFIX}/klines", self.klines),
            web.get(f"{PREFIX}/aggTrades", self.agg_trades),
        ]

    def symbol_of(self, request: web.Request) -> str | None:
        """Return the market that a request names, in our spelling."""
        return self._by_wire.get(request.query.get("symbol", ""))

    def timeframe_of(self, request: web.Request) -> str | None:
        """Return the timeframe that a request names, in our spelling."""
        known = BINANCE_INTERVALS.get(request.query.get("interval", ""))
        return known.name if known else None

    async def ping(self, _request: web.Request) -> web.Response:
        """Answer nothing, successfully."""
        return web.json_response({})

    async def time(self, _request: web.Request) -> web.Response:
        """Answer the exchange's time."""
        return web.json_response({"serverTime": self._exchange.clock.now_ms()})

    async def exchange_info(self, _request: web.Request) -> web.Response:
        """Answer all markets."""
        markets = self._exchange.markets.values()
        return web.json_response(
            {
                "timezone": "UTC",
                "serverTime": self._exchange.clock.now_ms(),
                "rateLimits": self._rate_limits(),
                "exchangeFilters": [],
                "symbols": [_symbol(each) for each in markets],
            }
        )

    def _rate_limits(self) -> list[dict[str, object]]:
        """Tell the limit that holds, beside one of orders that nobody here falls under."""
        orders = {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100}
        limit = self._limiter.limit_of(VENUE)
        if limit is None or limit.interval is None:
            return [orders]
        count, interval = limit.interval
        kind = "REQUEST_WEIGHT" if limit.by_weight else "RAW_REQUESTS"
        told = {"rateLimitType": kind, "interval": interval, "intervalNum": count}
        return [{**told, "limit": limit.units}, orders]

    async def klines(self, request: web.Request) -> web.Response:
        """Answer a page of candles, oldest first."""
        try:
            ask = self._ask(request)
        except _WrongError as wrong:
            return wrong.response
        fault = request.get(FAULT)
        if fault is not None and fault.kind is FaultKind.WRONG_SYMBOL:
            ask = replace(ask, symbol=another(self._exchange, ask.symbol))
        candles = self._exchange.page(ask)
        if ask.newest:
            candles.reverse()
        rows = spoil([_row(ask.timeframe, each) for each in candles], fault)
        request[ENTRY].rows = len(rows)
        return web.Response(
            text=json.dumps(rows, separators=(",", ":")), content_type="application/json"
        )

    async def agg_trades(self, request: web.Request) -> web.Response:
        """Answer the trades of the minutes that lie whole in the range asked for."""
        try:
            start_ms, end_ms = _number(request, "startTime"), _number(request, "endTime")
            limit = min(_MOST, _number(request, "limit") or _USUAL_LIMIT)
        except _WrongError as wrong:
            return wrong.response
        symbol = self.symbol_of(request)
        if symbol is None:
            return binance_error("-1121", "Invalid symbol.")
        minute = BINANCE_INTERVALS["1m"]
        window = (start_ms or 0, sys.maxsize if end_ms is None else end_ms + 1)
        wanted = Ask(VENUE, symbol, minute, *window, limit=limit, newest=False)
        found = [trade for each in self._exchange.page(wanted) for trade in trades_of(each)]
        request[ENTRY].rows = len(found[:limit])
        return web.json_response(found[:limit])

    def _ask(self, request: web.Request) -> Ask:
        for name in ("symbol", "interval"):
            if not request.query.get(name):
                raise _WrongError(
                    "-1102",
                    f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
                )
        symbol = self.symbol_of(request)
        if symbol is None:
            raise _WrongError("-1121", "Invalid symbol.")
        timeframe = BINANCE_INTERVALS.get(request.query["interval"])
        if timeframe is None:
            raise _WrongError("-1120", "Invalid interval.")
        start_ms = _number(request, "startTime")
        end_ms = _number(request, "endTime")
        limit = _number(request, "limit")
        return Ask(
            venue=VENUE,
            symbol=symbol,
            timeframe=timeframe,
            start_ms=start_ms or 0,
            end_ms=sys.maxsize if end_ms is None else end_ms + 1,
            limit=min(_MOST, _USUAL_LIMIT if limit is None else limit),
            newest=start_ms is None,
        )


def trades_of(candle: Candle) -> list[dict[str, object]]:
    """Return trades that make up a minute exactly: open, low, high, close."""
    if not Decimal(candle.volume):
        return []
    quarter = (Decimal(candle.volume) / 4).quantize(Decimal("0.00000001"), ROUND_DOWN)
    sizes = [quarter, quarter, quarter, Decimal(candle.volume) - 3 * quarter]
    prices = (candle.open, candle.low, candle.high, candle.close)
    first = candle.open_ms // 60_000 * 10
    return [
        {
            "a": first + number,
            "p": price,
            "q": f"{size:f}",
            "f": first + number,
            "l": first + number,
            "T": candle.open_ms + number * 15_000,
            "m": False,
            "M": True,
        }
        for number, (price, size) in enumerate(zip(prices, sizes, strict=True))
    ]


def another(exchange: Exchange, symbol: str) -> str:
    """Return another market than ``symbol``; the same where there is only one."""
    return next((each for each in exchange.markets if each != symbol), symbol)


def _number(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not _DIGITS.fullmatch(text):
        raise _WrongError(
            "-1100",
            f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.",
        )
    return int(text)


def _row(timeframe: Timeframe, candle: Candle) -> Row:
    return [
        candle.open_ms,
        candle.open,
        candle.high,
        candle.low,
        candle.close,
        candle.volume,
        timeframe.following(candle.open_ms) - 1,
        candle.quote_volume,
        candle.trades,
        "0",
        "0",
        "0",
    ]


def tick_of(market: Market) -> str:
    """Return the smallest step of a market's prices."""
    decimals = market.book.price_decimals if isinstance(market.book, GeneratedBook) else 8
    return f"0.{'1'.rjust(decimals, '0')}"


def _symbol(market: Market) -> dict[str, object]:
    return {
        "symbol": wire_symbol(market.symbol),
        "status": "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": _ORDER_TYPES,
        "icebergAllowed": True,
        "ocoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick_of(market),
                "maxPrice": "1000000.00000000",
                "tickSize": tick_of(market),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": "0.00001000",
                "maxQty": "9000.00000000",
                "stepSize": "0.00001000",
            },
            {
                "filterType": "MIN_NOTIONAL",
                "minNotional": "10.00000000",
                "applyToMarket": True,
                "avgPriceMins": 5,
            },
        ],
        "permissions": ["SPOT"],
    }
