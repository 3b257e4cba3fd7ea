"""Whether a periodic job is sent: pausing it, and letting it go on."""

from datetime import datetime

from django_celery_beat.models import PeriodicTask, PeriodicTasks


def pause(job: PeriodicTask, *, now: datetime) -> bool:
    """Send ``job`` no more until it is resumed; False when it was paused already.

    What it missed meanwhile is not caught up: its last sending is forgotten, so that a
    resumed job counts from the moment of resuming.
    """
    return _set(job, enabled=False, now=now)


def resume(job: PeriodicTask, *, now: datetime) -> bool:
    """Send ``job`` by its schedule again; False when it was not paused."""
    return _set(job, enabled=True, now=now)


def _set(job: PeriodicTask, *, enabled: bool, now: datetime) -> bool:
    rows = PeriodicTask.objects.filter(pk=job.pk, enabled=not enabled)
    changed = rows.update(enabled=enabled, last_run_at=None, date_changed=now)
    if changed:
        PeriodicTasks.update_changed()
        job.refresh_from_db()
    return bool(changed)
