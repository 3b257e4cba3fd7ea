"""The exchanges as ccxt knows them, pointed where they are to be asked."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import ccxt

from markets.adapters import failures, wire
from markets.adapters.sessions import OneWaySession
from markets.adapters.wire import Access, MarketInfo, PageAsk, Trade, Venue
from markets.rows import Row

#: The whole answer may take so many times the time-out.
WHOLE_ANSWER: Final = 3


def is_known(exchange: str) -> bool:
    """Say whether ccxt knows an exchange of this id."""
    return exchange in ccxt.exchanges


def title_of(exchange: str) -> str:
    """Return the exchange's name for people."""
    return str(getattr(ccxt, exchange)().name) if is_known(exchange) else exchange


def host_of(exchange: str) -> str:
    """Return the host name of the exchange's own REST interface."""
    found = getattr(ccxt, exchange)()
    url = found.implode_hostname(str(_first(found.urls.get("api", ""))))
    return urlsplit(url).hostname or exchange


def _first(api: Any) -> Any:
    while isinstance(api, dict):
        api = api.get("public") or api.get("rest") or next(iter(api.values()), "")
    return api


def page_limit(exchange: str, ask: PageAsk) -> int:
    """Return how many rows the exchange gives at most for such a window."""
    return min(ask.limit, _KINDS.get(exchange, _Generic).most_rows(ask))


def is_newest_first(exchange: str) -> bool:
    """Say whether a page that is cut off holds the newest rows of its window."""
    return _KINDS.get(exchange, _Generic).newest_first


def open_venue(access: Access) -> Venue:
    """Return the exchange, ready to be asked.

    Raises:
        UnknownExchangeError: ccxt knows none of this id.
    """
    if not is_known(access.exchange):
        raise wire.UnknownExchangeError(f"ccxt knows no exchange {access.exchange!r}")
    exchange = getattr(ccxt, access.exchange)(
        {
            "enableRateLimit": False,  # the budget is shared by all processes, see budgeting
            "timeout": int(access.timeout_s * 1000),
            "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False},
        }
    )
    exchange.session.close()
    exchange.session = OneWaySession(access.proxy_url, at_most_s=WHOLE_ANSWER * access.timeout_s)
    return _KINDS.get(access.exchange, _Generic)(exchange, access)


#: Trades of one answer of Binance; a candle with more is not compared with its trades.
_MOST_TRADES: Final = 1000


class _Generic:
    """Any exchange of ccxt, by its unified calls."""

    newest_first = False

    def __init__(self, exchange: Any, access: Access) -> None:
        self._exchange = exchange
        if access.rest_url:
            self._point_at(access.rest_url.rstrip("/"))

    def _point_at(self, url: str) -> None:
        self._exchange.urls["api"] = _replaced(self._exchange.urls["api"], url)

    def time_ms(self) -> int | None:
        """Return the exchange's time; None where it has no such call."""
        if not self._exchange.has.get("fetchTime"):
            return None
        with failures.translated(self._exchange):
            told = self._exchange.fetch_time()
        if not isinstance(told, int) or told <= 0:
            raise wire.BadAnswerError("the exchange's time is no number")
        return told

    def markets(self) -> Sequence[MarketInfo]:
        """Return all spot markets."""
        with failures.translated(self._exchange):
            found = self._exchange.load_markets(True)  # noqa: FBT003 -- ccxt's signature
        if not found:
            raise wire.BadAnswerError("the list of markets is empty")
        return [_info(market) for market in found.values() if market.get("spot")]

    def page(self, ask: PageAsk) -> list[Row]:
        """Return the rows of one window."""
        with failures.translated(self._exchange):
            found = self._exchange.fetch_ohlcv(
                ask.symbol,
                ask.timeframe,
                since=ask.start_ms,
                limit=ask.limit,
                params={"until": ask.end_ms - 1},
            )
        rows = _rows(found, _row)
        # some exchanges know no end: what is beyond it was not asked for
        return [row for row in rows if row.open_time < ask.end_ms]

    def trades(self, _ask: PageAsk, /) -> list[Trade] | None:
        """Return all trades of one candle's time, oldest first; None where it can't be asked."""
        return None

    @classmethod
    def most_rows(cls, ask: PageAsk) -> int:
        """Return how many rows it gives at most for such a window."""
        return 500

    def used_weight(self) -> tuple[int, int] | None:
        """Return nothing: it doesn't say."""
        return None

    def close(self) -> None:
        """Close its connections."""
        self._exchange.session.close()


class _Binance(_Generic):
    """Binance spot: raw klines, oldest first, with trades and quote volume."""

    #: Weight that one address may use in a minute (exchangeInfo's REQUEST_WEIGHT).
    _WEIGHT: Final = 6_000

    def _point_at(self, url: str) -> None:
        api = self._exchange.urls["api"]
        self._exchange.urls["api"] = {**api, "public": f"{url}/api/v3", "private": f"{url}/api/v3"}

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
        return _rows(
            found,
            lambda row: _row(row, trades=int(row[8]), quote_volume=float(row[7])),
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

    def used_weight(self) -> tuple[int, int] | None:
        """Return what its last answer said, and its limit of a minute."""
        headers = dict(self._exchange.last_response_headers or {})
        told = {name.lower(): value for name, value in headers.items()}
        used = str(told.get("x-mbx-used-weight-1m", ""))
        return (int(used), self._WEIGHT) if used.isascii() and used.isdecimal() else None


class _Okx(_Generic):
    """OKX spot: raw candles, newest first, with their finality and quote volume."""

    newest_first = True
    _RECENT: Final = 1_439
    _LONG: Final = ("6h", "12h", "1d", "3d", "1w", "1M")

    def _point_at(self, url: str) -> None:
        self._exchange.urls["api"] = {**self._exchange.urls["api"], "rest": url}

    def page(self, ask: PageAsk) -> list[Row]:
        """Return the rows of one window; both its ends are exclusive on the wire."""
        call = (
            self._exchange.public_get_market_candles
            if self._is_recent(ask)
            else self._exchange.public_get_market_history_candles
        )
        with failures.translated(self._exchange):
            found = call(
                {
                    "instId": ask.exchange_symbol,
                    "bar": self._bar(ask.timeframe),
                    "before": ask.start_ms - 1,
                    "after": ask.end_ms,
                    "limit": ask.limit,
                }
            )
        rows = found.get("data") if isinstance(found, dict) else None
        return _rows(
            rows,
            lambda row: _row(row, final=str(row[8]) == "1", quote_volume=float(row[7])),
        )[::-1]

    @classmethod
    def most_rows(cls, ask: PageAsk) -> int:
        """Return how many rows it gives at most for such a window."""
        return 300 if cls._is_recent(ask) else 100

    @classmethod
    def _is_recent(cls, ask: PageAsk) -> bool:
        return ask.start_ms >= ask.now_ms - cls._RECENT * ask.step_ms

    def _bar(self, timeframe: str) -> str:
        """Return its spelling; long bars open by Hong Kong's midnight unless told ``utc``."""
        if timeframe in self._LONG:
            return f"{timeframe.upper()}utc"
        return timeframe if timeframe.endswith("m") else timeframe.upper()


_KINDS: Final[dict[str, type[_Generic]]] = {"binance": _Binance, "okx": _Okx}


def _replaced(api: Any, url: str) -> Any:
    if isinstance(api, dict):
        return {name: _replaced(inner, url) for name, inner in api.items()}
    return url


def _info(market: Any) -> MarketInfo:
    created = market.get("created")
    return MarketInfo(
        symbol=str(market["symbol"]),
        base=str(market["base"]),
        quote=str(market["quote"]),
        exchange_symbol=str(market["id"]),
        is_listed=market.get("active") is not False,
        listed_ms=int(created) if created else None,
    )


def _row(
    wire: Any, *, final: bool = True, trades: int | None = None, quote_volume: float | None = None
) -> Row:
    opened, high, low, closed, volume = map(float, wire[1:6])
    return Row(int(wire[0]), opened, high, low, closed, volume, final, trades, quote_volume)


def _rows(found: Any, read: Any) -> list[Row]:
    """Read rows; anything else than a list of whole rows proves nothing.

    Raises:
        BadAnswerError: HTML, an empty body, rows of nothing, text that is no number.
    """
    if not isinstance(found, list):
        raise wire.BadAnswerError("the answer is no list of candles")
    try:
        return [read(row) for row in found]
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise wire.BadAnswerError("a row of the answer is no candle") from error
