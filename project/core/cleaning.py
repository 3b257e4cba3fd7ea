"""What the nightly clean-up drops."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Final

from django.conf import settings

from project.core import events
from project.core.models import AuditEntry
from project.core.working import Work

#: What staff did is known for so long.
AUDIT_KEPT: Final = timedelta(days=730)


def clean_up(work: Work, *, now: datetime) -> None:
    """Drop what is too old, and count it in the run."""
    work.report(phase="events")
    work.report(progress=90, counts=events.thin(now=now))
    forgotten, _ = AuditEntry.objects.filter(at__lt=now - AUDIT_KEPT).delete()
    work.report(counts={"audit_entries": forgotten})
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
