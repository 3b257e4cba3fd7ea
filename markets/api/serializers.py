"""Shapes of the markets' endpoints."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from markets import timeframes
from markets.choices import ErrorClass, GapReason, GapState, TaskStatus
from project.core.api.serializers import Input, RunAcceptedOut


class ExchangeOut(serializers.Serializer[Any]):
    """An exchange; ``name`` is ccxt's id."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    title = serializers.CharField()
    markets = serializers.IntegerField()
    enabled_markets = serializers.IntegerField()
    refreshed_at = serializers.DateTimeField(allow_null=True)


class MarketOut(serializers.Serializer[Any]):
    """A market and the timeframes that it is kept in."""

    id = serializers.IntegerField()
    exchange = serializers.CharField()
    symbol = serializers.CharField()
    base = serializers.CharField()
    quote = serializers.CharField()
    enabled = serializers.BooleanField()
    timeframes = serializers.ListField(child=serializers.CharField())


class CandlesOut(serializers.Serializer[Any]):
    """Candles as arrays: open_time_ms, open, high, low, close, volume, final, filled."""

    market = serializers.CharField(help_text="e.g. binance:BTC/USDT")
    timeframe = serializers.CharField()
    candles = serializers.ListField(child=serializers.ListField(child=serializers.JSONField()))
    next = serializers.CharField(allow_null=True, help_text="address of the following candles")
    resampled_from = serializers.CharField(
        required=False, help_text="the timeframe they were made of, where theirs isn't kept"
    )
    incomplete = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        required=False,
        help_text="of made candles: open_time_ms, and how many parts are missing",
    )


class GapOut(serializers.Serializer[Any]):
    """A gap of the ledger; ``end`` is exclusive."""

    id = serializers.IntegerField()
    timeframe = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    missing = serializers.IntegerField()
    reason = serializers.ChoiceField(choices=GapReason.choices)
    state = serializers.ChoiceField(choices=GapState.choices)
    evidence = serializers.ListField(child=serializers.JSONField())
    attempts = serializers.IntegerField()
    next_look_at = serializers.DateTimeField(allow_null=True)


class QualityOut(serializers.Serializer[Any]):
    """How good one UTC day of a series is."""

    id = serializers.IntegerField()
    timeframe = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    expected = serializers.IntegerField()
    stored = serializers.IntegerField()
    missing = serializers.IntegerField()
    excused = serializers.IntegerField(help_text="not stored, and known never to have been there")
    duplicate = serializers.IntegerField()
    out_of_order = serializers.IntegerField()
    misaligned = serializers.IntegerField()
    bad_ohlc = serializers.IntegerField()
    bad_value = serializers.IntegerField()
    price_jumps = serializers.IntegerField()
    volume_anomalies = serializers.IntegerField()
    flat = serializers.IntegerField(help_text="candles of flat lines")
    stalled = serializers.IntegerField(help_text="candles that repeat the one before")
    score = serializers.FloatField()
    computed_at = serializers.DateTimeField()


class ReportOut(serializers.Serializer[Any]):
    """How good a series was in the window; days are scored whole."""

    symbol = serializers.CharField()
    exchange = serializers.CharField()
    timeframe = serializers.CharField()
    avg_score = serializers.FloatField(help_text="mean of the days' scores, 0 to 100")
    total_missing = serializers.IntegerField()


_ERROR_FIELDS: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "happened_at": serializers.DateTimeField(),
    "exchange": serializers.CharField(),
    "collector": serializers.CharField(allow_blank=True),
    "market": serializers.CharField(allow_blank=True),
    "timeframe": serializers.CharField(allow_blank=True),
    "class": serializers.ChoiceField(choices=ErrorClass.choices),
    "retryable": serializers.BooleanField(),
    "code": serializers.CharField(help_text="of our error, or the exception's name"),
    "status": serializers.IntegerField(allow_null=True, help_text="HTTP, where there was one"),
    "message": serializers.CharField(allow_blank=True),
    "egress": serializers.CharField(allow_blank=True),
    "attempt": serializers.IntegerField(),
    "retry_after_s": serializers.FloatField(allow_null=True),
    "run_id": serializers.UUIDField(allow_null=True),
}
#: A failure; made like this since ``class`` is a word of Python's own.
ErrorOut: Any = type(
    "ErrorOut",
    (serializers.Serializer,),
    {"__doc__": "One failure on the way to an exchange, or at it.", **_ERROR_FIELDS},
)


class QualityCheckIn(Input):
    """Which timeframe to check; all where left out."""

    timeframe = serializers.ChoiceField(choices=list(timeframes.KNOWN), required=False)


class BackfillIn(Input):
    """A range to be asked for again: ``[start, end)``, widened to the grid."""

    timeframe = serializers.ChoiceField(choices=list(timeframes.KNOWN))
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    priority = serializers.IntegerField(min_value=0, max_value=100, default=50)


class BackfillAcceptedOut(serializers.Serializer[Any]):
    """The task and the run that does it."""

    task_id = serializers.IntegerField()
    run_id = serializers.UUIDField(allow_null=True)


class BackfillTaskOut(serializers.Serializer[Any]):
    """A task of the queue; each attempt at it is a run."""

    id = serializers.IntegerField()
    market = serializers.CharField()
    timeframe = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    priority = serializers.IntegerField()
    status = serializers.ChoiceField(choices=TaskStatus.choices)
    attempts = serializers.IntegerField()
    next_try_at = serializers.DateTimeField(allow_null=True)
    progress = serializers.FloatField()
    candles_found = serializers.IntegerField()
    run_id = serializers.UUIDField(allow_null=True)


class SymbolOut(serializers.Serializer[Any]):
    """A symbol and its timeframes."""

    symbol = serializers.CharField()
    timeframes = serializers.ListField(child=serializers.CharField())


class CollectorOut(serializers.Serializer[Any]):
    """A collector; its whole configuration is what ``dump_collectors`` prints."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    exchange = serializers.CharField()
    enabled = serializers.BooleanField()
    mode = serializers.CharField()
    egress = serializers.CharField()
    symbols = SymbolOut(many=True)


__all__ = ["RunAcceptedOut"]
