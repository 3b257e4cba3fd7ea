"""Who is limited how often: the rules of settings and staff, and the plan of who asks."""

import logging
import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import DatabaseError
from django.urls import reverse

from accounts import plans, refusals
from accounts.metrics import RATE_LIMIT_REQUESTS
from accounts.models import ApiKey, RateLimitRule, RateLimitSwitch, User
from project.core import badges, buckets, issues, limits, limits_counting
from project.core.badges import Badge
from project.core.buckets import Bucket
from project.core.callers import NOBODY, Allowance, Caller
from project.core.issues import AMBER, Issue
from project.core.limits import Rule, Verdict

logger = logging.getLogger(__name__)
#: How long a process goes on with what it read, s: what staff change holds everywhere after that.
READ_EVERY_S: Final = 2.0
#: How many requests a process remembers, to show whom a rule would hit.
REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as limits see it.

    Attributes:
        method: GET, POST, ….
        path: without the query.
        address: of the client.
        caller: who asks, where that is known.
        again: a stream is taken up again, with Last-Event-ID.
    """

    method: str
    path: str
    address: str
    caller: Caller = NOBODY
    again: bool = False

    def counted_as(self, by: str) -> str:
        """Return the name under which a rule counts the request."""
        if by == limits.CALLER and self.caller.key_id is not None:
            return f"key:{self.caller.key_id}"
        if by == limits.CALLER and self.caller.user_id is not None:
            return f"user:{self.caller.user_id}"
        return f"address:{limits.counted_as(self.address)}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds at a moment."""

    rules: tuple[Rule, ...]
    is_on: bool = True
    default: Allowance | None = None


