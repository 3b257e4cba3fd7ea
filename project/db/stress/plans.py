"""Decides what one load test consists of: contenders, scratch databases, shares of work."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

#: Stock Django as ``startproject`` makes it: no options at all.
STOCK_SQLITE: Final = "django.db.backends.sqlite3"
STOCK_POSTGRESQL: Final = "django.db.backends.postgresql"
ORM, SQL, RAW = "orm", "sql", "raw"


@dataclass(frozen=True)
class Load:
    """How hard to press, and how."""

    workers: int = 25
    processes: int = 2
    seconds: float = 30.0
    write_share: float = 0.2
    level: str = ORM

    def shares(self) -> list[int]:
        """Return how many workers each process has; they differ by one at most."""
        each, more = divmod(self.workers, self.processes)
        return [each + (number < more) for number in range(self.processes)]


@dataclass(frozen=True)
class Contender:
    """One way to the database: settings of Django, and the level of the operations."""

    name: str
    database: dict[str, Any] = field(repr=False)
    level: str


@dataclass(frozen=True)
class Job:
    """What one process of the load test is told, as JSON on its standard input."""

    database: dict[str, Any] = field(repr=False)
    level: str
    task: str  # "prepare", "press" or "clear"
    workers: int = 0
    seconds: float = 0.0
    write_share: float = 0.0
    seed: int = 0

    def to_json(self) -> str:
        """Return one line; paths become text."""
        return json.dumps(asdict(self), default=str)


def is_sqlite(database: Mapping[str, Any]) -> bool:
    """Say whether Django's settings of a database mean SQLite."""
    return "sqlite" in str(database["ENGINE"])


def contenders(
    database: Mapping[str, Any], *, level: str, folder: Path, with_baseline: bool
) -> list[Contender]:
    """Return who runs: the product's own way first, then those it is compared with."""
    own = {name: value for name, value in database.items() if name != "TEST"}
    if not is_sqlite(own):
        found = [Contender("ours", own, level)]
        if with_baseline:
            options = {k: v for k, v in own.get("OPTIONS", {}).items() if k != "pool"}
            stock = {**own, "ENGINE": STOCK_POSTGRESQL, "OPTIONS": options}
            found.append(Contender("stock", stock, level))
        return found
    found = [Contender("ours", _on(folder, "ours", own), level)]
    if with_baseline:
        found += _sqlite_baseline(own, level=level, folder=folder)
    return found


def _sqlite_baseline(own: dict[str, Any], *, level: str, folder: Path) -> list[Contender]:
    options = {k: v for k, v in own.get("OPTIONS", {}).items() if k != "pool"}
    stock = {"ENGINE": STOCK_SQLITE}
    tuned = {"ENGINE": STOCK_SQLITE, "OPTIONS": options}
    return [
        Contender("stock", _on(folder, "stock", stock), level),
        Contender("tuned", _on(folder, "tuned", tuned), level),
        Contender("raw", _on(folder, "raw", tuned), RAW),
    ]


def _on(folder: Path, name: str, database: dict[str, Any]) -> dict[str, Any]:
    return {**database, "NAME": str(folder / f"{name}.sqlite3")}
