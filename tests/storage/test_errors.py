"""Which errors mean a full disk."""

import errno
import sqlite3
from contextlib import closing

import pytest

from project.storage.errors import NoRoomError, is_no_room, room_told


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_room_told_knows_the_systems_numbers(number):
    with pytest.raises(NoRoomError), room_told("here"):
        raise OSError(number, "x")


def test_is_no_room_knows_sqlites_words(tmp_path):
    with closing(sqlite3.connect(tmp_path / "x")) as database:
        database.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as told:
            database.execute("CREATE TABLE t AS SELECT randomblob(100000)")

    assert is_no_room(told.value)


def test_room_told_lets_other_errors_pass():
    for error in (OSError(errno.EIO, "x"), ValueError("x"), KeyError("x")):
        with pytest.raises(type(error)), room_told("here"):
            raise error
