"""What the admin's front page shows: issues, key figures, periodic jobs, runs at work."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from project.core import figures, health, jobs, live


def context(request: HttpRequest, found: dict[str, Any]) -> dict[str, Any]:
    """Add what the dashboard shows to the template's context; unfold calls it."""
    now = timezone.now()
    return found | {
        "issues": health.all_issues(now=now),
        "figures": figures.current(now=now),
        "jobs": jobs.states(now=now),
        "runs": live.recent_runs(),
    }
