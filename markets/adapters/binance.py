"""Binance spot: raw klines, oldest first, with trades and quote volume; weights as it tells them."""

import re
from collections.abc import Sequence
from typing import Any, Final

from markets.adapters import failures, wire
from markets.adapters.unified import Unified, row_of, rows_of
from markets.adapters.wire import MarketInfo, PageAsk, Trade, Used
from markets.rates import Rate
from markets.rows import Row

#: Trades of one answer of Binance; a candle with more is not compared with its trades.
_MOST_TRADES: Final = 1000
#: e.g. X-MBX-USED-WEIGHT-1M: the weight used in this minute.
_USED: Final = re.compile(
    r"x-mbx-used-weight-(?P<count>[1-9]\d{0,4})(?P<unit>[smhd])", re.IGNORECASE
)
#: How exchangeInfo names the windows of limits; headers name them by the first letter.
_INTERVALS_S: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}
_LETTERS_S: Final = {name[0]: length_s for name, length_s in _INTERVALS_S.items()}
#: Kinds of limits that requests for data fall under, and whether they count weight.
_KINDS: Final = {"REQUEST_WEIGHT": True, "RAW_REQUESTS": False}


class Binance(Unified):
    """Binance spot: raw klines, oldest first, with trades and quote volume."""

    #: ccxt writes 1,200 units a minute where Binance counts 6,000.
    weight_of_cost = 5
    page_weight = 2

    _told: tuple[Rate, ...] = ()

    def _point_at(self, url: str) -> None:
        api = self._exchange.urls["api"]
        self._exchange.urls["api"] = {**api, "public": f"{url}/api/v3", "private": f"{url}/api/v3"}

    def markets(self) -> Sequence[MarketInfo]:
        """Return all spot markets; its limits come in the same answer."""
        self._exchange.enableLastJsonResponse = True
        try:
            found = super().markets()
            self._told = rates_of(self._exchange.last_json_response)
        finally:
            self._exchange.enableLastJsonResponse = False
            self._exchange.last_json_response = None  # it has megabytes
        return found

    def rates(self) -> tuple[Rate, ...]:
        """Return what exchangeInfo told; empty before ``markets`` was asked."""
        return self._told

    def page(self, ask: PageAsk) -> list[Row]:
        """Return the rows of one window; its end is inclusive on the wire."""
        with failures.translated(self._exchange):
            found = self._exchange.public_get_klines(
                {
                    "symbol": ask.exchange_symbol,
                    "interval": ask.timeframe,
                    "startTime": ask.start_ms,
                    "endTime": ask.end_ms - 1,
                    "limit": ask.limit,
                }
            )
        return rows_of(
            found,
            lambda row: row_of(row, trades=int(row[8]), quote_volume=float(row[7])),
        )

    def trades(self, ask: PageAsk, /) -> list[Trade] | None:
        """Return all trades of one candle's time; None where they are more than one page."""
        with failures.translated(self._exchange):
            found = self._exchange.public_get_aggtrades(
                {
                    "symbol": ask.exchange_symbol,
                    "startTime": ask.start_ms,
                    "endTime": ask.end_ms - 1,
                    "limit": _MOST_TRADES,
                }
            )
        if isinstance(found, list) and len(found) >= _MOST_TRADES:
            return None
        try:
            return [Trade(int(one["T"]), float(one["p"]), float(one["q"])) for one in found]
        except (KeyError, TypeError, ValueError) as error:
            raise wire.BadAnswerError(f"that is no list of trades: {error}") from error

    @classmethod
    def most_rows(cls, ask: PageAsk) -> int:
        """Return how many rows it gives at most for such a window."""
        return 1000

    def used(self) -> list[Used]:
        """Return what its last answer told, by window."""
        headers = dict(self._exchange.last_response_headers or {})
        found = ((_USED.fullmatch(name), str(value)) for name, value in headers.items())
        return [
            Used(int(units), int(name["count"]) * _LETTERS_S[name["unit"].upper()])
            for name, units in found
            if name and units.isascii() and units.isdecimal()
        ]


def rates_of(info: Any) -> tuple[Rate, ...]:
    """Return the limits that exchangeInfo tells; those of orders, and unknown ones, are left out."""
    told = info.get("rateLimits") if isinstance(info, dict) else None
    found = (_rate(one) for one in told if isinstance(one, dict)) if isinstance(told, list) else ()
    return tuple(one for one in found if one is not None)


def _rate(told: dict[str, Any]) -> Rate | None:
    by_weight = _KINDS.get(str(told.get("rateLimitType")))
    unit_s = _INTERVALS_S.get(str(told.get("interval")))
    numbers = told.get("limit"), told.get("intervalNum")
    if by_weight is None or unit_s is None:
        return None
    if not all(isinstance(one, int) and one > 0 for one in numbers):
        return None
    return Rate(float(told["limit"]), float(told["intervalNum"] * unit_s), by_weight)
