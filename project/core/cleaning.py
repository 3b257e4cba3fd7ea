"""What the nightly clean-up drops."""

from datetime import datetime
from importlib import import_module

from django.conf import settings

from project.core import events
from project.core.working import Work


def clean_up(work: Work, *, now: datetime) -> None:
    """Drop what is too old, and count it in the run."""
    work.report(phase="events")
    work.report(progress=90, counts=events.thin(now=now))
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
