"""What the engine's tests share: a database of the engine, in a file, beside the suite's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.db import files, making

SCRATCH = "scratch"


@pytest.fixture
def make_database(tmp_path: Path, django_db_blocker: Any) -> Iterator[Callable[..., str]]:
    """Give a function that makes a filled database with given options of its pool."""
    with django_db_blocker.unblock(), ExitStack() as stack:

        def make(alias: str = SCRATCH, *, file: str = "scratch.sqlite3", **pool: Any) -> str:
            settings = files.sqlite_settings(tmp_path / file, **pool)
            return stack.enter_context(making.filled(alias, settings))

        yield make


@pytest.fixture
def alias(make_database: Callable[..., str]) -> str:
    """Give the alias of a filled database with the default pool."""
    return make_database()
