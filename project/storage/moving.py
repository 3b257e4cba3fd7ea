"""Moving everything from SQLite to PostgreSQL: in order, resumable, compared at the end."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from project.storage import columns, databases, guarding, ordering, preparing
from project.storage.adapters import sqlite
from project.storage.adapters.postgres import PostgresDatabase
from project.storage.adapters.source import Source
from project.storage.adapters.sqlite import SqliteDatabase
from project.storage.adapters.target import Mark, Target
from project.storage.checksums import Sum
from project.storage.columns import Column
from project.storage.errors import MoveFailedError, WrongSourceError, WrongTargetError
from project.storage.progress import Progress, Tick, within

#: Partitions are made for stretches of so many milliseconds in which there are rows.
_STRETCH_MS: Final = 28 * 86_400_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be moved.

    Attributes:
        url: of the PostgreSQL database, empty or with this copy's checkpoint.
        restart: start over what an earlier attempt has copied.
        leave_out: tables that PostgreSQL needs not have.
    """

    url: str
    restart: bool = False
    leave_out: Collection[str] = ()


@dataclass(slots=True)
class Moved:
    """What was moved and compared, all of it equal."""

    tables: int = 0
    rows: int = 0
    resumed_rows: int = 0
    prepare_s: float = 0.0
    copy_s: float = 0.0
    compare_s: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)


def move(wish: Wish, *, progress: Progress, now: datetime) -> Moved:
    """Copy the product's SQLite database to PostgreSQL; the SQLite file stays as it is.

    Raises:
        WrongSourceError: the product does not run on SQLite, or lacks migrations.
        WrongTargetError: the target holds something else, or is no PostgreSQL database.
        StillRunningError: the installation runs.
        MoveFailedError: it did not work, or the databases differ; a second call goes on.
    """
    own, target = databases.own(), databases.named(wish.url)
    if not isinstance(own, SqliteDatabase):
        raise WrongSourceError("this installation runs on PostgreSQL already")
    if not isinstance(target, PostgresDatabase):
        raise WrongTargetError("write postgres://user:password@host:port/name")
    with guarding.standing_still(about="move_database", now=now):
        _require_migrated()
        databases.let_go()
        with sqlite.reading(own.path) as raw, Target.open(target.dsn) as opened:
            return _Move(wish, Source(raw), opened, progress).run()


def _require_migrated() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise WrongSourceError("migrations are not applied here: run `manage.py migrate` first")


class _Move:
    """One attempt at a move."""

    def __init__(self, wish: Wish, source: Source, target: Target, progress: Progress) -> None:
        self._wish = wish
        self._source = source
        self._target = target
        self._progress = progress
        self._moved = Moved()
        self._total = 1

    def run(self) -> Moved:
        moved = self._moved
        with _timed(moved, "prepare_s"):
            self._prepare()
            tables = self._tables()
        with _timed(moved, "copy_s"):
            self._copy(tables)
            self._set_sequences()
        with _timed(moved, "compare_s"):
            self._compare(tables)
        self._target.finish()
        moved.tables = len(tables)
        moved.rows = sum(moved.counts.values())
        return moved

    def _prepare(self) -> None:
        self._progress.report(phase="preparing the target", progress=0)
        copy_id = self._source.identity()
        is_ready = self._target.claim(copy_id)
        if is_ready and not self._wish.restart:
            return
        preparing.prepare(self._wish.url, calls=self._calls())
        self._target.clear(copy_id)

    def _calls(self) -> dict[str, list[tuple[int, int]]]:
        """Return which partitions are to be made, where PostgreSQL's table has some."""
        found = {}
        present = set(self._source.tables())
        for table, (column, function) in settings.MOVE_PARTITIONS.items():
            if table in present:
                starts = self._source.spread(table, column, step=_STRETCH_MS)
                found[function] = [(start, start + _STRETCH_MS) for start in starts]
        return found

    def _tables(self) -> dict[str, list[Column]]:
        """Return the columns of every table that is copied, having found nothing amiss."""
        found = {name: self._target.columns(name) for name in self._target.tables()}
        here = {*self._source.tables()} - {*self._wish.leave_out}
        if unknown := sorted(here - {*found}):
            raise MoveFailedError(
                f"PostgreSQL has no table {', '.join(unknown)}: no migration makes it. "
                "Drop it, or name it with --leave-out"
            )
        if missing := sorted({*found} - {*self._source.tables()}):
            raise MoveFailedError(f"SQLite has no table {', '.join(missing)}: migrate it first")
        for name, wanted in found.items():
            if {*self._source.columns(name)} != {column.name for column in wanted}:
                raise MoveFailedError(f"table {name} has other columns in PostgreSQL")
        return found

    def _copy(self, tables: dict[str, list[Column]]) -> None:
        self._total = max(1, sum(self._source.count(name) for name in tables))
        tick = within(self._progress, phase="copying", start=2, end=60)
        for unit in ordering.in_order(tables, self._target.references()):
            if not unit.is_whole:
                self._copy_in_portions(unit.tables[0], tables[unit.tables[0]], tick)
                continue
            with self._target.together():
                for name in unit.tables:
                    for portion in self._marked(name, tables[name]):
                        self._target.write(name, tables[name], *portion)
            self._told(tick)

    def _copy_in_portions(self, name: str, wanted: list[Column], tick: Tick) -> None:
        for rows, mark in self._marked(name, wanted):
            try:
                with self._target.together():
                    self._target.write(name, wanted, rows, mark)
            except (MoveFailedError, ValueError) as error:
                after = mark.rows - len(rows)
                raise MoveFailedError(f"table {name}, after row {after:,}: {error}") from error
            self._told(tick)

    def _told(self, tick: Tick) -> None:
        tick(sum(self._moved.counts.values()) / self._total)

    def _marked(self, name: str, wanted: list[Column]) -> Iterator[tuple[Any, Mark]]:
        """Give what is left of a table in portions, each with the mark that goes with it."""
        mark = self._target.mark(name)
        self._moved.counts[name] = mark.rows
        self._moved.resumed_rows += mark.rows
        if mark.is_done:
            return
        carry = columns.carrying(wanted)
        names = [column.name for column in wanted]
        for portion in self._source.portions(name, names, after=mark.last_key):
            mark = Mark(portion.last_key, mark.rows + len(portion.rows))
            yield carry(portion.rows), mark
            self._moved.counts[name] = mark.rows
        yield [], Mark(mark.last_key, mark.rows, is_done=True)

    def _set_sequences(self) -> None:
        for table, column in self._target.serials():
            self._target.set_sequence(table, column, at_least=self._source.last_number(table))

    def _compare(self, tables: dict[str, list[Column]]) -> None:
        """Read both databases again, whole, and sum every table in the same way."""
        tick = within(self._progress, phase="comparing", start=60, end=99)
        wrong, done = [], 0
        for name, wanted in tables.items():
            here, there = self._sum_here(name, wanted), self._sum_there(name, wanted)
            if (here.count, here.total) != (there.count, there.total):
                wrong.append(f"{name} ({here.count:,} rows {here}, {there.count:,} rows {there})")
            done += here.count
            tick(done / self._total)
        if wrong:
            raise MoveFailedError(
                f"{len(wrong)} table(s) differ: {'; '.join(wrong[:5])}. Was SQLite written to "
                "since the move began? Start over with --restart"
            )

    def _sum_here(self, name: str, wanted: list[Column]) -> Sum:
        plainly, added = columns.stored_plainly(wanted), Sum()
        names = [column.name for column in wanted]
        for portion in self._source.portions(name, names):
            added.add_rows(plainly(portion.rows))
        return added

    def _sum_there(self, name: str, wanted: list[Column]) -> Sum:
        plainly, added = columns.loaded_plainly(wanted), Sum()
        for rows in self._target.read(name, wanted, at_once=20_000):
            added.add_rows(plainly(rows))
        return added


@contextmanager
def _timed(moved: Moved, name: str) -> Iterator[None]:
    began_s = time.perf_counter()
    try:
        yield
    finally:
        setattr(moved, name, time.perf_counter() - began_s)
