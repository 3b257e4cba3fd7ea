"""What the pool looks like: sizes and latencies, key figures, and what needs a person."""

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from project.core import figures, issues
from project.core.choices import RunStatus
from project.core.figures import Figure
from project.core.issues import AMBER, Issue
from project.core.models import Run
from proxies import judging, kinds
from proxies.choices import Pool, ProxyState
from proxies.fetching import BACK_OFF_AFTER
from proxies.models import Lease, Mending, Proxy, ProxySource

_MENDED_LATELY: Final = timedelta(days=1)
_PERCENTILES: Final = {"p50": 0.5, "p95": 0.95}


def stats(*, now: datetime) -> dict[str, Any]:
    """Return the sizes of pools and states, leases that stand, and latencies of healthy ones."""
    rows = Proxy.objects.order_by().values_list("state", "pool").annotate(count=Count("pk"))
    states = dict.fromkeys(ProxyState.values, 0)
    pools = dict.fromkeys(Pool.values, 0)
    for state, pool, count in rows:
        states[state] += count
        if pool:
            pools[pool] += count
    return {
        "pools": pools,
        "states": states,
        "leases_active": Lease.objects.standing(at=now).count(),
        "latency_ms": _latencies(),
    }


def _latencies() -> dict[str, float | None]:
    """Return percentiles of the last latencies; null where nothing is healthy."""
    healthy = Proxy.objects.healthy().filter(latency_ms__isnull=False).order_by("latency_ms")
    count = healthy.count()
    if not count:
        return dict.fromkeys(_PERCENTILES)
    values = healthy.values_list("latency_ms", flat=True)
    return {
        name: values[min(count - 1, int(share * count))] for name, share in _PERCENTILES.items()
    }


@figures.register
def key_figures(now: datetime) -> list[Figure]:
    """Return what the dashboard shows of the pool."""
    found = stats(now=now)
    pools = found["pools"]
    healthy = sum(pools.values())
    hint = " · ".join(f"{pools[pool]} {pool}" for pool in Pool.values)
    waiting = found["states"][ProxyState.UNPROVEN]
    return [
        Figure(
            "proxies_healthy",
            "Healthy proxies",
            f"{healthy:,}",
            f"{hint} · {waiting} not checked yet",
            _list("proxies_proxy", state__exact=ProxyState.HEALTHY.value),
            tone="good" if healthy else "neutral",
        ),
        Figure(
            "leases_active",
            "Proxies lent",
            f"{found['leases_active']:,}",
            "leases that stand now",
            _list("proxies_lease", state__exact="active"),
        ),
    ]


def _list(model: str, **filters: str) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?{urlencode(filters)}"


@issues.register
def current_issues(now: datetime) -> list[Issue]:
    """Return what is wrong with sources, judges and the pool."""
    return [*_failing_sources(), *_pool_issues(), *_mended(now)]


def _failing_sources() -> list[Issue]:
    failing = ProxySource.objects.enabled().filter(failures_in_row__gte=BACK_OFF_AFTER)
    names = list(failing.values_list("name", flat=True)[:4])
    if not names:
        return []
    text = f"Proxy lists fail time after time: {', '.join(names[:3])}"
    more = " and others" if len(names) > len(names[:3]) else ""
    url = _list("proxies_proxysource", is_enabled__exact="1")
    return [Issue("proxy_sources_failing", AMBER, f"{text}{more}.", "Look at them", url)]


def _pool_issues() -> list[Issue]:
    checked = Proxy.objects.checked().order_by()
    sizes = checked.aggregate(all=Count("pk"), healthy=Count("pk", Q(state=ProxyState.HEALTHY)))
    if not sizes["all"]:
        return []
    found = []
    if not _has_judges():
        text = "No judge is configured: proxies can't be checked. Set JUDGE_URLS or PUBLIC_URL."
        found.append(Issue("no_judge", AMBER, text))
    elif _judges_failed():
        text = "The judges don't answer: scores of proxies stand still."
        url = f"{reverse('admin:core_run_changelist')}?kind__exact={kinds.VALIDATE.name}"
        found.append(Issue("judges_down", AMBER, text, "Show the rounds", url))
    if not sizes["healthy"]:
        url = _list("proxies_proxy")
        text = f"None of {sizes['all']:,} proxies works."
        found.append(Issue("proxy_pool_empty", AMBER, text, "Show the pool", url))
    return found


def _has_judges() -> bool:
    try:
        return bool(judging.judges())
    except judging.BadJudgeError:  # a system check says so, too
        return False


def _judges_failed() -> bool:
    """Say whether the last round that ended was cut short: only missing judges do that."""
    ended = Run.objects.ended().filter(kind=kinds.VALIDATE.name).order_by("-created_at")
    return ended.values_list("status", flat=True).first() == RunStatus.PARTIAL


def _mended(now: datetime) -> list[Issue]:
    """Tell that slots and records of leases disagreed within the last day."""
    count = Mending.objects.filter(at__gt=now - _MENDED_LATELY).count()
    if not count:
        return []
    text = f"{count} lease(s) disagreed with their slots within a day, and were mended."
    return [Issue("leases_mended", AMBER, text, "See what was done", _list("proxies_mending"))]
