"""Fixtures of the tests of storage: a folder, a PostgreSQL server, a product on either database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from project.storage import databases
from tests.services import postgres
from tests.storage import making


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Give the URL of a PostgreSQL server of our own."""
    with postgres.running() as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """Let backups and the data directory's lock be in a folder of this test."""
    settings.DATA_DIR = tmp_path
    settings.BACKUPS_DIR = tmp_path / "backups"
    settings.S3_BUCKET = ""
    return tmp_path / "backups"


@pytest.fixture(params=["sqlite", "postgresql"])
def product(
    request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Let the product run on a small database of either kind; its own rows stay where they are."""
    if request.param == "sqlite":
        database: Any = making.make_sqlite(folder.parent / "product.sqlite3")
        monkeypatch.setattr(databases, "own", lambda: database)
        yield database
        return
    database = making.make_postgres(request.getfixturevalue("server"))
    monkeypatch.setattr(databases, "own", lambda: database)
    yield database
    making.drop_postgres(database)