@dataclass(slots=True)
class _Known:
    """What this process read last, and the requests that it remembers."""

    policy: Policy | None = None
    read_at: float = 0.0
    asked: deque[tuple[float, Ask]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    lock: threading.Lock = field(default_factory=threading.Lock)


_known: Final = _Known()


def is_free(path: str) -> bool:
    """Say whether no rule ever counts requests to ``path``."""
    return any(limits.matches(pattern, path) for pattern in settings.RATE_LIMIT_FREE)


def decide(ask: Ask, *, now: datetime) -> Verdict | None:
    """Count a request under the one rule that fits it closest; None where none limits it."""
    if not settings.RATE_LIMIT_ENABLED or is_free(ask.path):
        return None
    if limits.is_in(ask.address, settings.RATE_LIMIT_ALLOW):
        return None
    _known.asked.append((now.timestamp(), ask))
    policy = _policy(now)
    rule = limits.chosen(policy.rules, method=ask.method, path=ask.path, again=ask.again)
    if rule is None or not policy.is_on:
        return None
    amount = _amount(rule, ask.caller.allowance or policy.default)
    if amount is None:
        return None
    who = ask.counted_as(rule.by)
    verdict = limits_counting.here().hit(rule, who, amount=amount)
    result = "allowed" if verdict.is_allowed else "blocked"
    if not verdict.is_allowed:
        refusals.note(who, verdict, now=now)
    RATE_LIMIT_REQUESTS.labels(result, rule.name).inc()
    return verdict


def _amount(rule: Rule, allowance: Allowance | None) -> int | None:
    """Return how many requests a plan leaves a rule; None: any number."""
    if allowance is None:
        return rule.amount
    if allowance.is_unlimited:
        return None
    return allowance.rates.get(rule.raised_by, rule.amount)


def _policy(now: datetime) -> Policy:
    at = now.timestamp()
    found = _known.policy
    if found is not None and 0 <= at - _known.read_at < READ_EVERY_S:
        return found
    with _known.lock:
        if _known.policy is not None and 0 <= at - _known.read_at < READ_EVERY_S:
            return _known.policy
        _known.policy, _known.read_at = _read(_known.policy), at
        return _known.policy


def _read(before: Policy | None) -> Policy:
    own = limits.read(settings.RATE_LIMITS)
    try:
        rows = {row.name: rule_of(row) for row in RateLimitRule.objects.filter(is_on=True)}
        switch = RateLimitSwitch.objects.first()
        plan = plans.default()
    except DatabaseError as error:  # limits must hold while the database is away
        logger.warning("rules of rate limits not read", extra={"why": repr(error)[:200]})
        return before or Policy(tuple(own))
    kept = [rule for rule in own if rule.name not in rows]
    return Policy(
        # staff's come last: of two that fit alike the later one counts
        rules=(*kept, *rows.values()),
        is_on=switch is None or switch.is_on,
        default=plans.allowance(plan) if plan else None,
    )


def rule_of(row: RateLimitRule) -> Rule:
    """Return a row as the rule it is."""
    return Rule(
        name=row.name,
        paths=tuple(str(path) for path in row.paths),
        amount=row.amount,
        per_s=row.per_s,
        methods=frozenset(str(method) for method in row.methods),
        by=row.by,
        raised_by=row.raised_by,
        burst=row.burst or 0,
    )


def forget() -> None:
    """Read the rules anew at the next request: call it after changing one."""
    _known.policy = None


def turn(*, on: bool) -> None:
    """Turn all rate limits on or off."""
    RateLimitSwitch.objects.update_or_create(pk=1, defaults={"is_on": on})
    forget()


@dataclass(frozen=True, slots=True)
class Hit:
    """One whom a rule would have refused.

    Attributes:
        who: for people.
        asked: requests that the rule would have counted, in its busiest window; of a rule with a
            burst: the most that came faster than room came back.
        amount: how many it would have allowed.
    """

    who: str
    asked: int
    amount: int


def preview(rule: Rule, *, now: datetime) -> list[Hit]:
    """Return whom ``rule`` would have refused, had it held: the busiest first.

    Judged by the last requests that this process remembers.
    """
    policy = _policy(now)
    others = tuple(one for one in policy.rules if one.name != rule.name)
    moments: dict[str, list[float]] = {}
    amounts: dict[str, int] = {}
    for at, ask in list(_known.asked):
        fitting = limits.chosen((*others, rule), method=ask.method, path=ask.path, again=ask.again)
        amount = _amount(rule, ask.caller.allowance or policy.default)
        if fitting == rule and amount is not None:
            who = ask.counted_as(rule.by)
            moments.setdefault(who, []).append(at)
            amounts[who] = amount
    busiest = Counter({who: _most(times, rule, amounts[who]) for who, times in moments.items()})
    room = {who: rule.burst_of(amount) or amount for who, amount in amounts.items()}
    over = [(who, most) for who, most in busiest.most_common() if most > room[who]]
    names = _names([who for who, _ in over])
    return [Hit(names.get(who, who), most, room[who]) for who, most in over]


def _most(moments: Sequence[float], rule: Rule, amount: int) -> int:
    """Return how many requests a rule would have had to allow at once to refuse none."""
    if not rule.burst:
        return _busiest(moments, rule.per_s)
    return buckets.fullest(moments, Bucket(rule.burst_of(amount), amount, rule.per_s))


def _busiest(moments: Sequence[float], per_s: int) -> int:
    """Return the most requests in any window of ``per_s`` seconds."""
    most, first = 0, 0
    for last, at in enumerate(moments):
        while moments[first] <= at - per_s:
            first += 1
        most = max(most, last - first + 1)
    return most


def _names(counted: Sequence[str]) -> dict[str, str]:
    """Return keys and users by the names that people know."""
    ids: dict[str, list[int]] = {"key": [], "user": []}
    for one in counted:
        kind, _, number = one.partition(":")
        if kind in ids:
            ids[kind].append(int(number))
    keys = ApiKey.objects.filter(pk__in=ids["key"]).select_related("user")
    users = User.objects.filter(pk__in=ids["user"])
    return {f"key:{key.pk}": f"key {key.prefix}… of {key.user}" for key in keys} | {
        f"user:{user.pk}": str(user) for user in users
    }


def remembered() -> int:
    """Return how many requests a preview is judged by."""
    return len(_known.asked)


def forget_all() -> None:
    """Forget rules and requests: for tests."""
    _known.asked.clear()
    forget()


@badges.register
def limits_off(now: datetime) -> list[Badge]:
    """Show on every page that nobody is limited."""
    if _policy(now).is_on:
        return []
    url = reverse("admin:accounts_ratelimitswitch_changelist")
    return [Badge("Rate limits off", "Nobody is limited by rate", url)]


@issues.register
def degraded(now: datetime) -> list[Issue]:
    """Tell where limits are counted per process, since Redis is away."""
    if not limits_counting.here().is_degraded:
        return []
    text = "Redis is away: rate limits are counted per process"
    return [Issue("rate_limits_degraded", AMBER, text)]
