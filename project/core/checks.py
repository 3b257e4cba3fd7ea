"""System checks: combinations of settings that would not work."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning
from django.db import connection

from project.db import library


@register()
def databases(app_configs: object, **_: Any) -> list[CheckMessage]:
    """Refuse settings that would break the pool or serialise everything."""
    found: list[CheckMessage] = []
    for alias, database in settings.DATABASES.items():
        if database.get("CONN_MAX_AGE", 0) != 0:
            found.append(Error(f"{alias}: CONN_MAX_AGE must be 0, there is a pool", id="core.E001"))
        if database.get("ATOMIC_REQUESTS"):
            found.append(
                Error(f"{alias}: ATOMIC_REQUESTS would serialise everything", id="core.E002")
            )
    if connection.vendor == "sqlite" and not library.is_fixed():
        found.append(
            CheckWarning(
                f"SQLite {library.version()} can corrupt a database when its WAL is reset",
                hint="Install the wheel pysqlite3, or a Python with SQLite 3.51.3 or later.",
                id="core.W001",
            )
        )
    return found
