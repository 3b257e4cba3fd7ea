"""Why a proxy would be lent for a wish, or why not: each rule of the pick, with its numbers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from project.core.callers import Caller
from proxies import identity, lending, policies, returning, scoring
from proxies.choices import ProxyState, Scheme
from proxies.lending import Ask
from proxies.models import Lease, LeaseSlot, Proxy, TargetState
from proxies.models.pool import NEVER
from proxies.policies import Policy
from proxies.scoring import Evidence

#: Sites that an explanation names, of those that a proxy may not visit now.
MOST_CLOSED: Final = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition of lending.

    Attributes:
        name: stable, for programs.
        holds: whether the proxy meets it.
        text: with its numbers, for people.
    """

    name: str
    holds: bool
    text: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A site that a proxy may not visit before ``until``."""

    target: str
    until: datetime
    outcome: str
    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """How a score comes about: decayed evidence, and the usual doubt.

    Attributes:
        value: 0 to 100, as of now; None before any evidence.
        good: weight of what spoke for the proxy, in checks of today.
        total: weight of all evidence.
        text: the formula with its numbers, for people.
    """

    value: float | None
    good: float
    total: float
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether a proxy would be lent for a wish now, and what its rank rests on."""

    proxy_id: int
    rules: list[Rule]
    score: Score
    closed: list[Closed]

    @property
    def lendable(self) -> bool:
        """Whether every rule holds."""
        return all(rule.holds for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Choice:
    """What spoke for the proxy of a lease when it was lent.

    Attributes:
        recorded: whether that is known: of leases made by earlier versions it isn't.
        score: the proxy's, then.
        rested_s: how long before it had last been lent; None: never.
        away_s: the same for this target.
        text: all of it, for people.
    """

    lease_id: int
    proxy_id: int
    pool: str
    target: str
    recorded: bool
    text: str
    score: float | None = None
    rested_s: float | None = None
    away_s: float | None = None


def of(proxy: Proxy, ask: Ask, *, now: datetime) -> Explanation:
    """Return all that there is to say of ``proxy`` and a wish.

    Raises:
        BadLeaseRequestError: the wish makes no sense.
    """
    lending.require_sense(ask)
    rules = explain(proxy, ask, now=now)
    return Explanation(proxy.pk, rules, score(proxy, now=now), _closed(proxy, now=now))


def _closed(proxy: Proxy, *, now: datetime) -> list[Closed]:
    states = proxy.targets.filter(blocked_until__gt=now).order_by("target")[:MOST_CLOSED]
    return [
        Closed(state.target, state.blocked_until, state.blocked_for, _left_alone(state, now=now))
        for state in states
        if state.blocked_until is not None
    ]


def score(proxy: Proxy, *, now: datetime) -> Score:
    """Return how the score of ``proxy`` comes about."""
    if proxy.evidence_at is None:
        return Score(None, 0.0, 0.0, "Nothing is known of it yet.")
    known = Evidence(proxy.good_weight, proxy.total_weight, proxy.evidence_at)
    fresh, value = scoring.decay(known, at=now), scoring.score_of(known, at=now)
    text = (
        f"Evidence worth {fresh.total:.2f} checks of today, {fresh.good:.2f} of it good; "
        f"with the usual doubt that makes 100 * ({fresh.good:.2f} + "
        f"{scoring.PRIOR * scoring.PRIOR_VALUE:g}) / ({fresh.total:.2f} + {scoring.PRIOR:g}) = "
        f"{value:.0f} of 100. "
        f"Evidence loses half its weight each hour; what a site did to its visitors, "
        f"such as a ban, counts at that site alone."
    )
    return Score(value, fresh.good, fresh.total, text)


def choice_of(lease_id: int, *, by: Caller) -> Choice:
    """Return why a lease that ``by`` may know of got its proxy.

    Raises:
        LeaseNotFoundError: there is none, or it is a stranger's.
    """
    return choice(returning.find(lease_id, by=by))


def choice(lease: Lease) -> Choice:
    """Return why a lease got its proxy, as it was written down then."""
    facts = (lease.pk, lease.proxy_id, lease.pool, lease.target)
    if lease.rested_since is None:
        return Choice(*facts, recorded=False, score=lease.score, text="Not recorded.")
    rested_s = _before(lease, lease.rested_since)
    away_s = None if lease.away_since is None else _before(lease, lease.away_since)
    told = f"Free in pool {lease.get_pool_display()}, score {lease.score or 0:.0f}; "
    told += _lent(rested_s)
    if lease.target and lease.away_since is not None:
        told += f", for {lease.target} {_lent(away_s)}"
    text = f"{told}. Of those longest rested, the one longest away from the target is lent."
    return Choice(
        *facts, recorded=True, text=text, score=lease.score, rested_s=rested_s, away_s=away_s
    )


def _before(lease: Lease, moment: datetime) -> float | None:
    """Return how many seconds before a lease something was; None: never."""
    return (lease.acquired_at - moment).total_seconds() if moment > NEVER else None


def _lent(before_s: float | None) -> str:
    return "never lent before" if before_s is None else f"last lent {before_s:.0f} s before"


def explain(proxy: Proxy, ask: Ask, *, now: datetime) -> list[Rule]:
    """Return the rules that decide whether ``proxy`` can be lent for ``ask``, in their order.

    It is free to be lent where all hold; which of the free ones is chosen is then a matter of
    rest: the longest away from the target first, the better score among equals.
    """
    found = [_healthy(proxy), *_wishes(proxy, ask), _rested(proxy, now=now)]
    target = identity.target_of(ask.target)
    if target:
        found.append(_open(proxy, target, now=now))
    if proxy.pool:
        policy = policies.of(proxy.pool)
        found.append(_free(proxy, policy, target, now=now))
        if policy.uses_per_window:
            found.append(_unused(proxy, policy, target, now=now))
    return found


def _healthy(proxy: Proxy) -> Rule:
    holds = proxy.state == ProxyState.HEALTHY
    where = f", pool {proxy.pool}" if proxy.pool else ""
    return Rule("state", holds, f"{proxy.get_state_display()}{where}")


def _wishes(proxy: Proxy, ask: Ask) -> list[Rule]:
    found = []
    if ask.pool:
        found.append(Rule("pool", proxy.pool == ask.pool, f"is {proxy.pool or 'in no pool'}"))
    if ask.protocol:
        found.append(Rule("protocol", _speaks(proxy, ask.protocol), f"speaks {proxy.scheme}"))
    if ask.country:
        holds = proxy.country == ask.country.upper()
        found.append(Rule("country", holds, f"leaves from {proxy.country or 'nobody knows where'}"))
    if ask.min_score is not None:
        score = proxy.score or 0.0
        text = f"score {score:.0f}, {ask.min_score:.0f} wanted"
        found.append(Rule("score", score >= ask.min_score, text))
    return found


def _speaks(proxy: Proxy, protocol: str) -> bool:
    if protocol == Scheme.HTTPS:
        return proxy.scheme == Scheme.HTTPS or (proxy.scheme == Scheme.HTTP and bool(proxy.tls_ok))
    return proxy.scheme == protocol


def _rested(proxy: Proxy, *, now: datetime) -> Rule:
    left = proxy.rest_until - now
    if left <= timedelta(0):
        return Rule("rest", holds=True, text="has rested")
    return Rule("rest", holds=False, text=f"rests for {left.total_seconds():.0f} s more")


def _open(proxy: Proxy, target: str, *, now: datetime) -> Rule:
    state = proxy.targets.filter(target=target).first()
    until = state.blocked_until if state is not None else None
    if state is None or until is None or until <= now:
        return Rule("target", holds=True, text=f"{target} is open to it{_checked(state)}")
    return Rule("target", holds=False, text=_left_alone(state, now=now))


def _left_alone(state: TargetState, *, now: datetime) -> str:
    left_s = (state.blocked_until - now).total_seconds() if state.blocked_until else 0.0
    why = f"{state.get_blocked_for_display()}, {state.failures_in_row} in a row{_checked(state)}"
    return f"{state.target} is left alone for {left_s:.0f} s more: {why}"


def _checked(state: TargetState | None) -> str:
    """Return what the last check of the site through the proxy came to, in words."""
    if state is None or state.checked_at is None:
        return ""
    detail = f" ({state.check_detail})" if state.check_detail else ""
    return f"; checked {state.checked_at:%H:%M:%S} UTC: {state.get_check_outcome_display()}{detail}"


def _free(proxy: Proxy, policy: Policy, target: str, *, now: datetime) -> Rule:
    suffix = f"|{target}" if policy.is_per_target and target else ""
    slots = LeaseSlot.objects.filter(exclusive_key=f"{proxy.exclusive_key}{suffix}")
    held = slots.held(at=now).filter(n__lt=policy.max_leases).count()
    text = f"{held} of {policy.max_leases} lease(s) at once are taken"
    return Rule("free", held < policy.max_leases, text)


def _unused(proxy: Proxy, policy: Policy, target: str, *, now: datetime) -> Rule:
    since = now - timedelta(seconds=policy.window_s)
    uses = Lease.objects.filter(proxy=proxy, acquired_at__gt=since)
    if policy.is_per_target and target:
        uses = uses.filter(target=target)
    count = uses.count()
    text = f"{count} of {policy.uses_per_window} uses in {policy.window_s} s"
    return Rule("uses", count < policy.uses_per_window, text)
