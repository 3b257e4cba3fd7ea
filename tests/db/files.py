"""Settings of a database of the engine, as the product has them; imports nothing of Django."""

from pathlib import Path
from typing import Any

PRAGMAS = "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA temp_store=MEMORY;"


def sqlite_settings(path: Path, **pool: Any) -> dict[str, Any]:
    """Return settings like the product's, for a file at ``path``."""
    return {
        "ENGINE": "project.db.sqlite",
        "NAME": str(path),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": PRAGMAS,
            "pool": pool,
        },
    }
