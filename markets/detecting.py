"""Which candles are odd though they may be true: jumps, odd volumes, flat lines, stalled feeds.

Everything is measured against the series' own recent past, by medians, column by column
(docs/quality.md, "Odd candles").
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from markets.choices import FindingKind
from markets.noting import Seen
from markets.rows import Row

#: Candles before the first, with which it is compared.
CONTEXT: Final = 240
#: The recent past: so many candles, and so many at least before anything is called odd.
WINDOW: Final = 120
LEAST: Final = 20
#: A usual move counts as this much at least (a part of the price), so that quiet markets may move.
QUIETEST: Final = 0.001
#: An odd volume is so many times the usual one, and so many usual deviations above it.
VOLUME_TIMES: Final = 20.0
VOLUME_MADS: Final = 8.0
#: So many candles in a row at one and the same price are a flat line.
FLAT_RUN: Final = 30
#: So many in a row that are the same to the letter, volume and all, are a feed that stalled:
#: nobody trades the same amounts at the same prices ten times.
STALLED_RUN: Final = 10
_PRICES: Final = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a collector calls odd.

    Attributes:
        jump_times: a jump is farther than so many usual moves.
        is_sparse: the exchange has candles without a trade or leaves them out: a flat line
            without volume is nothing odd.
    """

    jump_times: float = 12.0
    is_sparse: bool = False


USUAL: Final = Limits()


def frame_of(rows: Sequence[Any]) -> pl.DataFrame:
    """Return rows (open time, open, high, low, close, volume, …) as columns."""
    # not zip(*rows): an iterator for each row makes the garbage collector go over all of them
    found = {"open_time": pl.Series([row[0] for row in rows], dtype=pl.Int64, strict=False)}
    for place, name in enumerate((*_PRICES, "volume"), start=1):
        values = [row[place] for row in rows]
        found[name] = pl.Series(values, dtype=pl.Float64, strict=False)
    return pl.DataFrame(found)


def odd(rows: Sequence[Row], *, before: Sequence[Any], step_ms: int, limits: Limits) -> list[Seen]:
    """Return what is odd about ``rows``.

    Args:
        rows: final candles, ascending, each moment once.
        before: what is stored before them, ascending, up to ``CONTEXT`` candles.
        step_ms: length of a candle.
        limits: of the collector.
    """
    if not rows:
        return []
    frame = pl.concat([frame_of(before), frame_of(rows)])
    measured = _measured(frame, step_ms, limits)
    new = measured.filter(pl.col("open_time") >= rows[0].open_time)
    return [
        *_jumps(new, step_ms),
        *_volumes(new, step_ms),
        *_flat_lines(measured, rows[0].open_time, step_ms, limits),
        *_stalled(measured, rows[0].open_time, step_ms),
    ]


def _measured(frame: pl.DataFrame, step_ms: int, limits: Limits) -> pl.DataFrame:
    """Add how far each candle went, what was usual before it, and what is odd about it."""
    logs = {f"log_{name}": pl.when(pl.col(name) > 0).then(pl.col(name)).log() for name in _PRICES}
    steps = (pl.col("open_time").diff() / step_ms).clip(lower_bound=1).sqrt()

    def farthest(back: int) -> pl.Expr:
        past = pl.col("log_close").shift(back)
        return pl.max_horizontal([(pl.col(name) - past).abs() for name in logs]) / steps

    volume = pl.when(pl.col("volume") > 0).then(pl.col("volume").log())
    found = frame.with_columns(**logs, traded=volume)
    found = found.with_columns(move=farthest(1), since=farthest(2))
    found = found.with_columns(
        usual=pl.col("move").shift(1).rolling_median(WINDOW, min_samples=LEAST),
        middle=pl.col("traded").shift(1).rolling_median(WINDOW, min_samples=LEAST),
    ).with_columns(above=pl.col("traded") - pl.col("middle"))
    spread = pl.col("above").abs().shift(1).rolling_median(WINDOW, min_samples=1)
    found = found.with_columns(
        bound=pl.col("usual").clip(lower_bound=QUIETEST) * limits.jump_times,
        spread=pl.max_horizontal(spread * VOLUME_MADS, pl.lit(math.log(VOLUME_TIMES))),
    ).with_columns(far=(pl.col("move") > pl.col("bound")).fill_null(value=False))
    # the way back from a spike is no second jump
    is_back = pl.col("far").shift(1, fill_value=False) & (pl.col("since") <= pl.col("bound"))
    silent = (pl.col("volume") == 0) & (pl.col("high") > pl.col("low"))
    return found.with_columns(
        jump=pl.col("far") & ~is_back.fill_null(value=False),
        loud=(pl.col("above") > pl.col("spread")).fill_null(value=False),
        silent=silent.fill_null(value=False),
    )


