"""What a round of validation came to, and how that differs from the checks before."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import OuterRef
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
    found = sum_up(work.run)
    work.keep(round=found)
    # histograms are tables of the run's page; in a line of its history they would say nothing
    told = {name: value for name, value in found.items() if not isinstance(value, list)}
    work.event("round_result", told)
    return found


class _Tally:
    """Checks that are looked at together."""

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.latencies: list[float] = []

    def add(self, verdict: str, latency_ms: float | None) -> None:
        """Take in one check."""
        self.verdicts[verdict] += 1
        if verdict == Verdict.OK and latency_ms is not None:
            self.latencies.append(latency_ms)

    def told(self) -> Result:
        """Return what the checks came to."""
        checked, latencies = self.verdicts.total(), sorted(self.latencies)
        return {
            "checked": checked,
            "ok": self.verdicts[Verdict.OK],
            "success_ratio": self.verdicts[Verdict.OK] / checked if checked else None,
            "verdicts": dict(self.verdicts),
            "latency_p50_ms": _share(latencies, 0.5),
            "latency_p95_ms": _share(latencies, 0.95),
            "histogram": _histogram(latencies),
        }


def sum_up(run: Run) -> Result:
    """Return verdicts, success ratio and latencies of a round, by its checks, and the changes.

    A round checks what is due, so that two of them are seldom about the same proxies: what counts
    as a change is that of the proxies which had been checked before, each against its own check
    before; ``compared`` is how many those are.
    """
    all_of_it, again, before = _Tally(), _Tally(), _Tally()
    for verdict, latency_ms, verdict_before, latency_before_ms in _checks(run):
        all_of_it.add(verdict, latency_ms)
        if verdict_before is not None:
            again.add(verdict, latency_ms)
            before.add(verdict_before, latency_before_ms)
    changes = _changes(again.told(), before.told())
    return {**all_of_it.told(), "compared": again.verdicts.total(), **changes}


def _checks(run: Run) -> Iterator[tuple[str, float | None, str | None, float | None]]:
    """Yield what each check of a round found, and what the check of that proxy before it found.

    Older ones than are kept whole don't count: of those only the good ones are there.
    """
    whole_for = timedelta(days=settings.PROXY_FAILED_CHECK_DAYS)
    earlier = Check.objects.filter(
        proxy=OuterRef("proxy"), id__lt=OuterRef("id"), at__gte=OuterRef("at") - whole_for
    ).order_by("-id")
    rows = Check.objects.filter(run=run).order_by().annotate(before=earlier.values("id")[:1])
    known = Check.objects.filter(id=OuterRef("before"))
    both = rows.annotate(
        verdict_before=known.values("verdict")[:1],
        latency_before_ms=known.values("latency_ms")[:1],
    )
    names = ("verdict", "latency_ms", "verdict_before", "latency_before_ms")
    yield from both.values_list(*names).iterator()


def _share(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else None


def _histogram(latencies: list[float]) -> list[int]:
    """Return how many lie in each bucket; the last one has no upper end."""
    found = [0] * (len(BUCKETS_MS) + 1)
    for latency_ms in latencies:
        found[bisect_left(BUCKETS_MS, latency_ms)] += 1
    return found


def _changes(again: Result, before: Result) -> Result:
    """Return the changes between two results about the same proxies; None where one lacks a value."""
    names = ("success_ratio", "latency_p50_ms", "latency_p95_ms")
    deltas = {f"{name}_delta": _delta(again[name], before[name]) for name in names}
    shares, earlier = shares_of(again), shares_of(before)
    changes = [_delta(now, then) for now, then in zip(shares, earlier, strict=True)]
    return {**deltas, "histogram_delta": changes}


def _delta(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else round(now - before, 4)


def shares_of(found: Result) -> list[float | None]:
    """Return the share of a round's good checks in each bucket; None without any."""
    counts = found.get("histogram") or [0] * (len(BUCKETS_MS) + 1)
    total = sum(counts)
    return [round(count / total, 4) if total else None for count in counts]


def latest() -> Result | None:
    """Return what the last whole round came to that checked anything."""
    done = Run.objects.filter(kind=kinds.VALIDATE.name, status=RunStatus.DONE)
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
        "proxy_validation_round_success_ratio_delta",
        "Its change, of proxies that had been checked before",
    )
    share = GaugeMetricFamily(
        "proxy_validation_round_latency_share",
        "Share of the last round's good checks that took at most so many seconds",
        labels=["le"],
    )
    change = GaugeMetricFamily(
        "proxy_validation_round_latency_share_delta",
        "Its change, of proxies that had been checked before",
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
        Report("The round", _against(found), _in_short(found)),
        Report("Latency of good checks", "share, and its change", _by_latency(found)),
        Report("Verdicts", "", _by_verdict(found)),
        *_targets(run),
    ]


def _against(found: Result) -> str:
    """Return what changes are measured by, in words."""
    count = found.get("compared")
    return f"change of {count:,} that had been checked before" if count else ""


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
