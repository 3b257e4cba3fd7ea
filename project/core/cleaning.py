"""What the nightly clean-up drops."""

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Final

from django.conf import settings

from project.core import events
from project.core.models import AuditEntry
from project.core.working import Work

#: What staff did is known for so long.
AUDIT_KEPT: Final = timedelta(days=730)
#: Drops what an app keeps no longer at a moment; returns how many rows of what.
Forget = Callable[[datetime], dict[str, int]]
_forgets: list[Forget] = []


def register(forget: Forget) -> Forget:
    """Let the decorated function drop what is too old of its app, by ``events.delete_all``."""
    _forgets.append(forget)
    return forget


def clean_up(work: Work, *, now: datetime) -> None:
    """Drop what is too old, and count it in the run."""
    work.report(phase="events")
    work.report(progress=90, counts=events.thin(now=now))
    forgotten, _ = AuditEntry.objects.filter(at__lt=now - AUDIT_KEPT).delete()
    work.report(counts={"audit_entries": forgotten})
    for forget in _forgets:
        work.report(counts=forget(now))
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
