"""How moments are written: ISO 8601, UTC, milliseconds, ``Z``; and how others write theirs."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def stamp(moment: datetime) -> str:
    """Return ``moment`` (aware) as text, e.g. ``2026-11-22T06:39:59.123Z``."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def stamp_or_none(moment: datetime | None) -> str | None:
    """Return ``moment`` as text, or None where there is none."""
    return None if moment is None else stamp(moment)


def from_ms(moment_ms: int) -> datetime:
    """Return the moment that is ``moment_ms`` milliseconds after 1970-01-01T00:00Z."""
    return datetime.fromtimestamp(moment_ms / 1000, tz=UTC)


def to_ms(moment: datetime) -> int:
    """Return ``moment`` (aware) as whole milliseconds since 1970-01-01T00:00Z."""
    return round(moment.timestamp() * 1000)


def read(value: datetime | str | None) -> datetime | None:
    """Return a moment as a statement by hand gave it: PostgreSQL's is aware, SQLite's is not."""
    if value is None:
        return None
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def wait_s(told: str, *, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks to wait; None where it can't be read.

    Args:
        told: the header: seconds, or a moment as in HTTP.
        now: the moment, UTC.
    """
    try:
        seconds = float(told)
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
