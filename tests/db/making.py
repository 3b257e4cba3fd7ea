"""Makes databases of the engine for a test: files of its own under an alias of its own."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from project.db.stress import scratch
from project.db.stress.scratch import Account


@contextmanager
def database(alias: str, settings: dict[str, Any]) -> Iterator[str]:
    """Add ``alias`` to Django's databases while the block runs."""
    known = connections.settings
    connections.configure_settings({**known, alias: settings})
    known[alias] = settings
    try:
        yield alias
    finally:
        with contextlib.suppress(Exception):
            connections[alias].close()
        if hasattr(connections[alias], "close_pool"):
            wrapper(alias).close_pool()
        del connections[alias]
        del known[alias]


@contextmanager
def filled(alias: str, settings: dict[str, Any], *, accounts: int = 20) -> Iterator[str]:
    """Add ``alias`` with the scratch tables and a few rows."""
    with database(alias, settings):
        with connections[alias].schema_editor() as editor:
            editor.create_model(scratch.Account)
            editor.create_model(scratch.Entry)
        Account.objects.using(alias).bulk_create(
            [Account(id=number, name=f"account {number}") for number in range(1, accounts + 1)]
        )
        connections[alias].close()
        yield alias


def wrapper(alias: str) -> Any:
    """Return this thread's wrapper of ``alias``, with what the engines add to Django's."""
    return connections[alias]


def until(holds: Callable[[], bool], *, within_s: float = 5.0) -> bool:
    """Wait until something holds; return whether it did in time."""
    end_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.005)
    return True
