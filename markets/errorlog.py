"""What is kept of failures, and for how long: the log of what went wrong with exchanges."""

import logging
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import Error, connection, transaction

from markets import classifying, metrics, partitions
from markets.adapters import failures
from markets.models import ApiErrorLog
from project.core.errors import AppError
from project.core.moments import to_ms
from project.db.partitions import making

logger = logging.getLogger(__name__)
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class About:
    """What was being done; names, as people know them."""

    exchange: str
    collector: str = ""
    market: str = ""
    timeframe: str = ""
    run_id: uuid.UUID | None = None


def record(
    error: BaseException, about: About, *, egress: str = "", attempt: int = 1, now: datetime
) -> None:
    """Keep a failure. What can't be kept is told to the process's log: it must hide nothing else.

    A failure is kept once, however many levels tell of it.
    """
    if getattr(error, "_is_recorded", False):
        return
    found = classifying.classify(error)
    metrics.ERRORS.labels(about.exchange, found.name.value).inc()
    row = ApiErrorLog(
        happened_ms=to_ms(now),
        exchange=about.exchange[:40],
        collector=about.collector,
        market=about.market,
        timeframe=about.timeframe,
        error_class=found.name,
        is_retryable=found.is_retryable,
        code=code_of(error)[:60],
        status=getattr(error, "status", None),
        message=_message_of(error)[:_SHOWN],
        egress=egress[:120],
        attempt=attempt,
        retry_after_s=getattr(error, "retry_after_s", None),
        run_id=about.run_id,
    )
    with suppress(AttributeError):
        error._is_recorded = True  # type: ignore[attr-defined]  # noqa: SLF001 -- our own mark
    try:
        at_ms = to_ms(now)
        partitions.ensure_errors(at_ms, at_ms + 1)
        with transaction.atomic():
            row.save(force_insert=True)
    except Error:
        logger.exception("A failure could not be kept", extra={"code": row.code})


def code_of(error: BaseException) -> str:
    """Return the stable code of a failure: ours, or the name of the exception."""
    return error.code if isinstance(error, AppError) else type(error).__name__


def _message_of(error: BaseException) -> str:
    if isinstance(error, AppError):
        return str(error)
    return failures.shown(error) if isinstance(error, Exception) else type(error).__name__


def clean_up(*, now: datetime) -> int:
    """Drop what is older than ``ERROR_LOG_DAYS``; return how many pieces or rows went."""
    before = now - timedelta(days=settings.ERROR_LOG_DAYS)
    return sum(making.drop_before(partitions.ERRORS, to_ms(before)))


def by_hour(*, now: datetime, hours: int = 24) -> tuple[list[datetime], dict[str, list[int]]]:
    """Return how many failures of each class each of the last hours had, by one query.

    Returns:
        The hours, ascending, and by class the counts in the same order; classes with none are
        left out.
    """
    last = now.replace(minute=0, second=0, microsecond=0)
    moments = [last - timedelta(hours=back) for back in range(hours - 1, -1, -1)]
    counts: dict[str, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_HOUR, [_HOUR_MS, to_ms(moments[0])])
        for hour, name, count in cursor.fetchall():
            place = int(hour) - to_ms(moments[0]) // _HOUR_MS
            if 0 <= place < hours:
                counts.setdefault(name, [0] * hours)[place] += count
    return moments, dict(sorted(counts.items(), key=lambda one: -sum(one[1])))


_HOUR_MS: Final = 3_600_000
_BY_HOUR: Final = (
    "SELECT happened_ms / %s, error_class, count(*) FROM markets_apierrorlog"
    " WHERE happened_ms >= %s GROUP BY 1, 2"
)
