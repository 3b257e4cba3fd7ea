"""Rounds of validation: which proxies are checked, and what each verdict changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from project.core import announcing, runs, tracing
from project.core.callers import Caller
from project.core.errors import ConflictError, PermanentError
from project.core.models import Run
from project.core.working import Work
from proxies import (
    claiming,
    judging,
    kinds,
    locating,
    metrics,
    policies,
    reaching,
    reporting,
    rounds,
    scoring,
)
from proxies.adapters import checker, loops
from proxies.adapters.probe import Finding, Limits, Subject
from proxies.choices import Exclusivity, ProxyState, Verdict
from proxies.identity import endpoint_key, exit_key
from proxies.models import Check, LeaseSlot, Proxy
from proxies.policies import Policy
from proxies.querysets import ProxyQuerySet
from proxies.scoring import Evidence

#: Most proxies of one round, unless it is asked for fewer.
MOST: Final = 2000
#: A healthy proxy may fail so often in a row and stay: networks hiccup.
FORGIVEN: Final = 1
FIRST_RECHECK: Final = timedelta(minutes=1)
FIRST_WAIT: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(hours=6)
#: Failures in a row after which a proxy is retired: one that once worked, one that never did.
RETIRED_AFTER: Final = 12
RETIRED_UNPROVEN_AFTER: Final = 5
#: Verdicts that no hiccup brings about.
_DAMNING: Final = frozenset({Verdict.INTERCEPTED, Verdict.MISMATCH, Verdict.FORBIDDEN})
_DOUBLINGS: Final = 10
#: Of a round that visits targets afterwards, the checks are so many percent.
_CHECKS_SHARE: Final = 80.0


class ValidationRunningError(ConflictError):
    """A round is at work; ``run_id`` names it."""

    code = "validation_running"
    title = "A validation is running"


class NoJudgeError(PermanentError):
    """There is no judge that proxies could be checked against."""

    code = "no_judge"
    title = "No judge is configured"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which proxies are to be checked, whether due or not.

    Attributes:
        ids: these; none named: all that are checked at all.
        pool: of this pool; empty: of any.
        limit: at most so many, the never checked and the stalest first.
    """

    ids: Sequence[int] = ()
    pool: str = ""
    limit: int = MOST


def submit(chosen: Selection, *, by: Caller, now: datetime) -> Run:
    """Ask for a round.

    Raises:
        ValidationRunningError: one is at work.
    """
    payload: dict[str, Any] = {"limit": chosen.limit, "asked": True}
    if chosen.ids:
        payload["ids"] = sorted(set(chosen.ids))
    if chosen.pool:
        payload["pool"] = chosen.pool
    ask = runs.Ask(kind=kinds.VALIDATE.name, subject=_subject(chosen), payload=payload)
    try:
        return runs.submit(ask, by=by, now=now)
    except runs.AlreadyRunningError as busy:
        raise ValidationRunningError(str(busy), **busy.extra) from busy


def _subject(chosen: Selection) -> str:
    if chosen.ids:
        return f"{len(set(chosen.ids))} proxies"
    return f"pool {chosen.pool}" if chosen.pool else "the stalest proxies"


def limits() -> Limits:
    """Return how long checks may take, as settings say."""
    return Limits(
        connect_s=settings.PROXY_CONNECT_TIMEOUT_S,
        total_s=settings.PROXY_TOTAL_TIMEOUT_S,
        at_once=settings.PROXY_CHECKS_AT_ONCE,
        ca_file=settings.JUDGE_CA_FILE,
    )


def run(work: Work) -> None:
    """Do a round: whoever goes on with one checks only what wasn't checked since it began."""
    began = _began(work)
    totals = _totals(work.run)  # of what an earlier attempt has written
    done = totals["checked"]
    subjects = _subjects(work.payload, began=began, done=done)
    work.report(phase="checking", counts={**totals, "proxies": done + len(subjects)})
    share = (_CHECKS_SHARE if reaching.sites() else 100.0) if done or subjects else 0.0
    if subjects and not _check_all(work, subjects, totals, share=share):
        return
    reaching.reach(work, limits=limits(), progress_from=share)
    if totals["checked"]:
        rounds.conclude(work)


