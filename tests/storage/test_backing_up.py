"""Making backups, on both databases."""

import multiprocessing
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from project.core.callers import SYSTEM
from project.core.models import Run
from project.core.runs import AlreadyRunningError
from project.storage import backing_up, databases, restoring, shelf, verifying
from project.storage.adapters import programs
from project.storage.choices import BackupState
from project.storage.errors import BackupFailedError, NoRoomError, ProgramMissingError
from project.storage.models import Backup
from tests.storage.factories import NOW
from tests.storage.making import ROWS, Heard, StoppedError, facts_of, make_sqlite

pytestmark = pytest.mark.django_db(transaction=True)
WRITER = Path(__file__).with_name("writer.py")


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_back_up_writes_verifies_and_records(product, folder):
    heard = Heard()
    run = Run.objects.create(kind="core.backup")

    made = backing_up.back_up(progress=heard, now=NOW, run=run)

    counts, _ = facts_of(product)
    assert made.counts == counts
    assert (counts["note"], counts["from"]) == (ROWS, 0)
    assert sum(rows for name, rows in counts.items() if name.startswith("candle")) == ROWS
    assert (made.state, made.verified_at, made.run_id) == (BackupState.GOOD, NOW, run.pk)
    assert made.database == product.vendor
    assert left(folder) == [made.file, f"{made.file}.json", f"{made.file}.sha256"]
    assert verifying.require_good(shelf.path_of(made.file), progress=Heard()).counts == counts
    assert heard.phases == ["counting", "copying", "verifying"]
    assert heard.percents == sorted(heard.percents)


@pytest.mark.parametrize("phase", ["counting", "copying", "verifying"])
def test_back_up_that_is_stopped_leaves_nothing(product, folder, phase):
    with pytest.raises(StoppedError):
        backing_up.back_up(progress=Heard(stop_in=phase), now=NOW)

    assert left(folder) == []
    assert not Backup.objects.exists()


class Waits(Heard):
    """Says that a phase was reached, then waits to be killed."""

    def __init__(self, phase: str, reached: Any) -> None:
        super().__init__()
        self.phase, self.reached = phase, reached

    def report(self, **told: Any) -> None:
        """Hear of it."""
        super().report(**told)
        if told.get("phase") == self.phase:
            self.reached.set()
            threading.Event().wait()


def back_up_until(phase: str, reached: Any) -> None:
    """Back up in a process that will be killed."""
    connections.close_all()
    backing_up.back_up(progress=Waits(phase, reached), now=NOW)


@pytest.mark.parametrize("phase", ["copying", "verifying"])
def test_back_up_killed_in_its_middle_leaves_a_draft_that_the_next_one_removes(
    product, folder, phase
):
    connections.close_all()
    databases.let_go()
    forking = multiprocessing.get_context("fork")
    reached = forking.Event()
    victim = forking.Process(target=back_up_until, args=[phase, reached])
    victim.start()
    assert reached.wait(60)
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    assert left(folder) != []
    assert not Backup.objects.filter(state=BackupState.GOOD).exists()

    made = backing_up.back_up(progress=Heard(), now=NOW)

    assert left(folder) == [made.file, f"{made.file}.json", f"{made.file}.sha256"]
    assert verifying.require_good(shelf.path_of(made.file), progress=Heard()).counts == made.counts


def test_back_up_under_load_wipe_restore_compare(product, folder):
    writers = [
        subprocess.Popen(
            [
                sys.executable,
                str(WRITER),
                getattr(product, "dsn", ""),
                str(getattr(product, "path", "")),
                str(n),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        before, _ = facts_of(product)
        with shelf.locked():
            made = backing_up.make(progress=Heard(), now=NOW, with_checksums=True)
        after, _ = facts_of(product)
        time.sleep(0.2)
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert before["ledger"] <= made.facts.counts["ledger"] < after["ledger"]  # writers went on
    if product.vendor == "sqlite":
        for ending in ("", "-wal", "-shm"):
            Path(f"{product.path}{ending}").unlink(missing_ok=True)
    else:
        with product.maintained() as server:
            server.execute(f'DROP DATABASE "{product.name}" WITH (FORCE)')

    restored = restoring.restore(made.path, progress=Heard(), now=NOW)

    assert facts_of(product) == (made.facts.counts, made.facts.checksums)
    assert restored.rows == sum(made.facts.counts.values())
    assert balance(product) == 0  # no transaction was cut in two


def balance(product) -> int:
    with product.snapshot() as snapshot:
        row = snapshot.connection.execute("SELECT COALESCE(SUM(amount), 0) FROM ledger").fetchone()
    return int(row[0])


def test_back_up_refuses_a_copy_with_other_counts(product, folder, monkeypatch):
    monkeypatch.setattr(verifying, "of_contents", lambda *_, **__: {"note": 1})

    with pytest.raises(BackupFailedError, match="rows of"):
        backing_up.back_up(progress=Heard(), now=NOW)

    assert left(folder) == []


def test_back_up_says_which_pg_dump_is_missing(server, folder, monkeypatch):
    monkeypatch.setattr(programs, "_folders", lambda: [Path("/usr/lib/postgresql/15/bin")])
    monkeypatch.setattr(programs, "_version_of", lambda _: 15)

    with pytest.raises(ProgramMissingError, match=r"pg_dump 18 or later.*found: 15 in"):
        programs.fit_for(18)


def test_fit_for_prefers_the_servers_own_version(monkeypatch):
    folders = {Path("/a"): 18, Path("/b"): 16, Path("/c"): 17, Path("/broken"): 0}
    monkeypatch.setattr(programs, "_folders", lambda: list(folders))
    monkeypatch.setattr(programs, "_version_of", folders.__getitem__)

    assert [programs.fit_for(major).major for major in (15, 16, 17, 18)] == [16, 16, 17, 18]
    assert programs.newest().major == 18


def test_require_room_refuses_before_anything_is_written(folder, monkeypatch):
    database = make_sqlite(folder.parent / "p.sqlite3")
    monkeypatch.setattr(databases, "own", lambda: database)
    monkeypatch.setattr(shelf, "room_bytes", lambda: backing_up.SPARE_BYTES)

    with pytest.raises(NoRoomError, match="16 MB are free"):
        backing_up.back_up(progress=Heard(), now=NOW)

    assert left(folder) == []


@pytest.fixture
def tiny_disk(folder):
    """Give a folder on a disk of 1 MB, where the machine lets us mount one."""
    folder.mkdir(exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode:
        yield None
        return
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("rows", [30_000, 6_000])  # the copy does not fit; the packed file neither
def test_back_up_on_a_full_disk_leaves_no_half_file(folder, tiny_disk, monkeypatch, rows):
    database = make_sqlite(folder.parent / "p.sqlite3", rows=rows)
    with closing(sqlite3.connect(database.path)) as connection:
        connection.execute("CREATE TABLE noise AS SELECT randomblob(600000) AS b")
    monkeypatch.setattr(databases, "own", lambda: database)
    monkeypatch.setattr(backing_up, "require_room", lambda _: None)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    if tiny_disk is None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, limits[1]))

    try:
        with pytest.raises(NoRoomError):
            backing_up.back_up(progress=Heard(), now=NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert left(folder) == []
    assert not Backup.objects.exists()


def test_ask_creates_one_run_at_a_time():
    run = backing_up.ask(by=SYSTEM, now=NOW)

    assert (run.kind, run.status) == ("core.backup", "queued")
    with pytest.raises(AlreadyRunningError):
        backing_up.ask(by=SYSTEM, now=NOW)
