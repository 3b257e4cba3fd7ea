"""What a round of validation came to, and how that differs from the round before."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from prometheus_client.core import GaugeMetricFamily, Metric

from project.core import metrics, reports
from project.core.choices import RunStatus
from project.core.models import Run
from project.core.reports import Line, Report
from project.core.working import Work
from proxies import kinds
from proxies.choices import Verdict
from proxies.models import Check

#: Upper ends of the latency histogram, ms; what is slower has a bucket of its own.
BUCKETS_MS: Final = (100, 250, 500, 1_000, 2_500, 5_000, 10_000)
#: Of the rounds before the last so many are looked at for one that checked something.
LOOKED_AT: Final = 20
Result = dict[str, Any]


def conclude(work: Work) -> Result:
    """Write down what the round of ``work`` came to; call it when all is checked."""
    found = compared(sum_up(work.run), latest(before=work.run))
    work.keep(round=found)
    work.event("round_result", found)
    return found


def sum_up(run: Run) -> Result:
    """Return verdicts, success ratio and latencies of a round, by its checks."""
    verdicts: Counter[str] = Counter()
    latencies: list[float] = []
    rows = Check.objects.filter(run=run).order_by().values_list("verdict", "latency_ms")
    for verdict, latency_ms in rows.iterator():
        verdicts[verdict] += 1
        if verdict == Verdict.OK and latency_ms is not None:
            latencies.append(latency_ms)
    checked = verdicts.total()
    latencies.sort()
    return {
        "checked": checked,
        "ok": verdicts[Verdict.OK],
        "success_ratio": verdicts[Verdict.OK] / checked if checked else None,
        "verdicts": dict(verdicts),
        "latency_p50_ms": _share(latencies, 0.5),
        "latency_p95_ms": _share(latencies, 0.95),
        "histogram": _histogram(latencies),
    }


def _share(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else None


def _histogram(latencies: list[float]) -> list[int]:
    """Return how many lie in each bucket; the last one has no upper end."""
    found = [0] * (len(BUCKETS_MS) + 1)
    for latency_ms in latencies:
        found[bisect_left(BUCKETS_MS, latency_ms)] += 1
    return found


def compared(found: Result, before: Result | None) -> Result:
    """Return ``found`` with its changes against the round before; None where one lacks a value."""
    names = ("success_ratio", "latency_p50_ms", "latency_p95_ms")
    deltas = {f"{name}_delta": _delta(found[name], (before or {}).get(name)) for name in names}
    shares, earlier = shares_of(found), shares_of(before or {})
    changes = [_delta(now, then) for now, then in zip(shares, earlier, strict=True)]
    return {**found, **deltas, "histogram_delta": changes}


def _delta(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else round(now - before, 4)


def shares_of(found: Result) -> list[float | None]:
    """Return the share of a round's good checks in each bucket; None without any."""
    counts = found.get("histogram") or [0] * (len(BUCKETS_MS) + 1)
    total = sum(counts)
    return [round(count / total, 4) if total else None for count in counts]


def latest(*, before: Run | None = None) -> Result | None:
    """Return what the last whole round came to that checked anything.

    Args:
        before: only rounds that were asked for before this one.
    """
    done = Run.objects.filter(kind=kinds.VALIDATE.name, status=RunStatus.DONE)
    if before is not None:
        done = done.filter(created_at__lt=before.created_at)
    for kept in done.order_by("-created_at").values_list("checkpoint", flat=True)[:LOOKED_AT]:
        found = kept.get("round")
        if found and found.get("checked"):
            return dict(found)
    return None


def labels() -> list[str]:
    """Return the buckets in words."""
    return [f"up to {end:,} ms" for end in BUCKETS_MS] + [f"over {BUCKETS_MS[-1]:,} ms"]


