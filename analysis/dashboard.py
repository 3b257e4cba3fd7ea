"""Which figures and issues of the app staff see on the front page."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Q
from django.urls import reverse

from analysis import kinds
from analysis.choices import Outcome
from analysis.models import Analysis, Failure, Job, Place
from project.core import figures, issues
from project.core.choices import RunStatus
from project.core.figures import Figure
from project.core.issues import AMBER, Issue
from project.core.models import Run

#: What is told of lately.
LATELY: Final = timedelta(hours=24)
#: So many jobs that failed in a row need somebody's look.
FAILS_IN_A_ROW: Final = 5
#: Work that has waited for so long is stuck.
WAITS_TOO_LONG: Final = timedelta(minutes=15)


def _list(model: str, query: str = "") -> str:
    return reverse(f"admin:analysis_{model}_changelist") + query


@figures.register
def figures_of_analysis(now: datetime) -> list[Figure]:
    """Return jobs of the day, and how well places are located."""
    at_work = (
        Run.objects.unended()
        .filter(kind=kinds.JOB.name)
        .aggregate(running=Count("pk", filter=Q(status=RunStatus.RUNNING)), all=Count("pk"))
    )
    day = Job.objects.filter(ended_at__gte=now - LATELY).aggregate(
        ended=Count("pk"),
        failed=Count("pk", filter=Q(final_status=RunStatus.FAILED)),
        partial=Count("pk", filter=Q(final_status=RunStatus.PARTIAL)),
    )
    waiting = at_work["all"] - at_work["running"]
    ended = (
        f"{day['ended']:,} ended in 24 h · {day['failed']:,} failed · {day['partial']:,} partial"
    )
    return [
        Figure(
            "videos_at_work",
            "Videos at work",
            f"{at_work['running']:,}",
            f"{waiting:,} waiting · {ended}",
            _list("job"),
            "warning" if day["failed"] else "neutral",
        ),
        _located(now),
    ]


def _located(now: datetime) -> Figure:
    lately = Analysis.objects.filter(finished_at__gte=now - LATELY).exclude(outcome=Outcome.NONE)
    located = Place.objects.filter(analysis__in=lately.order_by()).count()
    failed = Failure.objects.filter(analysis__in=lately.order_by()).count()
    total = located + failed
    return Figure(
        "places_located",
        "Places located",
        f"{100 * located / total:.0f} %" if total else "—",
        f"{located:,} of {total:,} named in 24 h",
        _list("failure"),
        "warning" if failed else "neutral",
    )


@issues.register
def issues_of_analysis(now: datetime) -> list[Issue]:
    """Return what needs a person: jobs that fail one after another, work that is stuck."""
    return [*_failing(now), *_stuck(now)]


def _failing(now: datetime) -> list[Issue]:
    ended = Run.objects.ended().filter(kind=kinds.JOB.name, ended_at__gte=now - LATELY)
    last = ended.exclude(status=RunStatus.CANCELED).exclude(error_type="deterministic")
    rows = list(last.order_by("-ended_at").values_list("status", "error_message")[:FAILS_IN_A_ROW])
    if len(rows) < FAILS_IN_A_ROW or any(status != RunStatus.FAILED for status, _ in rows):
        return []
    text = f"The last {FAILS_IN_A_ROW} analyses failed: {rows[0][1][:200]}"
    url = reverse("admin:core_run_changelist") + f"?kind={kinds.JOB.name}"
    return [Issue("analyses_fail", AMBER, text, "Show them", url)]


def _stuck(now: datetime) -> list[Issue]:
    due = Q(next_try_at__isnull=True) | Q(next_try_at__lt=now - WAITS_TOO_LONG)
    waiting = Run.objects.filter(
        due, kind=kinds.JOB.name, status=RunStatus.QUEUED, created_at__lt=now - WAITS_TOO_LONG
    )
    count = waiting.count()
    if not count:
        return []
    minutes = WAITS_TOO_LONG.total_seconds() / 60
    text = f"{count:,} analyses have waited for more than {minutes:.0f} min"
    url = reverse("admin:core_run_changelist") + f"?kind={kinds.JOB.name}&status__exact=queued"
    return [Issue("analyses_wait", AMBER, text, "Show them", url)]
