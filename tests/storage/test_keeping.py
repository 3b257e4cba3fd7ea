"""Which backups are kept."""

import pytest

from project.storage import keeping, offsite, shelf
from project.storage.adapters.s3 import StoreAwayError
from project.storage.choices import BackupState
from project.storage.models import Backup
from tests.storage.factories import NOW, make_backup
from tests.storage.making import make_file

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def files() -> set[str]:
    return {path.name for path in shelf.folder().glob("*.zst")}


def test_prune_removes_what_is_over_thirty_days():
    old, edge, new = (make_backup(days_old=days) for days in (30.1, 30, 1))
    for backup in (old, edge, new):
        make_file(backup)

    assert keeping.prune(now=NOW) == [old.file]

    assert files() == {edge.file, new.file} == set(Backup.objects.values_list("file", flat=True))
    assert len(list(shelf.folder().iterdir())) == 6


def test_prune_never_removes_the_last_good_one():
    older, old = make_backup(days_old=90), make_backup(days_old=60)
    bad = make_backup(days_old=1, state=BackupState.BAD, problem="cut off")
    for backup in (older, old, bad):
        make_file(backup)

    assert keeping.prune(now=NOW) == [older.file]

    assert files() == {old.file, bad.file}


def test_prune_looks_at_the_bytes_of_the_one_it_relies_on():
    old, new = make_backup(days_old=60), make_backup(days_old=1)
    make_file(old)
    make_file(new).write_bytes(b"not the bytes!")

    assert keeping.prune(now=NOW) == []

    new.refresh_from_db()
    assert new.state == BackupState.BAD
    assert files() == {old.file, new.file}


def test_prune_removes_nothing_when_none_is_good():
    make_file(make_backup(days_old=60, state=BackupState.BAD, problem="x"))

    assert keeping.prune(now=NOW) == []


def test_prune_keeps_the_row_while_the_copy_cannot_be_deleted(monkeypatch):
    old, new = make_backup(days_old=60, copied_at=NOW), make_backup()
    make_file(old)
    make_file(new)

    def refuse(_: Backup) -> None:
        raise StoreAwayError("away")

    monkeypatch.setattr(offsite, "delete", refuse)

    assert keeping.prune(now=NOW) == []
    assert Backup.objects.count() == 2


def test_adopt_knows_files_again_after_a_restore():
    known, lost = make_backup(), make_backup(days_old=1)
    make_file(known)
    forgotten = make_backup(days_old=2)
    make_file(forgotten)
    facts = {"sha256": Backup.objects.get(pk=forgotten.pk).sha256, "counts": forgotten.counts}
    forgotten.delete()

    assert keeping.adopt(now=NOW) == 1

    lost.refresh_from_db()
    assert lost.state == BackupState.GONE
    again = Backup.objects.get(file=forgotten.file)
    assert {"sha256": again.sha256, "counts": again.counts} == facts
    assert (again.state, again.made_at) == (BackupState.GOOD, forgotten.made_at)
    make_file(lost)
    assert keeping.adopt(now=NOW) == 0
    lost.refresh_from_db()
    assert (lost.state, lost.problem) == (BackupState.GOOD, "")
