"""Decides which SQLite library the process uses.

SQLite up to 3.51.2 can corrupt a database when a WAL is reset while another process
reads (https://sqlite.org/wal.html, "the WAL-reset bug"). The wheel ``pysqlite3`` brings a
fixed one; it takes the place of the standard library's module under the same name.
"""

import importlib
import sys
from typing import Final

FIRST_FIXED: Final = (3, 51, 3)


def prefer_fixed_sqlite() -> None:
    """Put ``pysqlite3`` in the place of ``sqlite3`` when it is installed and newer."""
    try:
        fixed = importlib.import_module("pysqlite3")
    except ImportError:  # no wheel for this platform: health says so by the version
        return
    if "django.db.backends.sqlite3.base" in sys.modules:
        raise RuntimeError("project must be imported before Django's SQLite backend")
    sys.modules["sqlite3"] = fixed
    sys.modules["sqlite3.dbapi2"] = fixed.dbapi2


def version() -> str:
    """Return the version of the SQLite library in use, e.g. ``"3.53.4"``."""
    return str(importlib.import_module("sqlite3").sqlite_version)


def is_fixed() -> bool:
    """Say whether the library in use is free of the WAL-reset bug."""
    return tuple(int(part) for part in version().split(".")) >= FIRST_FIXED
