"""Whether the installation stands still, and keeping it so while its database is replaced."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError

from project.core import processes
from project.core.models import ProcessHeartbeat
from project.runtime import locking
from project.storage.errors import StillRunningError


@contextmanager
def standing_still(*, about: str, now: datetime) -> Iterator[None]:
    """Hold the data directory's lock while the block runs, so that nothing starts.

    Args:
        about: told to whoever tries, e.g. ``"restore"``.
        now: the moment, UTC.

    Raises:
        StillRunningError: the installation runs, here or elsewhere on the same database.
    """
    try:
        lock = locking.acquire(settings.DATA_DIR, about=about)
    except locking.TakenError as error:
        raise StillRunningError(f"{error}: stop it first") from error
    with lock:
        _require_nobody(now)
        yield


def _require_nobody(now: datetime) -> None:
    """Make sure that no process of a scaled installation, which takes no lock, is alive."""
    try:
        alive = ProcessHeartbeat.objects.alive(since=now - processes.SILENT_AFTER)
        names = list(alive.values_list("role", "name"))
    except DatabaseError:  # a database that can't be read is what a restore is for
        return
    running = [f"{role} {name}" for role, name in names if not processes.is_surely_dead(name)]
    if running:
        raise StillRunningError(f"alive: {', '.join(sorted(running))}; stop them first")
