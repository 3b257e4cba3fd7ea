"""Verifying backups."""

import pytest

from project.core.callers import SYSTEM
from project.core.runs import AlreadyRunningError
from project.storage import backing_up, shelf, tasks, verifying
from project.storage.choices import BackupState
from project.storage.errors import BackupDamagedError
from tests.storage.factories import NOW, make_backup
from tests.storage.making import Heard, make_file

pytestmark = pytest.mark.django_db(transaction=True)


def test_verify_remembers_when(product):
    made = backing_up.back_up(progress=Heard(), now=NOW)
    made.state, made.problem = BackupState.BAD, "once"
    made.save()
    later = NOW.replace(hour=3)

    verifying.verify(made, progress=Heard(), now=later)

    made.refresh_from_db()
    assert (made.state, made.problem, made.verified_at) == (BackupState.GOOD, "", later)


@pytest.mark.parametrize("harm", ["cut", "altered", "gone"])
def test_verify_finds_out(product, harm):
    made = backing_up.back_up(progress=Heard(), now=NOW)
    path = shelf.path_of(made.file)
    content = path.read_bytes()
    path.unlink()
    if harm == "cut":
        path.write_bytes(content[:-10])
    elif harm == "altered":
        path.write_bytes(content[:-10] + b"0123456789")

    with pytest.raises(BackupDamagedError):
        verifying.verify(made, progress=Heard(), now=NOW)

    made.refresh_from_db()
    assert made.state == BackupState.BAD
    assert made.file in made.problem


def test_verify_opens_what_has_the_right_bytes(folder):
    backup = make_backup()
    make_file(backup)  # the bytes are those of the facts, and no backup at all

    with pytest.raises(BackupDamagedError, match="unpacked"):
        verifying.verify(backup, progress=Heard(), now=NOW)


def test_require_counts_names_the_tables():
    verifying.require_counts({"a": 1}, {"a": 1})

    with pytest.raises(
        BackupDamagedError, match=r"rows of 2 table\(s\) differ: a 1 → 2, c None → 3"
    ):
        verifying.require_counts({"a": 1, "b": 2}, {"a": 2, "b": 2, "c": 3})


def test_ask_to_verify_is_a_run_that_does_it(product):
    made = backing_up.back_up(progress=Heard(), now=NOW)
    run = backing_up.ask_to_verify(made, by=SYSTEM, now=NOW)
    with pytest.raises(AlreadyRunningError):
        backing_up.ask_to_verify(made, by=SYSTEM, now=NOW)

    tasks.verify(run_id=str(run.pk))

    run.refresh_from_db()
    made.refresh_from_db()
    assert (run.status, run.error_message) == ("done", "")
    assert made.verified_at > NOW
