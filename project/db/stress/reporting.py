"""Decides whether a load test met its targets, and how its report reads."""

import os
import platform
from dataclasses import asdict, dataclass
from typing import Any, Final

from project.db import library
from project.db.stress.plans import ORM, Load
from project.db.stress.running import Outcome

MOST_ERRORS: Final = 0.005
SLOWEST_P95_MS: Final = 35.0
LEAST_PER_SECOND: Final = 1252.0
_MEANINGS: Final = {
    "ours": "the product's engine and settings",
    "stock": "Django's own engine, no options, a connection per operation",
    "tuned": "Django's own engine with the product's options, a connection per operation",
    "raw": "Python's sqlite3 alone, a connection per worker",
}


@dataclass(frozen=True)
class Target:
    """One promise, and whether it was kept."""

    name: str
    wanted: str
    found: str
    is_met: bool


def judge(outcome: Outcome) -> list[Target]:
    """Compare what the product's own engine did with its targets."""
    return [
        Target(
            "errors",
            f"<= {MOST_ERRORS:.1%}",
            f"{outcome.error_rate:.2%}",
            outcome.error_rate <= MOST_ERRORS,
        ),
        Target(
            "P95",
            f"<= {SLOWEST_P95_MS:g} ms",
            f"{outcome.p95_ms:.1f} ms",
            outcome.p95_ms <= SLOWEST_P95_MS,
        ),
        Target(
            "operations/s",
            f">= {LEAST_PER_SECOND:,.0f}",
            f"{outcome.per_second:,.0f}",
            outcome.per_second >= LEAST_PER_SECOND,
        ),
    ]


def to_dict(load: Load, outcomes: list[Outcome], *, alias: str) -> dict[str, Any]:
    """Return the report for programs."""
    targets = judge(outcomes[0])
    return {
        "database": alias,
        "load": asdict(load),
        "machine": {
            "processors": os.cpu_count(),
            "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
            "python": platform.python_version(),
            "sqlite": library.version(),
        },
        "is_passed": all(target.is_met for target in targets),
        "targets": [asdict(target) for target in targets],
        "outcomes": [outcome.to_dict() for outcome in outcomes],
        "ratios": _ratios(outcomes),
        "note": _note(load),
    }


def to_text(load: Load, outcomes: list[Outcome], *, alias: str) -> str:
    """Return the report for people."""
    report = to_dict(load, outcomes, alias=alias)
    head = (
        f"{load.workers} workers in {load.processes} process(es), {load.seconds:g} s each, "
        f"{load.write_share:.0%} writes, level {load.level}, database {alias!r}"
    )
    lines = [
        head,
        "",
        f"{'':8}{'ops/s':>9}{'P50 ms':>9}{'P95 ms':>9}{'P99 ms':>9}{'errors':>9}  ours is",
        *(_row(outcome, report["ratios"]) for outcome in outcomes),
        "",
        *(f"{outcome.name:8}{_MEANINGS[outcome.name]}" for outcome in outcomes),
        *_errors(outcomes),
        "",
        *(_target_row(target) for target in judge(outcomes[0])),
        f"=> {'PASSED' if report['is_passed'] else 'FAILED'}",
    ]
    return "\n".join([*lines, *([report["note"]] if report["note"] else [])])


def _row(outcome: Outcome, ratios: dict[str, float]) -> str:
    ratio = f"  {ratios[outcome.name]:.2f} x" if outcome.name in ratios else ""
    return (
        f"{outcome.name:8}{outcome.per_second:>9,.0f}{outcome.p50_ms:>9.1f}"
        f"{outcome.p95_ms:>9.1f}{outcome.p99_ms:>9.1f}{outcome.error_rate:>9.2%}{ratio}"
    )


def _target_row(target: Target) -> str:
    return (
        f"{'met   ' if target.is_met else 'MISSED'}  {target.name} {target.wanted}: {target.found}"
    )


def _errors(outcomes: list[Outcome]) -> list[str]:
    return [
        f"  {outcome.name}: {count} x {text}"
        for outcome in outcomes
        for text, count in outcome.errors.most_common(3)
    ]


def _ratios(outcomes: list[Outcome]) -> dict[str, float]:
    """Return how many times faster ours is than each of the others."""
    ours = outcomes[0].per_second
    return {
        other.name: round(ours / other.per_second, 3) for other in outcomes[1:] if other.per_second
    }


def _note(load: Load) -> str:
    if load.level == ORM and load.processes == 1:
        return (
            "One process of ORM operations is bound by the interpreter at some 1,100/s on the "
            "machine of the targets; ask for --processes 2, or --level sql to see the engine."
        )
    return ""
