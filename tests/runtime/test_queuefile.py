"""How messages wait, are claimed and come back."""

import os
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest

from project.runtime.queuefile import Claimed, QueueFile

pytestmark = pytest.mark.once


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "broker.sqlite3"


def claimed_by_child(path: Path, *, count: int) -> int:
    """Let a forked process claim ``count`` messages and hold them; returns its number."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        mine = QueueFile(path)
        for _ in range(count):
            mine.claim("q")
        os.write(write, b"claimed")
        time.sleep(60)
        os._exit(1)
    os.close(write)
    assert os.read(read, 7) == b"claimed"
    os.close(read)
    return pid


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_claim_takes_highest_priority_first_then_oldest(path):
    file = QueueFile(path)
    for payload, priority in (("a", 0), ("b", 9), ("c", 0), ("d", 9)):
        file.put("q", payload, priority=priority)

    claimed = [file.claim("q") for _ in range(5)]

    assert claimed == [Claimed(2, "b", 1), Claimed(4, "d", 1), Claimed(1, "a", 1), Claimed(3, "c", 1), None]  # fmt: skip


def test_claim_sees_its_own_queue_alone(path):
    file = QueueFile(path)
    file.put("other", "a", priority=0)

    assert file.claim("q") is None
    assert (file.waiting("q"), file.waiting("other")) == (0, 1)


def test_release_puts_back_in_its_old_place(path):
    file = QueueFile(path)
    file.put("q", "a", priority=0)
    file.put("q", "b", priority=0)
    first = file.claim("q")
    assert first is not None

    file.release(first.number)

    assert file.claim("q") == Claimed(first.number, "a", 2)


def test_acknowledge_of_anothers_message_does_nothing(path):
    holder, other = QueueFile(path), QueueFile(path)
    holder.put("q", "a", priority=0)
    held = holder.claim("q")
    assert held is not None

    other.acknowledge(held.number)
    other.release(held.number)
    holder.release(held.number)

    assert other.claim("q") == Claimed(held.number, "a", 2)


def test_close_lets_go_what_is_held(path):
    holder, other = QueueFile(path), QueueFile(path)
    holder.put("q", "a", priority=0)
    holder.claim("q")

    holder.close()

    assert other.claim("q") == Claimed(1, "a", 2)


def test_purge_leaves_held_messages(path):
    file = QueueFile(path)
    for payload in "abc":
        file.put("q", payload, priority=0)
    file.claim("q")

    assert file.purge("q") == 2
    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT payload FROM message").fetchall() == [("a",)]


def test_recover_takes_from_the_killed_and_not_from_the_living(path):
    file = QueueFile(path)
    for payload in "abcd":
        file.put("q", payload, priority=0)
    dead, living = claimed_by_child(path, count=2), claimed_by_child(path, count=1)
    kill(dead)

    try:
        file.recover()

        taken = [file.claim("q") for _ in range(4)]
        assert taken == [Claimed(1, "a", 2), Claimed(2, "b", 2), Claimed(4, "d", 1), None]
    finally:
        kill(living)


def test_recover_knows_a_reused_process_number(path):
    file = QueueFile(path)
    file.put("q", "a", priority=0)
    file.claim("q")
    with sqlite3.connect(path) as plain:
        plain.execute("UPDATE owner SET incarnation = 'of another boot/1'")

    other = QueueFile(path)
    other.recover()

    assert other.claim("q") == Claimed(1, "a", 2)


def test_fork_leaves_connection_and_claims_to_the_parent(path):
    file = QueueFile(path)
    for payload in "ab":
        file.put("q", payload, priority=0)
    mine = file.claim("q")
    assert mine is not None

    pid = os.fork()
    if pid == 0:
        file.acknowledge(mine.number)  # isn't this process's: nothing may happen
        theirs = file.claim("q")
        os._exit(0 if theirs == Claimed(2, "b", 1) and file.claim("q") is None else 1)
    _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    file.release(mine.number)
    assert file.claim("q") == Claimed(1, "a", 2)


def test_rival_processes_claim_each_message_once(path, record_property):
    file = QueueFile(path)
    for number in range(400):
        file.put("q", str(number), priority=0)
    read, write = os.pipe()
    started_at = time.monotonic()

    pids = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            while (message := file.claim("q")) is not None:
                file.acknowledge(message.number)
                os.write(write, f"{message.payload}\n".encode())
            os._exit(0)
        pids.append(pid)
    os.close(write)
    with os.fdopen(read) as lines:
        got = Counter(lines.read().split())
    exits = [os.waitpid(pid, 0)[1] for pid in pids]

    record_property("messages per s by 4 rivals", round(400 / (time.monotonic() - started_at)))
    assert exits == [0, 0, 0, 0]
    assert got == Counter(str(number) for number in range(400))
    assert file.waiting("q") == 0


def test_version_changes_by_others_writes(path):
    file, other = QueueFile(path), QueueFile(path)
    before = file.version()

    assert file.version() == before
    other.put("q", "a", priority=0)
    assert file.version() != before
