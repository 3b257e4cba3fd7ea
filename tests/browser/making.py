"""Runs, jobs and processes for the pages to show."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from project.core import claims, events, kinds, runs
from project.core.callers import SYSTEM
from project.core.models import ProcessHeartbeat, Run


def make_run(subject: str = "binance:BTC/USDT 1m", **asked: Any) -> Run:
    """Ask for a run; no worker of the tests takes it."""
    asked.setdefault("exclusive_key", subject)
    ask = runs.Ask(kind=kinds.CLEAN_UP.name, subject=subject, **asked)
    return runs.submit(ask, by=SYSTEM, now=timezone.now())


def start(run: Run) -> Run:
    """Take a run as a worker does; its claim lasts for the whole test."""
    taken = claims.take(str(run.pk), limit_s=600, now=timezone.now()).run
    Run.objects.filter(pk=run.pk).update(claimed_until=timezone.now() + timedelta(hours=1))
    return taken


def report(run: Run, **changes: Any) -> None:
    """Write what a working run reports."""
    assert events.record(run, where={}, changes=changes, now=timezone.now())


def end(run: Run, status: str = "done", **changes: Any) -> None:
    """End a working run."""
    now = timezone.now()
    report(run, status=status, ended_at=now, claimed_until=None, **changes)


def make_job(name: str = "Tidy up", *, seconds: int = 300, **fields: Any) -> PeriodicTask:
    """Make a periodic job."""
    interval, _ = IntervalSchedule.objects.get_or_create(every=seconds, period="seconds")
    fields.setdefault("task", kinds.CLEAN_UP.name)
    return PeriodicTask.objects.create(name=name, interval=interval, kwargs="{}", **fields)


def make_process(role: str, **fields: Any) -> ProcessHeartbeat:
    """Make a sign of life that lasts for the whole test."""
    now = timezone.now()
    facts = {"host": "mill", "pid": 7, "version": "0.1.0", "started_at": now, "beat_at": now}
    return ProcessHeartbeat.objects.create(role=role, **({"name": f"mill:{role}"} | facts | fields))