def _jumps(new: pl.DataFrame, step_ms: int) -> list[Seen]:
    return [
        Seen(
            FindingKind.PRICE_JUMP,
            row["open_time"],
            row["open_time"] + step_ms,
            detail={
                "move_percent": round(100 * math.expm1(row["move"]), 4),
                "usual_percent": round(100 * math.expm1(row["usual"]), 4),
                "close": row["close"],
            },
        )
        for row in new.filter("jump").iter_rows(named=True)
    ]


def _volumes(new: pl.DataFrame, step_ms: int) -> list[Seen]:
    found = new.filter(pl.col("loud") | pl.col("silent"))
    return [
        Seen(
            FindingKind.VOLUME_ANOMALY,
            row["open_time"],
            row["open_time"] + step_ms,
            detail={
                "volume": row["volume"],
                "usual": None if row["middle"] is None else round(math.exp(row["middle"]), 8),
                "why": "the price moved without volume" if row["silent"] else "far above usual",
            },
        )
        for row in found.iter_rows(named=True)
    ]


def _flat_lines(measured: pl.DataFrame, first_ms: int, step_ms: int, limits: Limits) -> list[Seen]:
    """Return the runs at one price that reach into the new candles."""
    one_price = pl.all_horizontal([pl.col(name) == pl.col("close") for name in _PRICES[:3]])
    goes_on = one_price & (pl.col("close") == pl.col("close").shift(1))
    flat = measured.with_columns(one=one_price, goes_on=goes_on).filter("one")
    runs = _runs(flat, at_least=FLAT_RUN, first_ms=first_ms)
    if limits.is_sparse:
        runs = runs.filter(pl.col("volume") > 0)
    return _lasting(FindingKind.FLAT_LINE, runs, step_ms)


def _stalled(measured: pl.DataFrame, first_ms: int, step_ms: int) -> list[Seen]:
    """Return the runs of one and the same candle, traded volume included, that reach into the new."""
    repeats = pl.all_horizontal(
        [pl.col(name) == pl.col(name).shift(1) for name in (*_PRICES, "volume")]
    )
    traded = measured.with_columns(goes_on=repeats).filter(pl.col("volume") > 0)
    runs = _runs(traded, at_least=STALLED_RUN, first_ms=first_ms)
    return _lasting(FindingKind.STALLED, runs, step_ms)


def _runs(candles: pl.DataFrame, *, at_least: int, first_ms: int) -> pl.DataFrame:
    """Return the runs of candles each of which ``goes_on`` with the one before."""
    return (
        candles.with_columns(run=(~pl.col("goes_on").fill_null(value=False)).cum_sum())
        .group_by("run", maintain_order=True)
        .agg(
            start=pl.col("open_time").min(),
            last=pl.col("open_time").max(),
            count=pl.len(),
            volume=pl.col("volume").sum(),
            close=pl.col("close").first(),
        )
        .filter((pl.col("count") >= at_least) & (pl.col("last") >= first_ms))
    )


def _lasting(kind: FindingKind, runs: pl.DataFrame, step_ms: int) -> list[Seen]:
    return [
        Seen(
            kind,
            row["start"],
            row["last"] + step_ms,
            count=row["count"],
            detail={"close": row["close"], "volume": row["volume"]},
        )
        for row in runs.iter_rows(named=True)
    ]
