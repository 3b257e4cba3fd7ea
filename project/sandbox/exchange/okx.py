"""What OKX's REST interface answers: cursors, limits, errors and order of its rows."""

import json
import sys
from dataclasses import replace

from aiohttp import web

from project.sandbox.exchange.binance import another, tick_of
from project.sandbox.exchange.candles import Candle
from project.sandbox.exchange.markets import Ask, Exchange, Market
from project.sandbox.exchange.refusals import okx_error
from project.sandbox.exchange.spoiling import Row, spoil
from project.sandbox.exchange.timeframes import OKX_BARS, Timeframe
from project.sandbox.faults import FaultKind
from project.sandbox.serving import ENTRY, FAULT

VENUE = "okx"
PREFIX = "/api/v5"
RECENT_CANDLES = 1440
"""How far back ``candles`` reaches; older ones are only on ``history-candles``."""

_USUAL_LIMIT, _MOST_RECENT, _MOST_HISTORY = 100, 300, 100


def wire_symbol(symbol: str) -> str:
    """Return OKX's spelling of a market."""
    return symbol.replace("/", "-")


class _WrongError(Exception):
    """A parameter that OKX refuses, with its code and words."""

    def __init__(self, code: str, message: str, *, status: int) -> None:
        super().__init__(message)
        self.response = okx_error(code, message, status=status)


class OkxRest:
    """The handlers of OKX's paths."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._by_wire = {wire_symbol(each): each for each in exchange.markets}

    def routes(self) -> list[web.RouteDef]:
        """Return the paths that are answered."""
        return [
            web.get(f"{PREFIX}/public/time", self.time),
            web.get(f"{PREFIX}/public/instruments", self.instruments),
            web.get(f"{PREFIX}/market/candles", self.candles),
            web.get(f"{PREFIX}/market/history-candles", self.history_candles),
        ]

    def symbol_of(self, request: web.Request) -> str | None:
        """Return the market that a request names, in our spelling."""
        return self._by_wire.get(request.query.get("instId", ""))

    def timeframe_of(self, request: web.Request) -> str | None:
        """Return the timeframe that a request names, in our spelling."""
        if not request.path.endswith("candles"):
            return None
        known = OKX_BARS.get(request.query.get("bar", "1m"))
        return known.name if known else None

    async def time(self, _request: web.Request) -> web.Response:
        """Answer the exchange's time."""
        return _success([{"ts": str(self._exchange.clock.now_ms())}])

    async def instruments(self, request: web.Request) -> web.Response:
        """Answer all markets of the asked kind; only SPOT has any."""
        kind = request.query.get("instType", "")
        if kind not in ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION"):
            return okx_error("51000", "Parameter instType error", status=400)
        wanted = request.query.get("instId")
        markets = self._exchange.markets.values() if kind == "SPOT" else ()
        return _success(
            [_instrument(each) for each in markets if wanted in (None, wire_symbol(each.symbol))]
        )

    async def candles(self, request: web.Request) -> web.Response:
        """Answer a page of recent candles, newest first."""
        return self._page(request, most=_MOST_RECENT, recent=RECENT_CANDLES)

    async def history_candles(self, request: web.Request) -> web.Response:
        """Answer a page of candles of any age, newest first."""
        return self._page(request, most=_MOST_HISTORY, recent=None)

    def _page(self, request: web.Request, *, most: int, recent: int | None) -> web.Response:
        try:
            ask = self._ask(request, most=most)
        except _WrongError as wrong:
            return wrong.response
        if recent is not None:
            oldest_ms = _oldest(ask.timeframe, recent, now_ms=self._exchange.clock.now_ms())
            ask = replace(ask, start_ms=max(ask.start_ms, oldest_ms))
        fault = request.get(FAULT)
        if fault is not None and fault.kind is FaultKind.WRONG_SYMBOL:
            ask = replace(ask, symbol=another(self._exchange, ask.symbol))
        rows = spoil([_row(each) for each in self._exchange.page(ask)], fault)
        request[ENTRY].rows = len(rows)
        return _success(rows)

    def _ask(self, request: web.Request, *, most: int) -> Ask:
        symbol = self.symbol_of(request)
        if symbol is None:
            raise _no_instrument(request)
        bar = OKX_BARS.get(request.query.get("bar", "1m"))
        if bar is None:
            raise _WrongError("51000", "Parameter bar error", status=400)
        after_ms = _number(request, "after")
        before_ms = _number(request, "before")
        limit = _number(request, "limit")
        return Ask(
            venue=VENUE,
            symbol=symbol,
            timeframe=bar,
            start_ms=0 if before_ms is None else before_ms + 1,
            end_ms=sys.maxsize if after_ms is None else after_ms,
            limit=min(most, limit or _USUAL_LIMIT),
            newest=True,
        )


def _oldest(timeframe: Timeframe, candles: int, *, now_ms: int) -> int:
    """Return when the oldest of the last ``candles`` opened, the open one counted."""
    open_ms = timeframe.opened(now_ms)
    length_ms = timeframe.following(open_ms) - open_ms
    return open_ms - (candles - 1) * length_ms


def _no_instrument(request: web.Request) -> _WrongError:
    if not request.query.get("instId"):
        return _WrongError("50014", "Parameter instId can not be empty", status=400)
    return _WrongError(
        "51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.", status=200
    )


def _number(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None or not text:
        return None
    if not text.isdecimal():
        raise _WrongError("51000", f"Parameter {name} error", status=400)
    return int(text)


def _success(data: object) -> web.Response:
    body = json.dumps({"code": "0", "msg": "", "data": data}, separators=(",", ":"))
    return web.Response(text=body, content_type="application/json")


def _row(candle: Candle) -> Row:
    return [
        str(candle.open_ms),
        candle.open,
        candle.high,
        candle.low,
        candle.close,
        candle.volume,
        candle.quote_volume,
        candle.quote_volume,
        "1" if candle.final else "0",
    ]


def _instrument(market: Market) -> dict[str, str]:
    return {
        "alias": "",
        "baseCcy": market.base,
        "category": "1",
        "ctMult": "",
        "ctType": "",
        "ctVal": "",
        "ctValCcy": "",
        "expTime": "",
        "instFamily": "",
        "instId": wire_symbol(market.symbol),
        "instType": "SPOT",
        "lever": "",
        "listTime": str(market.book.listed_ms),
        "lotSz": "0.00001",
        "maxIcebergSz": "9999999999",
        "maxLmtSz": "9999999999",
        "maxMktSz": "1000000",
        "maxStopSz": "1000000",
        "maxTriggerSz": "9999999999",
        "maxTwapSz": "9999999999",
        "minSz": "0.00001",
        "optType": "",
        "quoteCcy": market.quote,
        "settleCcy": "",
        "state": "live",
        "stk": "",
        "tickSz": tick_of(market),
        "uly": "",
    }