@metrics.register
def gauges() -> Iterable[Metric]:
    """Return how the last round of validation went, and the change against the one before."""
    ratio = GaugeMetricFamily(
        "proxy_validation_round_success_ratio", "Good checks of the last round, 0 to 1"
    )
    delta = GaugeMetricFamily(
        "proxy_validation_round_success_ratio_delta", "Change against the round before"
    )
    share = GaugeMetricFamily(
        "proxy_validation_round_latency_share",
        "Share of the last round's good checks that took at most so many seconds",
        labels=["le"],
    )
    change = GaugeMetricFamily(
        "proxy_validation_round_latency_share_delta",
        "Its change against the round before",
        labels=["le"],
    )
    found = latest()
    if found:
        ratio.add_metric([], found["success_ratio"])
        delta.add_metric([], found["success_ratio_delta"] or 0.0)
        for end, now, moved in _cumulated(found):
            share.add_metric([end], now)
            change.add_metric([end], moved)
    return [ratio, delta, share, change]


def _cumulated(found: Result) -> Iterator[tuple[str, float, float]]:
    """Yield each bucket's upper end in seconds, its cumulated share and the change of that."""
    counted, moved, total = 0, 0.0, sum(found["histogram"])
    ends = [f"{end / 1000:g}" for end in BUCKETS_MS] + ["+Inf"]
    for end, count, change in zip(ends, found["histogram"], found["histogram_delta"], strict=True):
        counted, moved = counted + count, moved + (change or 0.0)
        yield end, round(counted / total, 4) if total else 0.0, round(moved, 3)


@reports.register(kinds.VALIDATE.name)
def report(run: Run) -> list[Report]:
    """Return what the run's page shows of a round."""
    found = run.checkpoint.get("round")
    if not found or not found.get("checked"):
        return _targets(run)
    return [
        Report("The round", "against the round before", _in_short(found)),
        Report("Latency of good checks", "share, and its change", _by_latency(found)),
        Report("Verdicts", "", _by_verdict(found)),
        *_targets(run),
    ]


def _targets(run: Run) -> list[Report]:
    """Return how many proxies reached each site, and the addresses that were down themselves."""
    told: dict[str, dict[str, int]] = run.checkpoint.get("targets") or {}
    lines = [
        Line(
            target,
            f"{counts['reached']:,} of {counts['asked']:,}",
            share=counts["reached"] / counts["asked"],
        )
        for target, counts in sorted(told.items())
    ]
    lines += [Line(url, "down: not checked") for url in run.checkpoint.get("targets_down") or []]
    return [Report("Targets", "reached by those who passed", lines)] if lines else []


def _in_short(found: Result) -> list[Line]:
    ratio, delta = found["success_ratio"], found["success_ratio_delta"]
    return [
        Line("Success", f"{100 * ratio:.1f} %", _points(delta), share=ratio),
        *[
            Line(label, _ms(found[name]), _change_ms(found[f"{name}_delta"]))
            for label, name in (
                ("Median latency", "latency_p50_ms"),
                ("Latency p95", "latency_p95_ms"),
            )
        ],
    ]


def _by_latency(found: Result) -> list[Line]:
    changes = found["histogram_delta"]
    return [
        Line(label, f"{count:,}", _points(change), share=share)
        for label, count, share, change in zip(
            labels(), found["histogram"], shares_of(found), changes, strict=True
        )
    ]


def _by_verdict(found: Result) -> list[Line]:
    names = dict(Verdict.choices)
    ordered = sorted(found["verdicts"].items(), key=lambda pair: -pair[1])
    return [
        Line(str(names.get(verdict, verdict)), f"{count:,}", share=count / found["checked"])
        for verdict, count in ordered
    ]


def _points(delta: float | None) -> str:
    return "" if delta is None else f"{100 * delta:+.1f}"


def _ms(value: float | None) -> str:
    return "—" if value is None else f"{value:,.0f} ms"


def _change_ms(delta: float | None) -> str:
    return "" if delta is None else f"{delta:+,.0f} ms"