def _check_all(
    work: Work, subjects: Sequence[Subject], totals: dict[str, int], *, share: float
) -> bool:
    """Check ``subjects``, which is ``share`` percent of the round; False where the judges left us."""
    done = totals["checked"]
    known = judging.judges()
    if not known:
        raise NoJudgeError("set JUDGE_URLS, or PUBLIC_URL so that our own judge can be reached")
    for batch in loops.iterate(lambda: checker.check_all(subjects, known, limits=limits())):
        if not batch.has_judges:
            work.leave_partial("the judges don't answer: no proxy is blamed, scores stand")
            return False
        work.check()
        healthy = Proxy.objects.healthy().count()
        with tracing.span("proxies.keep_findings", proxies__findings=len(batch.findings)):
            apply(batch.findings, run_id=work.run.pk, now=timezone.now())
        tell_if_low(healthy, now=timezone.now())
        totals["checked"] += len(batch.findings)
        totals["ok"] += sum(each.verdict == Verdict.OK for each in batch.findings)
        progress = share * totals["checked"] / max(1, done + len(subjects))
        work.report(progress=progress, counts=totals)
    return True


def tell_if_low(before: int, *, now: datetime) -> None:
    """Tell webhooks that the pool fell below ``PROXY_POOL_LOW``: once, as it falls.

    Args:
        before: how many proxies were healthy.
        now: the moment, UTC.
    """
    low = settings.PROXY_POOL_LOW
    if before < low:
        return
    healthy = Proxy.objects.healthy().count()
    if healthy < low:
        data = {"healthy": healthy, "before": before, "low": low}
        with transaction.atomic():
            announcing.announce(kinds.POOL_LOW, data, now=now)


def _totals(run: Run) -> dict[str, int]:
    checks = Check.objects.filter(run=run)
    return checks.aggregate(checked=Count("pk"), ok=Count("pk", Q(verdict=Verdict.OK)))


def _began(work: Work) -> datetime:
    """Return when the round began, in whichever attempt that was."""
    if "began" not in work.checkpoint:
        work.keep(began=timezone.now().isoformat())
    return datetime.fromisoformat(work.checkpoint["began"])


def _subjects(payload: dict[str, Any], *, began: datetime, done: int) -> list[Subject]:
    found = _chosen(payload, at=began).unchecked_since(began)
    most = max(0, int(payload.get("limit") or MOST) - done)
    fields = ("scheme", "host", "port", "username", "password")
    return [
        Subject(each.pk, each.scheme, each.host, each.port, each.username, each.password)
        for each in found.only(*fields)[:most]
    ]


def _chosen(payload: dict[str, Any], *, at: datetime) -> ProxyQuerySet:
    if "ids" in payload:
        return Proxy.objects.filter(pk__in=payload["ids"]).exclude(state=ProxyState.BLOCKED)
    found = Proxy.objects.checked()
    if payload.get("pool"):
        return found.filter(pool=payload["pool"])
    return found if payload.get("asked") else found.due(at=at)


def apply(findings: Sequence[Finding], *, run_id: UUID | None, now: datetime) -> None:
    """Write what checks found: evidence, score, state and pool of each proxy."""
    known = policies.every()
    by_key = {each.key: each for each in findings}
    healthy: list[tuple[str, str]] = []
    with transaction.atomic():
        rows = Proxy.objects.filter(pk__in=by_key).order_by("pk").select_for_update()
        for proxy in rows.defer("password"):
            changes = _changes(proxy, by_key[proxy.pk], known, now=now)
            Proxy.objects.filter(pk=proxy.pk).update(**changes)
            if changes["state"] == ProxyState.HEALTHY:
                healthy.append((changes.get("exclusive_key", proxy.exclusive_key), changes["pool"]))
        checks = [_check(each, run_id, now=now) for each in findings]
        Check.objects.bulk_create(checks, ignore_conflicts=True)
    _make_slots(healthy, known)
    _count(findings)


def _check(found: Finding, run_id: UUID | None, *, now: datetime) -> Check:
    return Check(
        proxy_id=found.key,
        run_id=run_id,
        at=now,
        verdict=found.verdict,
        detail=found.detail,
        latency_ms=found.latency_ms,
        connect_ms=found.connect_ms,
        exit_ip=found.exit_ip,
        anonymity=found.anonymity,
        tls_ok=found.tls_ok,
    )


