"""Databases, cache and sessions."""

from typing import Any
from urllib.parse import quote

import dj_database_url

from project.settings import env
from project.settings.base import DATA_DIR

POOL_MIN_SIZE = 2
POOL_MAX_SIZE = 20

#: WAL lets readers go on beside the writer; NORMAL syncs at checkpoints, which WAL makes safe.
_PRAGMAS = (
    "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA cache_size=-20000;"
    "PRAGMA journal_size_limit=67108864;PRAGMA temp_store=MEMORY;"
)
DATABASE_URL = env.scaled("DATABASE_URL", f"sqlite:///{quote(str(DATA_DIR / 'millrace.sqlite3'))}")
REDIS_URL = env.url("REDIS_URL", env.scaled("REDIS_URL", ""), schemes=("redis", "rediss", "unix"))


def _database(url: str) -> dict[str, Any]:
    """Return Django's settings of the database at ``url``, tuned for its kind."""
    found: dict[str, Any] = dict(dj_database_url.parse(url))
    if found["ENGINE"].endswith("sqlite3"):
        found["ENGINE"] = "project.db.sqlite"
        found["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",  # a write waits its turn at BEGIN instead of failing
            "timeout": 20,
            "init_command": _PRAGMAS,
        }
        # A file, since ``:memory:`` would pass concurrency by.
        found["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
    else:
        found["ENGINE"] = "project.db.postgresql"
        found["CONN_HEALTH_CHECKS"] = True
        found["OPTIONS"] = {
            **found.get("OPTIONS", {}),
            "pool": {"min_size": POOL_MIN_SIZE, "max_size": POOL_MAX_SIZE, "timeout": 20},
        }
    found["CONN_MAX_AGE"] = 0
    return found


DATABASES = {"default": _database(DATABASE_URL)}
#: `default` falls back to memory while Redis is away; `shared` then keeps nothing, for what one
#: process must not remember beside the others.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "project.core.caching.FallbackCache",
        "LOCATION": REDIS_URL,
        "NAME": "default",
    },
    "shared": {
        "BACKEND": "project.core.caching.SharedCache",
        "LOCATION": REDIS_URL,
        "NAME": "shared",
    },
}
#: In the database, and in the shared cache while there is one; never in one process's memory.
SESSION_ENGINE = "accounts.sessions"
