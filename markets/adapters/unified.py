"""Any exchange of ccxt, by its unified calls."""

from collections.abc import Sequence
from typing import Any

from markets.adapters import failures, wire
from markets.adapters.wire import Access, MarketInfo, PageAsk, Trade, Turn, Used
from markets.rates import Rate
from markets.rows import Row


class Unified:
    """Any exchange of ccxt, by its unified calls."""

    newest_first = False
    #: Timeframes that the exchange has though ccxt doesn't name them.
    more_timeframes: frozenset[str] = frozenset()
    #: What the exchange itself counts for one unit of ccxt's costs.
    weight_of_cost: float = 1
    #: What a request for a page of candles weighs at least.
    page_weight: float = 1

    def __init__(self, exchange: Any, access: Access, turn: Turn | None = None) -> None:
        self._exchange = exchange
        if turn is not None:
            self._wait_before_requests(turn)
        if access.rest_url:
            self._point_at(access.rest_url.rstrip("/"))

    def _wait_before_requests(self, turn: Turn) -> None:
        """Let each request that leaves take its turn, those too that ccxt makes by itself."""

        def throttle(cost: float | None = None) -> None:
            turn(self.weight_of_cost * (1 if cost is None else cost))
            # what an earlier answer told is not what this one will tell
            self._exchange.last_response_headers = None

        self._exchange.throttle = throttle
        self._exchange.enableRateLimit = True

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
        rows = rows_of(found, row_of)
        # some exchanges know no end: what is beyond it was not asked for
        return [row for row in rows if row.open_time < ask.end_ms]

    def trades(self, _ask: PageAsk, /) -> list[Trade] | None:
        """Return all trades of one candle's time, oldest first; None where it can't be asked."""
        return None

    @classmethod
    def most_rows(cls, ask: PageAsk) -> int:
        """Return how many rows it gives at most for such a window."""
        return 500

    @classmethod
    def usual_rate(cls, exchange: Any) -> Rate | None:
        """Return what ccxt knows of the exchange's limit; None where it knows none."""
        if not exchange.rateLimit or exchange.rateLimit < 0:
            return None
        window_ms = float(exchange.rollingWindowSize or exchange.rateLimit)
        units = window_ms / exchange.rateLimit * cls.weight_of_cost
        return Rate(units, window_ms / 1000, by_weight=True)

    def rates(self) -> tuple[Rate, ...]:
        """Return nothing: it doesn't say."""
        return ()

    def used(self) -> list[Used]:
        """Return nothing: it doesn't say."""
        return []

    def close(self) -> None:
        """Close its connections."""
        self._exchange.session.close()


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


def row_of(
    cells: Any, *, final: bool = True, trades: int | None = None, quote_volume: float | None = None
) -> Row:
    """Read one row of an answer: moment, open, high, low, close, volume."""
    opened, high, low, closed, volume = map(float, cells[1:6])
    return Row(int(cells[0]), opened, high, low, closed, volume, final, trades, quote_volume)


def rows_of(found: Any, read: Any) -> list[Row]:
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
