"""OKX spot: raw candles, newest first, with their finality and quote volume."""

from typing import Final

from markets.adapters import failures
from markets.adapters.unified import Unified, row_of, rows_of
from markets.adapters.wire import PageAsk
from markets.rows import Row


class Okx(Unified):
    """OKX spot: raw candles, newest first, with their finality and quote volume."""

    newest_first = True
    page_weight = 0.5
    more_timeframes = frozenset({"3d"})
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
        return rows_of(
            rows,
            lambda row: row_of(row, final=str(row[8]) == "1", quote_volume=float(row[7])),
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
