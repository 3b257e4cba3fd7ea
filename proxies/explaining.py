"""Why a proxy would be lent for a wish, or why not: each rule of the pick, with its numbers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from proxies import identity, policies
from proxies.choices import ProxyState, Scheme
from proxies.lending import Ask
from proxies.models import Lease, LeaseSlot, Proxy, TargetState
from proxies.policies import Policy


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
    left = (until - now).total_seconds()
    why = f"{state.get_blocked_for_display()}, {state.failures_in_row} in a row{_checked(state)}"
    return Rule("target", holds=False, text=f"{target} is left alone for {left:.0f} s more: {why}")


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
