"""Decides how a WAL that has grown is folded into its file without holding writers up."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from project.db.sqlite import registry

#: The last step keeps writers out while it waits for readers: so not for long.
_PATIENCE_S: Final = 0.2


def fold_wal(name: str | Path) -> bool:
    """Copy the WAL of the database ``name`` into its file and truncate it.

    Returns:
        Whether that went through; an unfinished read keeps part of the WAL in use.
    """
    path = registry.path_of(str(name))
    with closing(sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)) as connection:
        _, pages, folded = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if folded < pages:
            return False
        is_busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy
