"""Decides which database settings are refused or warned of at the start."""

from collections import Counter
from typing import Any, Final

from django.conf import settings
from django.core import checks

from project.db import library
from project.db.sqlite import registry

_SQLITE: Final = "project.db.sqlite"


def check_databases(**_: Any) -> list[checks.CheckMessage]:
    """Return what is wrong with the settings of the databases that use the SQLite engine."""
    ours = {
        alias: database
        for alias, database in settings.DATABASES.items()
        if database.get("ENGINE") == _SQLITE
    }
    if not ours:
        return []
    found = [message for alias, database in ours.items() for message in _check(alias, database)]
    return [*found, *_check_files(ours), *_check_library()]


def _check(alias: str, database: dict[str, Any]) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    options = database.get("OPTIONS", {})
    if database.get("CONN_MAX_AGE", 0) != 0 and options.get("pool", True) is not False:
        found.append(
            checks.Error(
                f"DATABASES[{alias!r}]: CONN_MAX_AGE must be 0 with a pool.",
                hint="The pool keeps connections open by itself.",
                id="db.E001",
            )
        )
    if database.get("ATOMIC_REQUESTS", False):
        found.append(
            checks.Error(
                f"DATABASES[{alias!r}]: ATOMIC_REQUESTS lets one request in at a time.",
                hint="Open transactions where something is written, in the verbs.",
                id="db.E002",
            )
        )
    if str(options.get("transaction_mode", "")).upper() not in {"IMMEDIATE", "EXCLUSIVE"}:
        found.append(
            checks.Warning(
                f"DATABASES[{alias!r}]: transaction_mode is not IMMEDIATE.",
                hint="A transaction that reads before it writes then fails under load.",
                id="db.W001",
            )
        )
    return found


def _check_files(ours: dict[str, dict[str, Any]]) -> list[checks.CheckMessage]:
    paths = Counter(registry.path_of(str(database["NAME"])) for database in ours.values())
    return [
        checks.Warning(
            f"{count} aliases of DATABASES share the file {path}.",
            hint="A thread that writes through both at once waits for itself.",
            id="db.W002",
        )
        for path, count in paths.items()
        if count > 1 and ":memory:" not in path
    ]


def _check_library() -> list[checks.CheckMessage]:
    if library.is_fixed():
        return []
    return [
        checks.Warning(
            f"SQLite {library.version()} has the WAL-reset bug, which can corrupt a database.",
            hint="Install pysqlite3, which brings a fixed one.",
            id="db.W003",
        )
    ]
