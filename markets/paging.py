"""Our own pager: one bounded window per request, each page checked, nothing skipped silently."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from markets import checking, metrics, noting, summarising
from markets.adapters import venues
from markets.adapters.wire import PageAsk, Trade
from markets.asking import Line
from markets.checking import Asked, Page
from markets.choices import Policy, Source
from markets.models import Candle, Series
from markets.rows import Row
from markets.timeframes import Timeframe

#: A candle counts as final so long after its close, by the exchange's clock, milliseconds.
GRACE_MS: Final = 5_000
#: Stored candles with which a page is compared, to tell another market's answer.
COMPARED: Final = 50


class _RejectedError(Exception):
    """Carries the failure past the retries of the line."""

    def __init__(self, error: checking.BadRowsError) -> None:
        super().__init__(str(error))
        self.error = error


class Pager:
    """Asks for the candles of one series over one line."""

    def __init__(self, line: Line, series: Series, timeframe: Timeframe) -> None:
        self._line = line
        self._series = series
        self.timeframe = timeframe

    def limit_at(self, start_ms: int) -> int:
        """Return how many candles a window that starts there may have."""
        ask = self._ask(start_ms, start_ms + 1, self._line.means.request_limit)
        return venues.page_limit(self._line.means.exchange, ask)

    def page(self, start_ms: int, end_ms: int) -> Page:
        """Return the checked page of ``[start_ms, end_ms)``, asked for once per attempt.

        Raises:
            TransientError: no believable answer; it proves nothing.
            PermanentError: the exchange refuses the request.
        """
        asked = Asked(self._series.market.symbol, self.timeframe, start_ms, end_ms)
        ask = self._ask(start_ms, end_ms, self.limit_at(start_ms))
        policy = self._line.means.policy
        try:
            page = self._line.ask(lambda venue: self._checked(venue.page(ask), asked, policy))
        except _RejectedError as rejected:
            self._note_rejected(rejected.error)
            raise rejected.error from rejected
        except checking.BadRowsError:
            # asked again as often as allowed: now without the rows that can't be right
            page = self._line.ask(lambda venue: self._checked(venue.page(ask), asked, Policy.SKIP))
        for kind, count in page.findings.items():
            metrics.FINDINGS.labels(self._line.means.exchange, kind).inc(count)
        return replace(page, egress=self._line.egress)

    def trades(self, open_ms: int) -> list[Trade] | None:
        """Return the trades of the candle that opens at a moment; None where they can't be had."""
        ask = self._ask(open_ms, self.timeframe.after(open_ms), 1)
        return self._line.ask(lambda venue: venue.trades(ask))

    def walk(self, start_ms: int, end_ms: int) -> Iterator[Page]:
        """Yield the pages of ``[start_ms, end_ms)``, oldest first; long emptiness is jumped over.

        Each page's ``asked.end_ms`` is where the next one goes on.
        """
        at = start_ms
        while at < end_ms:
            until = min(self.timeframe.after(at, self.limit_at(at)), end_ms)
            page = self.page(at, until)
            if not page.rows and self.timeframe.after(until) < end_ms:
                until = self._next_candle(until, end_ms)
                page = replace(page, asked=replace(page.asked, end_ms=until))
            yield page
            at = until

    def _next_candle(self, start_ms: int, end_ms: int) -> int:
        """Return a moment up to which the exchange has nothing from ``start_ms`` on."""
        rows = self.page(start_ms, end_ms).rows
        if not rows:
            return end_ms
        limit, low, high = self.limit_at(start_ms), start_ms, rows[0].open_time
        if len(rows) < limit or not venues.is_newest_first(self._line.means.exchange):
            return high
        while self.timeframe.count(low, high) > limit:  # the page was cut off: older ones may be
            middle = self.timeframe.floor((low + high) // 2)
            rows = self.page(low, middle).rows
            if rows:
                high = rows[0].open_time
            else:
                low = middle
        return low

    def _ask(self, start_ms: int, end_ms: int, limit: int) -> PageAsk:
        market = self._series.market
        return PageAsk(
            symbol=market.symbol,
            exchange_symbol=market.exchange_symbol or market.symbol,
            timeframe=self.timeframe.name,
            step_ms=self.timeframe.step_ms,
            start_ms=start_ms,
            end_ms=end_ms,
            limit=limit,
            now_ms=self._line.now_ms(),
        )

    def _note_rejected(self, error: checking.BadRowsError) -> None:
        """Keep what was wrong with a page that is thrown away."""
        for one in error.seen:
            metrics.FINDINGS.labels(self._line.means.exchange, one.kind.value).inc(one.count)
        now = self._line.tools.clock()
        noting.note(self._series, error.seen, source=Source.COLLECT, now=now)
        for at in {one.start_ms for one in error.seen}:
            summarising.mark(self._series.pk, at, at + 1)

    def _checked(self, rows: list[Row], asked: Asked, policy: Policy) -> Page:
        try:
            page = checking.check(rows, asked, policy=policy)
        except checking.BadRowsError as error:
            if policy == Policy.REJECT:  # thrown away as it is: asked again in the next cycle
                raise _RejectedError(error) from error
            raise
        checking.require_same_market(page.rows, self._stored(page.rows), symbol=asked.symbol)
        now_ms = self._line.now_ms()
        return replace(page, rows=[self._judged(row, now_ms) for row in page.rows])

    def _judged(self, row: Row, now_ms: int) -> Row:
        """Return the row with its finality: by the exchange's word, and a grace after the close."""
        closed_ms = self.timeframe.after(row.open_time)
        is_final = row.final and closed_ms + GRACE_MS <= now_ms
        return row if is_final == row.final else row._replace(final=is_final)

    def _stored(self, rows: list[Row]) -> dict[int, float]:
        if not rows:
            return {}
        found = Candle.objects.filter(series_id=self._series.pk, final=True)
        found = found.within(rows[0].open_time, rows[-1].open_time + 1).order_by("open_time")
        return dict(found.values_list("open_time", "close")[:COMPARED])
