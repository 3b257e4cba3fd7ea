"""Decides the surroundings of a test process: a data directory and Redis databases of its own.

pytest-django reads settings before any conftest, hence here. ``DATABASE_URL``, ``REDIS_URL`` and
``CELERY_BROKER_URL`` of the environment say where the tests run; without them it is on SQLite.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from urllib.parse import urlsplit, urlunsplit

from cryptography.fernet import Fernet


def _own_database(url: str, number: int) -> str:
    """Return the Redis ``url`` with its database replaced by ``number``."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


def _separate() -> None:
    """Give this process what no other test process uses; children inherit it."""
    own = tempfile.mkdtemp(prefix="millrace-test-")
    atexit.register(_remove, own, os.getpid())
    os.environ["DATA_DIR"] = own
    os.environ["SECRET_KEY"] = secrets.token_urlsafe()  # else each process would say it made one
    os.environ["FIELD_KEYS"] = Fernet.generate_key().decode()
    os.environ["RATE_LIMIT_ENABLED"] = "false"  # tests of limits turn them on
    os.environ["GAZETTEER_AHEAD"] = "false"  # each test's worker would compile one of its own
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    if os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = _own_database(os.environ["REDIS_URL"], 2 * worker)
        broker_url = os.environ.get("CELERY_BROKER_URL", os.environ["REDIS_URL"])
        os.environ["CELERY_BROKER_URL"] = _own_database(broker_url, 2 * worker + 1)


def _remove(folder: str, pid: int) -> None:
    if os.getpid() == pid:  # a fork of this process must not
        shutil.rmtree(folder, ignore_errors=True)


_separate()

from project.settings import *  # noqa: E402, F403, TID251 -- read with the environment as set above
