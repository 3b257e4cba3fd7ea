"""The states, reasons and policies of the app."""

from typing import Final

from django.db import models


class Mode(models.TextChoices):
    """What a collector collects."""

    INCREMENTAL = "incremental", "Incremental: from the start on, and then what is new"
    RANGE = "range", "Range: from the start to the end, once"
    LIVE = "live", "Live: streams, and what they missed"


class Policy(models.TextChoices):
    """What happens to a row that can't be right."""

    REJECT = "reject", "Reject the whole page"
    SKIP = "skip_and_log", "Skip the row and count it"
    RETRY = "retry", "Ask for the page again, then skip the row"
    KEEP = "keep_and_flag", "Keep the row and count it"


class Egress(models.TextChoices):
    """Which way requests leave."""

    DIRECT = "direct", "Direct"
    PREFERRED = "proxy_preferred", "Proxy, direct where none is free"
    REQUIRED = "proxy_required", "Proxy, never direct"


class GapState(models.TextChoices):
    """Where a gap is; it is over when closed."""

    OPEN = "open", "Open"
    FILLING = "filling", "Filling"
    CLOSED = "closed", "Closed"
    UNAVAILABLE = "unavailable", "Unavailable"


class GapReason(models.TextChoices):
    """Why candles are missing, as far as it is known."""

    UNKNOWN = "unknown", "Unknown"
    FETCH_FAILED = "fetch_failed", "Fetch failed"
    NO_TRADES = "no_trades", "No trades"
    EXCHANGE_OUTAGE = "exchange_outage", "Exchange outage"
    PRE_LISTING = "pre_listing", "Before the listing"
    DELISTED = "delisted", "Delisted"
    CALENDAR = "calendar", "Calendar"
    MARKED_BY_STAFF = "marked_by_staff", "Marked by staff"


#: Gaps whose candles are missing still.
MISSING: Final = (GapState.OPEN, GapState.FILLING, GapState.UNAVAILABLE)


class TaskStatus(models.TextChoices):
    """Where a backfill task is; the last two are final."""

    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"


UNENDED: Final = (TaskStatus.PENDING, TaskStatus.RUNNING)


class Origin(models.TextChoices):
    """Who asked for a backfill."""

    GAP = "gap", "Found gap"
    STAFF = "staff", "Staff"
    API = "api", "API"
    COMMAND = "command", "Command"


class Source(models.TextChoices):
    """How a candle came in."""

    COLLECT = "collect", "Collected"
    BACKFILL = "backfill", "Backfilled"
    IMPORT = "import", "Imported"
    AUDIT = "audit", "Repaired after an audit"


class FindingKind(models.TextChoices):
    """What is wrong, or odd, about candles as they came."""

    DUPLICATE = "duplicate", "Duplicate"
    OUT_OF_ORDER = "out_of_order", "Out of order"
    OUTSIDE = "outside", "Outside of what was asked for"
    MISALIGNED = "misaligned", "Off the grid"
    NOT_A_NUMBER = "not_a_number", "Not a number"
    BAD_VALUE = "bad_value", "Impossible value"
    BAD_OHLC = "bad_ohlc", "Impossible prices"
    PRICE_JUMP = "price_jump", "Price jump"
    VOLUME_ANOMALY = "volume_anomaly", "Odd volume"
    FLAT_LINE = "flat_line", "Flat line"
    STALLED = "stalled", "Stalled feed"


#: Kinds that no candle can have that is right; a collector's policy is about them.
WRONG: Final = (
    FindingKind.MISALIGNED,
    FindingKind.NOT_A_NUMBER,
    FindingKind.BAD_VALUE,
    FindingKind.BAD_OHLC,
)
#: Kinds that may be true: always kept, and flagged.
ODD: Final = (
    FindingKind.PRICE_JUMP,
    FindingKind.VOLUME_ANOMALY,
    FindingKind.FLAT_LINE,
    FindingKind.STALLED,
)
#: Kinds that last: one finding for a whole run of candles, which grows while the run does.
LASTING: Final = (FindingKind.FLAT_LINE, FindingKind.STALLED)


class ErrorClass(models.TextChoices):
    """What kind of failure it was (README, "Classes of errors")."""

    NETWORK = "network", "Network"
    TIMEOUT = "timeout", "Timeout"
    RATE_LIMIT = "rate_limit", "Rate limit"
    AUTH = "auth", "Authentication"
    EXCHANGE = "exchange", "Exchange"
    BAD_RESPONSE = "bad_response", "Bad response"
    DATABASE = "database", "Database"
    PROXY = "proxy", "Proxy"
    UNKNOWN = "unknown", "Unknown"


class DifferenceKind(models.TextChoices):
    """How a stored candle and the exchange disagree."""

    DIFFERS = "differs", "Other values"
    NOT_THERE = "not_there", "The exchange has none"
    TRADES = "trades", "Its trades say otherwise"


class DifferenceState(models.TextChoices):
    """What became of a difference."""

    OPEN = "open", "Open"
    REPAIRED = "repaired", "Repaired"
    KEPT = "kept", "Kept as stored"
    GONE = "gone", "Agrees by now"
