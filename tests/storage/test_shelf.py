"""How backups lie on the disk."""

import subprocess
import sys

import pytest

from project.storage import shelf
from project.storage.errors import BackupBusyError, BackupDamagedError, WrongSourceError
from tests.storage.factories import NOW, make_backup
from tests.storage.making import make_file

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def test_place_leaves_file_digest_and_facts(folder):
    backup = make_backup(file="a.sqlite3.zst")

    path = make_file(backup)

    names = sorted(each.name for each in folder.iterdir())
    assert names == ["a.sqlite3.zst", "a.sqlite3.zst.json", "a.sqlite3.zst.sha256"]
    subprocess.run(
        ["sha256sum", "--check", "--quiet", f"{path.name}.sha256"], cwd=folder, check=True
    )
    facts = shelf.checked(path)
    assert facts == shelf.all_facts()[0]
    assert (facts.file, facts.made_at, facts.counts) == ("a.sqlite3.zst", NOW, {"note": 1})
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "has 9 bytes"),
        (lambda path: path.write_bytes(b"0123456780"), "altered"),
        (lambda path: path.with_name(f"{path.name}.sha256").unlink(), "nothing proves"),
        (lambda path: path.with_name(f"{path.name}.sha256").write_text(""), "altered"),
        (lambda path: path.with_name(f"{path.name}.json").write_text("[]"), "can't be read"),
        (lambda path: path.with_name(f"{path.name}.json").unlink(), "missing"),
    ],
)
def test_checked_refuses_what_was_altered(harm, said):
    path = make_file(make_backup())
    harm(path)

    with pytest.raises(BackupDamagedError, match=said):
        shelf.checked(path)


def test_locked_keeps_others_out_and_sweeps_what_the_dead_left(folder):
    path = make_file(make_backup())
    (folder / ".draft-dead").mkdir()
    (folder / ".draft-dead" / "half").write_bytes(b"x")
    (folder / "gone.zst.sha256").write_text("x")
    program = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); "
        "print('locked', flush=True); time.sleep(60)"
    )
    words = [sys.executable, "-c", program, str(folder / ".lock")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(BackupBusyError):
            shelf.locked().__enter__()
        other.kill()

    with shelf.locked():
        names = sorted(each.name for each in folder.iterdir())

    assert names == [".lock", path.name, f"{path.name}.json", f"{path.name}.sha256"]


def test_draft_goes_whatever_happens(folder):
    def fail() -> None:
        with shelf.draft() as draft:
            (draft / "x").write_bytes(b"x")
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        fail()

    assert list(folder.iterdir()) == []


def test_name_of_a_second_backup_in_one_second_is_another(folder):
    names = []
    for _ in range(3):
        names.append(shelf.name_of(database="sqlite", made_at=NOW, kind="sqlite3"))
        make_file(make_backup(file=names[-1]))

    assert names[0] == "millrace-20261122T020000Z-sqlite.sqlite3.zst"
    assert len(set(names)) == 3


def test_find_takes_names_and_paths():
    path = make_file(make_backup())

    assert shelf.find(path.name) == shelf.find(str(path)) == path.resolve()
    with pytest.raises(WrongSourceError):
        shelf.find("nothing.zst")


def test_all_facts_passes_over_odd_files(folder):
    make_file(make_backup())
    (folder / "odd.zst").write_bytes(b"")
    (folder / "odd.zst.json").write_text("{")
    (folder / "alone.zst.json").write_text("{}")

    assert len(shelf.all_facts()) == 1
