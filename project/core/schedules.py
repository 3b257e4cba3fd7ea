"""The periodic jobs that an app's data migration seeds, never over what staff changed."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Every:
    """A job that runs at an interval."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Daily:
    """A job that runs once a day, UTC."""

    hour: int
    minute: int = 0


def seed(apps: Any, *, name: str, kind: str, when: Every | Daily, description: str) -> None:
    """Create the periodic job ``name`` unless it is there: call it from a data migration.

    Args:
        apps: the migration's registry of historical models.
        name: shown to staff, and the key by which it is found again.
        kind: which kind of run it asks for.
        when: its schedule.
        description: what it does, for staff.
    """
    jobs = apps.get_model("django_celery_beat", "PeriodicTask")
    if jobs.objects.filter(name=name).exists():
        return
    facts: dict[str, Any] = {"task": kind, "description": description, "kwargs": json.dumps({})}
    if isinstance(when, Every):
        intervals = apps.get_model("django_celery_beat", "IntervalSchedule")
        facts["interval"] = _one_of(intervals, every=when.seconds, period="seconds")
    else:
        crontabs = apps.get_model("django_celery_beat", "CrontabSchedule")
        clock = {"minute": str(when.minute), "hour": str(when.hour), "day_of_week": "*"}
        facts["crontab"] = _one_of(
            crontabs, **clock, day_of_month="*", month_of_year="*", timezone="UTC"
        )
    jobs.objects.create(name=name, enabled=True, **facts)


def _one_of(schedules: Any, **facts: Any) -> Any:
    """Return a schedule with these facts: staff may have made several alike."""
    found = schedules.objects.filter(**facts).order_by("pk").first()
    return found or schedules.objects.create(**facts)
