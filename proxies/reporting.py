"""What a holder's report, or a check of a target, changes: the target's state, score, rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from project.core import statements
from project.core.moments import read
from project.core.statements import Row
from proxies import cooling, policies, scoring
from proxies.choices import Outcome, ProxyState
from proxies.models.pool import NEVER
from proxies.policies import Policy
from proxies.scoring import Bounds, Evidence

_LATENCY_SHARE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Told:
    """What came of using a proxy.

    Attributes:
        proxy_id: which one.
        outcome: an ``Outcome``; empty tells nothing.
        pool: in which it was; its policy says how long it rests.
        target: registered domain; empty for none.
        latency_ms: of a good answer, where that is known.
    """

    proxy_id: int
    outcome: str
    pool: str = ""
    target: str = ""
    latency_ms: float | None = None

    @property
    def value(self) -> float:
        """What it is worth as evidence: 0 against the proxy, 1 for it."""
        if self.outcome != Outcome.OK:
            return 0.0
        return scoring.value_of_latency(self.latency_ms or 0.0)


#: By hand, since each lease waits for them when it is given back.
_KNOWN: Final = """SELECT state, pool, good_weight, total_weight, evidence_at, rest_until
FROM proxies_proxy WHERE id = %(proxy_id)s"""
_RATE: Final = """
UPDATE proxies_proxy
SET good_weight = %(good)s, total_weight = %(total)s, evidence_at = %(at)s, score = %(score)s,
    pool = %(pool)s, rest_until = %(rest_until)s
WHERE id = %(proxy_id)s"""
_KNOWN_THERE: Final = """SELECT good_weight, total_weight, evidence_at, latency_ms, failures_in_row, blocked_until,
       blocked_for
FROM proxies_targetstate WHERE proxy_id = %(proxy_id)s AND target = %(target)s"""
_RATE_THERE: Final = """
INSERT INTO proxies_targetstate
  (proxy_id, target, last_lent_at, good_weight, total_weight, evidence_at, latency_ms,
   failures_in_row, last_outcome, blocked_until, blocked_for, check_outcome, check_detail)
VALUES (%(proxy_id)s, %(target)s, %(never)s, %(good)s, %(total)s, %(at)s, %(latency)s,
        %(failures)s, %(outcome)s, %(until)s, %(why)s, '', '')
ON CONFLICT (proxy_id, target) DO UPDATE
SET good_weight = excluded.good_weight, total_weight = excluded.total_weight,
    evidence_at = excluded.evidence_at, latency_ms = excluded.latency_ms,
    failures_in_row = excluded.failures_in_row, last_outcome = excluded.last_outcome,
    blocked_until = excluded.blocked_until, blocked_for = excluded.blocked_for"""


def learn(told: Told, *, now: datetime) -> None:
    """Take over what a holder tells; call it inside a transaction.

    Locks the proxy, then its state at the target: the order everywhere.
    """
    if not told.outcome:
        return
    weight = scoring.OUTCOME_WEIGHT.get(told.outcome, 0.0)
    known = _locked(_KNOWN, told)
    if known is None:  # deleted meanwhile
        return
    if weight:
        _learn_of_proxy(told, known, weight, now=now)
    if told.target:
        learn_of_target(told, now=now)


def _locked(statement: str, told: Told) -> Row | None:
    lock = " FOR NO KEY UPDATE" if statements.is_postgres() else ""
    return statements.one(statement + lock, {"proxy_id": told.proxy_id, "target": told.target})


def bounds_of(by_pool: Mapping[str, Policy]) -> dict[str, Bounds]:
    """Return the bounds of all pools, as their policies have them."""
    return {
        pool: Bounds(policy.enter_score, policy.leave_score) for pool, policy in by_pool.items()
    }


def _learn_of_proxy(told: Told, known: Row, weight: float, *, now: datetime) -> None:
    state, pool, good, total, evidence_at, rest_until = known
    evidence = scoring.add(
        Evidence(good, total, read(evidence_at)), value=told.value, weight=weight, at=now
    )
    by_pool = policies.every()
    rating = rated(evidence, state=state, pool=pool, bounds=bounds_of(by_pool), at=now)
    rest = read(rest_until) or now
    if cooling.is_for_everybody(told.outcome, target=told.target):
        rest = max(rest, now + timedelta(seconds=by_pool[told.pool].cool_down_s))
    values = {
        "good": evidence.good,
        "total": evidence.total,
        "at": statements.moment(evidence.at or now),
        "score": rating["score"],
        "pool": rating.get("pool", pool),
        "rest_until": statements.moment(rest),
        "proxy_id": told.proxy_id,
    }
    statements.change(_RATE, values)


def rated(
    evidence: Evidence, *, state: str, pool: str, bounds: Mapping[str, Bounds], at: datetime
) -> dict[str, Any]:
    """Return the columns that new evidence changes: score, and the pool of a healthy proxy."""
    score = scoring.score_of(evidence, at=at)
    changes: dict[str, Any] = {
        "good_weight": evidence.good,
        "total_weight": evidence.total,
        "evidence_at": evidence.at,
        "score": score,
    }
    if state == ProxyState.HEALTHY:
        changes["pool"] = scoring.pool_of(score, current=pool, bounds=bounds)
    return changes


def learn_of_target(told: Told, *, now: datetime) -> None:
    """Take over how a proxy fared at a target; call it with the proxy's row locked."""
    row = _locked(_KNOWN_THERE, told) or (0.0, 0.0, None, None, 0, None, "")
    good, total, evidence_at, latency_ms, failures, blocked_until, blocked_for = row
    known = Evidence(good, total, read(evidence_at))
    evidence = scoring.add(known, value=told.value, weight=1.0, at=now)
    until = read(blocked_until)
    if told.outcome == Outcome.OK:
        failures, latency_ms = 0, _average(latency_ms, told.latency_ms)
    else:
        failures += 1
        pause = now + cooling.pause_at_target(told.outcome, failures_in_row=failures)
        if until is None or pause > until:
            until, blocked_for = pause, told.outcome
    values = {
        "proxy_id": told.proxy_id,
        "target": told.target,
        "never": statements.moment(NEVER),
        "good": evidence.good,
        "total": evidence.total,
        "at": statements.moment(evidence.at or now),
        "latency": latency_ms,
        "failures": failures,
        "outcome": told.outcome,
        "until": statements.moment(until) if until is not None else None,
        "why": blocked_for,
    }
    statements.change(_RATE_THERE, values)


def _average(known: float | None, told: float | None) -> float | None:
    if told is None or known is None:
        return told if known is None else known
    return known + _LATENCY_SHARE * (told - known)
