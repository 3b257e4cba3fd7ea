"""The commands, what they print and refuse."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from project.storage import databases, moving, shelf
from project.storage.models import Backup
from tests.storage.making import ROWS, facts_of, make_sqlite

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def database(folder, monkeypatch):
    made = make_sqlite(folder.parent / "p.sqlite3")
    monkeypatch.setattr(databases, "own", lambda: made)
    return made


def say(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_backup_and_restore(database, folder):
    said = say("backup")

    backup = Backup.objects.get()
    assert said.splitlines()[:3] == ["  counting ...", "  copying ...", "  verifying ..."]
    assert f"{backup.file}: {backup.size_bytes:,} bytes, {2 * ROWS:,} rows of 3 tables" in said
    before = facts_of(database)
    database.path.unlink()
    assert f"holds {2 * ROWS:,} rows" in say("restore", backup.file)
    assert facts_of(database) == before
    into = folder.parent / "new.sqlite3"
    assert str(into) in say("restore", str(shelf.path_of(backup.file)), "--into", str(into))
    with pytest.raises(CommandError, match="This target can't be written"):
        say("restore", backup.file, "--into", str(into))
    with pytest.raises(CommandError, match="mysql: write postgres"):
        say("restore", backup.file, "--into", "mysql://x/y")
    with pytest.raises(CommandError, match="there is no backup nothing"):
        say("restore", "nothing")


def test_backup_drill(database):
    assert f"equal: {2 * ROWS:,} rows of 3 tables restored" in say("backup_drill")


def test_backup_says_why_not(database, monkeypatch):
    monkeypatch.setattr(shelf, "room_bytes", lambda: 0)

    with pytest.raises(CommandError, match="No room for the backup: 0 MB are free"):
        say("backup")
    with pytest.raises(CommandError, match="No room"):
        say("backup_drill")


def test_move_database_tells_what_it_did(monkeypatch):
    seen = []

    def move(wish, **_):
        seen.append(wish)
        return moving.Moved(tables=2, rows=3000, copy_s=1.25)

    monkeypatch.setattr(moving, "move", move)

    said = say("move_database", "--to", "postgres://x/y", "--leave-out", "a", "--restart")

    assert seen == [moving.Wish("postgres://x/y", restart=True, leave_out=("a",))]
    assert "equal: 3,000 rows of 2 tables" in said


def test_move_database_refuses_what_is_no_postgresql(folder):
    with pytest.raises(CommandError, match=r"postgres://|PostgreSQL already"):
        say("move_database", "--to", "sqlite:///x")