def _changes(
    proxy: Proxy, found: Finding, by_pool: dict[str, Policy], *, now: datetime
) -> dict[str, Any]:
    known = Evidence(proxy.good_weight, proxy.total_weight, proxy.evidence_at)
    is_good = found.verdict == Verdict.OK
    value = scoring.value_of_latency(found.latency_ms or 0.0) if is_good else 0.0
    evidence = scoring.add(known, value=value, weight=scoring.CHECK_WEIGHT, at=now)
    proxy.state = ProxyState.HEALTHY if is_good else _state_after_failure(proxy, found)
    changes = {
        "state": proxy.state,
        "pool": "",
        "last_checked_at": now,
        **_rated(proxy, evidence, by_pool, now=now),
    }
    if is_good:
        changes |= _good_news(found, now=now)
        changes |= _excluded_by(proxy, found, by_pool.get(changes["pool"]), now=now)
        changes["check_due_at"] = now + _interval(by_pool.get(changes["pool"]))
    else:
        changes |= _bad_news(proxy, now=now)
    return changes


def _rated(
    proxy: Proxy, evidence: Evidence, by_pool: dict[str, Policy], *, now: datetime
) -> dict[str, Any]:
    bounds = reporting.bounds_of(by_pool)
    return reporting.rated(evidence, state=proxy.state, pool=proxy.pool, bounds=bounds, at=now)


def _good_news(found: Finding, *, now: datetime) -> dict[str, Any]:
    place = locating.of(found.exit_ip)
    return {
        "failures_in_row": 0,
        "last_ok_at": now,
        "retired_at": None,
        "latency_ms": found.latency_ms,
        "connect_ms": found.connect_ms,
        "exit_ip": found.exit_ip,
        "anonymity": found.anonymity,
        "tls_ok": found.tls_ok,
        # what a list said stands until the address itself is known
        **({"country": place.country} if place.country else {}),
        "network": place.network,
    }


def _bad_news(proxy: Proxy, *, now: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {"failures_in_row": proxy.failures_in_row + 1}
    if proxy.state == ProxyState.HEALTHY:
        changes["check_due_at"] = now + FIRST_RECHECK
    else:
        wait = min(LONGEST_WAIT, FIRST_WAIT * (1 << min(_DOUBLINGS, proxy.failures_in_row)))
        changes["check_due_at"] = now + wait
    if proxy.state == ProxyState.RETIRED:
        changes["retired_at"] = now
    return changes


def _state_after_failure(proxy: Proxy, found: Finding) -> ProxyState:
    failures = proxy.failures_in_row + 1
    is_forgiven = failures <= FORGIVEN and found.verdict not in _DAMNING
    if proxy.state == ProxyState.HEALTHY and is_forgiven:
        return ProxyState.HEALTHY
    most = RETIRED_AFTER if proxy.last_ok_at else RETIRED_UNPROVEN_AFTER
    return ProxyState.RETIRED if failures >= most else ProxyState.FAILING


def _interval(policy: Policy | None) -> timedelta:
    return timedelta(seconds=policy.check_every_s) if policy else FIRST_WAIT


def _excluded_by(
    proxy: Proxy, found: Finding, policy: Policy | None, *, now: datetime
) -> dict[str, Any]:
    """Return the key of the proxy's slots, which stays while somebody holds it by the old one."""
    by_exit = policy is not None and policy.exclusive_by == Exclusivity.EXIT_ADDRESS
    key = exit_key(found.exit_ip) if by_exit and found.exit_ip else endpoint_key(proxy.identity)
    if key == proxy.exclusive_key or _is_held(proxy, now=now):
        return {}
    return {"exclusive_key": key}


def _is_held(proxy: Proxy, *, now: datetime) -> bool:
    return LeaseSlot.objects.held(at=now).filter(proxy=proxy.pk).exists()


def _make_slots(healthy: list[tuple[str, str]], by_pool: dict[str, Policy]) -> None:
    for pool, policy in by_pool.items():
        keys = [key for key, own in healthy if own == pool]
        if keys:
            claiming.make_slots(keys, most=policy.max_leases)


def _count(findings: Sequence[Finding]) -> None:
    for found in findings:
        metrics.CHECKS.labels(found.verdict).inc()
        if found.verdict == Verdict.OK and found.latency_ms is not None:
            metrics.CHECK_LATENCY.observe(found.latency_ms / 1000)
