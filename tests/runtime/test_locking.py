"""One installation on a data directory."""

import os
import signal
import time

import pytest

from project.runtime import locking

pytestmark = pytest.mark.once


def forked_holder(data_dir, *, with_child: bool) -> int:
    """Lock ``data_dir`` in a fork, which may have a child that inherits the lock for a second."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        lock = locking.acquire(data_dir, about="http://127.0.0.1:8000/")
        if with_child and os.fork() == 0:
            os.write(write, b"!")
            time.sleep(1)
            os._exit(0)
        if not with_child:
            os.write(write, b"!")
        time.sleep(60)
        lock.close()
        os._exit(0)
    os.close(write)
    assert os.read(read, 1) == b"!"
    os.close(read)
    return pid


def test_acquire_refuses_the_second_at_once_and_names_the_first(tmp_path):
    pid = forked_holder(tmp_path, with_child=False)

    began_at = time.monotonic()
    with pytest.raises(locking.TakenError) as refused:
        locking.acquire(tmp_path, about="me")

    assert str(refused.value) == f"{tmp_path} is in use by process {pid} (http://127.0.0.1:8000/)"
    assert time.monotonic() - began_at < 1
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_acquire_waits_for_what_a_killed_one_left_behind(tmp_path):
    pid = forked_holder(tmp_path, with_child=True)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    lock = locking.acquire(tmp_path, about="me")

    assert (tmp_path / "lock").read_text().splitlines()[0::2] == [str(os.getpid()), "me"]
    lock.close()


def test_acquire_works_again_after_the_first_let_go(tmp_path):
    locking.acquire(tmp_path, about="first").close()

    lock = locking.acquire(tmp_path, about="second")

    assert (tmp_path / "lock").read_text().endswith("\nsecond\n")
    lock.close()
