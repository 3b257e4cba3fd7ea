"""How candles of a timeframe that isn't stored are made of those of a finer one, when they are read.

The database adds up, one bounded stretch at a time. Nothing is made up: a candle is there when one of
its parts is, tells how many parts are missing, and is final when its end is stored and all are final.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from markets import timeframes
from markets.models import Candle, Market, Series
from markets.timeframes import Timeframe

#: Stored candles added up by one query; keeps memory flat and the first answer quick.
PARTS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Made:
    """A candle made of others, as ``reading`` tells them, and how many of its parts are missing."""

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    final: bool
    missing: int


def source_of(market: Market, timeframe: str) -> Series | None:
    """Return the finest series that the market is kept in and that ``timeframe`` is made up of.

    Only series that have candles count; None where there is none.
    """
    wanted = timeframes.of(timeframe)
    kept = market.series.select_related("market__exchange")
    fit = [one for one in kept if wanted.is_made_of(timeframes.of(one.timeframe))]
    fit.sort(key=lambda one: timeframes.of(one.timeframe).step_ms)
    return next((one for one in fit if Candle.objects.filter(series=one).exists()), None)


class Resampler:
    """Makes candles of the grid ``wanted`` of those of a series."""

    def __init__(self, series: Series, wanted: Timeframe) -> None:
        self._series = series
        self._parts = timeframes.of(series.timeframe)
        self._wanted = wanted
        # months are added up of days: the database then needs no calendar
        self._unit = timeframes.of("1d") if wanted.is_month else wanted
        last = Candle.objects.filter(series=series).order_by("-open_time").values_list("open_time")
        newest = last.first()
        self._end_ms = self._parts.after(newest[0]) if newest else 0

    def read(self, start_ms: int, end_ms: int | None, count: int) -> tuple[list[Made], int | None]:
        """Return the first made candles that open in ``[start_ms, end_ms)``, ascending.

        Args:
            start_ms: on the grid or not.
            end_ms: None is without an end.
            count: so many at most; fewer where they have many parts.

        Returns:
            The candles, and where to go on; None where there are no more.
        """
        steps = max(1, min(count, PARTS * self._parts.step_ms // self._wanted.step_ms))
        # not beyond what is stored: the grid of months ends with the year 9999
        at = self._wanted.ceil(start_ms) if start_ms < self._end_ms else None
        while at is not None and (end_ms is None or at < end_ms):
            until = self._wanted.after(at, steps)
            if end_ms is not None and end_ms < until:
                until = self._wanted.ceil(end_ms)
            found = self._made(at, until)
            if found:
                return found, until
            at = self._next(until, end_ms)  # over a stretch without any candle in one step
        return [], None

    def before(self, end_ms: int | None, count: int) -> int | None:
        """Return when the first of the last ``count`` candles before ``end_ms`` opens; None: none.

        Stretches without any candle count for nothing.
        """
        until = self._wanted.ceil(self._end_ms if end_ms is None else min(end_ms, self._end_ms))
        found: int | None = None
        while count > 0 and until > 0:
            steps = max(1, min(count, PARTS * self._parts.step_ms // self._wanted.step_ms))
            start = max(0, self._wanted.after(until, -steps))
            opened = self._opening(start, until)
            if opened:
                found, count, until = opened[0], count - len(opened), start
                continue
            newest = self._opened(f"open_time < {start}", "DESC")
            if newest is None:
                break
            until = self._wanted.after(self._wanted.floor(newest))
        return found

    def _opening(self, start_ms: int, end_ms: int) -> list[int]:
        """Return when the candles open that ``_made`` would make, ascending, without making them."""
        names = {"series": self._series.pk, "start": start_ms, "end": end_ms}
        names |= {"step": self._unit.step_ms, "shift": self._unit.shift_ms}
        with connection.cursor() as cursor:
            cursor.execute(_WHICH, names)
            return sorted({self._wanted.floor(row[0]) for row in cursor.fetchall()})

    def _next(self, start_ms: int, end_ms: int | None) -> int | None:
        opened = self._opened(f"open_time >= {start_ms}", "ASC")
        if opened is None:
            return None
        at = self._wanted.floor(opened)
        return None if end_ms is not None and at >= end_ms else at

    def _opened(self, where: str, order: str) -> int | None:
        statement = (
            f"SELECT open_time FROM markets_candle WHERE series_id = {int(self._series.pk)}"  # noqa: S608
            f" AND {where} ORDER BY open_time {order} LIMIT 1"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone()
        return None if row is None else int(row[0])

    def _made(self, start_ms: int, end_ms: int) -> list[Made]:
        """Return the candles that open in ``[start_ms, end_ms)``, both on the grid."""
        names = {"series": self._series.pk, "start": start_ms, "end": end_ms}
        names |= {"step": self._unit.step_ms, "shift": self._unit.shift_ms}
        with connection.cursor() as cursor:
            cursor.execute(_ADD_UP, names)
            units = cursor.fetchall()
        if not self._wanted.is_month:
            return [self._told(unit[0], [unit]) for unit in units]
        months: dict[int, list[Any]] = {}
        for unit in units:
            months.setdefault(self._wanted.floor(unit[0]), []).append(unit)
        return [self._told(opened, parts) for opened, parts in months.items()]

    def _told(self, opened: int, units: list[Any]) -> Made:
        """Add units up to one candle.

        Args:
            opened: when it opens.
            units: ``bucket, open, high, low, close, volume, all final, stored``, ascending.
        """
        closes = self._wanted.after(opened)
        expected = self._parts.count(opened, min(closes, self._end_ms))
        first, last = units[0], units[-1]
        return Made(
            opened,
            first[1],
            max(unit[2] for unit in units),
            min(unit[3] for unit in units),
            last[4],
            _sum(unit[5] for unit in units),
            final=closes <= self._end_ms and all(unit[6] for unit in units),
            missing=expected - sum(unit[7] for unit in units),
        )


def _sum(volumes: Iterable[float]) -> float:
    return float(sum(volumes))


_WHICH: Final = """
    SELECT (open_time + %(shift)s) / %(step)s * %(step)s - %(shift)s AS bucket
    FROM markets_candle
    WHERE series_id = %(series)s AND open_time >= %(start)s AND open_time < %(end)s
    GROUP BY 1
"""
#: The first and last part are joined: both databases find them by the key, without a window.
_ADD_UP: Final = """
    WITH unit AS (
        SELECT (open_time + %(shift)s) / %(step)s * %(step)s - %(shift)s AS bucket,
               min(open_time) AS first, max(open_time) AS last, max(high) AS high, min(low) AS low,
               sum(volume) AS volume, count(*) AS stored,
               sum(CASE WHEN final THEN 0 ELSE 1 END) AS provisional
        FROM markets_candle
        WHERE series_id = %(series)s AND open_time >= %(start)s AND open_time < %(end)s
        GROUP BY 1
    )
    SELECT u.bucket, a.open, u.high, u.low, z.close, u.volume, u.provisional = 0, u.stored
    FROM unit u
    JOIN markets_candle a ON a.series_id = %(series)s AND a.open_time = u.first
    JOIN markets_candle z ON z.series_id = %(series)s AND z.open_time = u.last
    ORDER BY u.bucket
"""
