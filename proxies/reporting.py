"""What a holder's report changes: the target's state of the proxy, its score, its rest."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Greatest

from proxies import cooling, policies, scoring
from proxies.choices import Outcome, ProxyState
from proxies.models import Lease, PoolPolicy, Proxy, TargetState
from proxies.scoring import Evidence

_LATENCY_SHARE = 0.3


def learn(lease: Lease, *, now: datetime) -> None:
    """Take over what ``lease`` tells, which has its outcome; call it inside a transaction.

    Locks the proxy, then its state at the target: the order everywhere.
    """
    if not lease.outcome:
        return
    _learn_of_proxy(lease, now=now)
    if lease.target:
        _learn_of_target(lease, now=now)


def bounds_of(by_pool: Mapping[str, PoolPolicy]) -> dict[str, scoring.Bounds]:
    """Return the bounds of all pools, as their policies have them."""
    return {
        pool: scoring.Bounds(policy.enter_score, policy.leave_score)
        for pool, policy in by_pool.items()
    }


def _value(lease: Lease) -> float:
    if lease.outcome != Outcome.OK:
        return 0.0
    return scoring.value_of_latency(lease.latency_ms or 0.0)


def _learn_of_proxy(lease: Lease, *, now: datetime) -> None:
    weight = scoring.OUTCOME_WEIGHT.get(lease.outcome, 0.0)
    if not weight:
        return
    fields = ("state", "pool", "good_weight", "total_weight", "evidence_at")
    proxy = Proxy.objects.select_for_update().only(*fields).get(pk=lease.proxy_id)
    known = Evidence(proxy.good_weight, proxy.total_weight, proxy.evidence_at)
    evidence = scoring.add(known, value=_value(lease), weight=weight, at=now)
    changes = rated(proxy, evidence, bounds=bounds_of(policies.every()), at=now)
    if cooling.is_for_everybody(lease.outcome, target=lease.target):
        changes["rest_until"] = Greatest(F("rest_until"), now + _rest(lease.pool))
    Proxy.objects.filter(pk=proxy.pk).update(**changes)


def rated(
    proxy: Proxy, evidence: Evidence, *, bounds: Mapping[str, scoring.Bounds], at: datetime
) -> dict[str, Any]:
    """Return the columns that new evidence changes: score, and the pool of a healthy proxy."""
    score = scoring.score_of(evidence, at=at)
    changes: dict[str, Any] = {
        "good_weight": evidence.good,
        "total_weight": evidence.total,
        "evidence_at": evidence.at,
        "score": score,
    }
    if proxy.state == ProxyState.HEALTHY:
        changes["pool"] = scoring.pool_of(score, current=proxy.pool, bounds=bounds)
    return changes


def _rest(pool: str) -> timedelta:
    return timedelta(seconds=policies.of(pool).cool_down_s)


def _learn_of_target(lease: Lease, *, now: datetime) -> None:
    TargetState.objects.bulk_create(
        [TargetState(proxy_id=lease.proxy_id, target=lease.target)], ignore_conflicts=True
    )
    rows = TargetState.objects.select_for_update()
    state = rows.get(proxy_id=lease.proxy_id, target=lease.target)
    known = Evidence(state.good_weight, state.total_weight, state.evidence_at)
    evidence = scoring.add(known, value=_value(lease), weight=1.0, at=now)
    changes: dict[str, Any] = {
        "good_weight": evidence.good,
        "total_weight": evidence.total,
        "evidence_at": evidence.at,
        "last_outcome": lease.outcome,
    }
    if lease.outcome == Outcome.OK:
        changes |= {"failures_in_row": 0, "latency_ms": _average(state, lease)}
    else:
        changes |= _paused(state, lease.outcome, now=now)
    TargetState.objects.filter(pk=state.pk).update(**changes)


def _average(state: TargetState, lease: Lease) -> float | None:
    if lease.latency_ms is None or state.latency_ms is None:
        return lease.latency_ms if state.latency_ms is None else state.latency_ms
    return state.latency_ms + _LATENCY_SHARE * (lease.latency_ms - state.latency_ms)


def _paused(state: TargetState, outcome: str, *, now: datetime) -> dict[str, Any]:
    failures = state.failures_in_row + 1
    until = now + cooling.pause_at_target(outcome, failures_in_row=failures)
    changes: dict[str, Any] = {"failures_in_row": failures}
    if state.blocked_until is None or until > state.blocked_until:
        changes |= {"blocked_until": until, "blocked_for": outcome}
    return changes
