"""Whether a user's plan allows one more: of things held at once, or of things a day.

The app that owns the things says how to count them (``register``), and asks (``require``) in the
transaction that makes one more; rivals of one user wait for each other there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from accounts import plans
from accounts.models import User
from project.core import statements
from project.core.errors import ConflictError, QuotaExceededError

LEASES_AT_ONCE: Final = "leases_at_once"
JOBS_AT_ONCE: Final = "jobs_at_once"
JOBS_PER_DAY: Final = "jobs_per_day"
KNOWN: Final = (LEASES_AT_ONCE, JOBS_AT_ONCE, JOBS_PER_DAY)
#: What people read.
TITLES: Final = {
    LEASES_AT_ONCE: "Leases at once",
    JOBS_AT_ONCE: "Jobs at once",
    JOBS_PER_DAY: "Jobs today",
}
#: Counts what a user has at a moment; of a daily quota: since that day's beginning, UTC.
Count = Callable[[int, datetime], int]
_counts: Final[dict[str, Count]] = {}


class HeldQuotaError(ConflictError):
    """As many are held as the plan allows: give one back."""

    code = "quota_exceeded"
    title = "Quota exceeded"


class DailyQuotaError(QuotaExceededError):
    """The day's quota is used up."""

    code = "daily_quota_exceeded"
    title = "Daily quota exceeded"

    def __init__(self, detail: str = "", *, retry_after_s: float, **extra: object) -> None:
        super().__init__(detail, **extra)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Use:
    """How much of one quota is used; ``limit`` None is no limit."""

    quota: str
    used: int
    limit: int | None
    resets_at: datetime | None

    @property
    def label(self) -> str:
        """What people read."""
        return TITLES[self.quota]


def register(quota: str, count: Count) -> None:
    """Say how ``quota`` is counted: called once, by the app that owns the things.

    Raises:
        ValueError: there is no such quota.
    """
    if quota not in KNOWN:
        raise ValueError(f"no quota {quota}")
    _counts[quota] = count


def day_of(now: datetime) -> datetime:
    """Return the beginning of the day, UTC, in which daily quotas are counted."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def require(quota: str, *, user_id: int | None, now: datetime, count: int = 1) -> None:
    """Refuse more than the plan of a user allows; call it inside the transaction.

    Nobody (the system itself) and staff have no quota. The user's row is locked until the end
    of the transaction, so that rivals can't both take the last one.

    Args:
        quota: one of ``KNOWN``.
        user_id: who asks; None: the system.
        now: the moment, UTC.
        count: how many more.

    Raises:
        HeldQuotaError: as many are held as the plan allows.
        DailyQuotaError: the day's are used up.
    """
    if user_id is None:
        return
    limit = _limit_for_update(user_id, quota, at=now)
    if limit is None:
        return
    if _counts[quota](user_id, now) + count <= limit:
        return
    if quota != JOBS_PER_DAY:
        raise HeldQuotaError(f"your plan allows {limit} at once", quota=quota, limit=limit)
    resets_at = day_of(now) + timedelta(days=1)
    wait_s = (resets_at - now).total_seconds()
    raise DailyQuotaError(
        f"your plan allows {limit} a day",
        retry_after_s=wait_s,
        quota=quota,
        limit=limit,
        resets_at=resets_at.isoformat().replace("+00:00", "Z"),
    )


#: By hand, since each lease waits for it: the plan that holds, while the user's row is locked.
_LIMIT: Final = f"""SELECT u.is_staff, COALESCE(own.is_unlimited, usual.is_unlimited),
       CASE WHEN own.id IS NULL THEN usual.{{quota}} ELSE own.{{quota}} END
FROM accounts_user u
{plans.OWN_PLAN}
LEFT JOIN accounts_plan usual ON usual.is_default
WHERE u.id = %(user_id)s"""  # noqa: S608 -- no input in it


def _limit_for_update(user_id: int, quota: str, *, at: datetime) -> int | None:
    """Return what ``limit_of`` does, in one query, and lock the user's row."""
    lock = " FOR NO KEY UPDATE OF u" if statements.is_postgres() else ""
    values = {"at": statements.moment(at), "user_id": user_id}
    row = statements.one(_LIMIT.format(quota=KNOWN[KNOWN.index(quota)]) + lock, values)
    if row is None or row[0] or row[1]:
        return None
    limit: int | None = row[2]
    return limit


def limit_of(user: User, quota: str, *, at: datetime) -> int | None:
    """Return how much of ``quota`` a user may have; None: any number."""
    plan = plans.effective(user, at=at)
    if plan is None or plan.is_unlimited:
        return None
    limit: int | None = getattr(plan, quota)
    return limit


def usage(user: User, *, now: datetime) -> list[Use]:
    """Return the use of each quota that some app counts."""
    tomorrow = day_of(now) + timedelta(days=1)
    return [
        Use(
            quota=quota,
            used=_counts[quota](user.pk, now),
            limit=limit_of(user, quota, at=now),
            resets_at=tomorrow if quota == JOBS_PER_DAY else None,
        )
        for quota in KNOWN
        if quota in _counts
    ]
