"""Decides what a data directory must have before the installation starts, and makes it.

Each step does nothing where nothing is to be done, so that a second start takes seconds; it
returns what it did, in words for people.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from prometheus_client.multiprocess import mark_process_dead

from project.runtime import publishing

FIRST_USER: Final = "admin@localhost"
PASSWORD_FILE: Final = "admin-password"  # noqa: S105 -- a file's name
_PASSWORD_BYTES: Final = 15


def empty_metrics(folder: Path) -> str:
    """Forget what the processes of the last run counted: their numbers are given anew."""
    folder.mkdir(parents=True, exist_ok=True)
    old = list(folder.glob("*.db"))
    for path in old:
        path.unlink(missing_ok=True)
    return "start at zero"


def forget_process(pid: int) -> None:
    """Drop the gauges of a process that has ended; what it counted stays in the sums."""
    mark_process_dead(pid, str(settings.METRICS_DIR))  # type: ignore[no-untyped-call]


def migrate() -> str:
    """Apply the migrations that are missing."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return f"{connection.vendor}, up to date"
    call_command("migrate", interactive=False, verbosity=0)
    return f"{connection.vendor}, {len(plan)} migrations applied"


def publish_static_files(*, root: Path, data_dir: Path) -> str:
    """Collect the static files into ``root`` where they aren't as in the last run."""
    count = publishing.publish(root=root, mark=data_dir / "static.published")
    return f"{count} files collected" if count else "unchanged"


def create_first_user(data_dir: Path) -> tuple[str, str | None]:
    """Create the first staff user where there is no superuser.

    The password is kept in ``DATA_DIR/admin-password``, written before the user so that it can't
    get lost in between.

    Returns:
        What was done, and the password if it is new: to be shown this once.
    """
    users = get_user_model()._default_manager  # noqa: SLF001 -- Django's documented name
    if users.filter(is_superuser=True).exists():
        return "is there", None
    if users.filter(email=FIRST_USER).exists():
        return f"{FIRST_USER} is there, but is no superuser", None
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    _write_secret(data_dir / PASSWORD_FILE, password)
    users.create_superuser(email=FIRST_USER, password=password)
    return f"{FIRST_USER} created", password


def close_connections() -> None:
    """Close all database connections and pools: none may cross a fork."""
    for each in connections.all(initialized_only=True):
        each.close()
        close_pool = getattr(each, "close_pool", None)
        if close_pool is not None:
            close_pool()


def _write_secret(path: Path, text: str) -> None:
    """Write ``text`` to ``path``, readable by the owner alone from the first moment."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{text}\n")
