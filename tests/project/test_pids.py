import os
import time

from project.core import pids


def test_incarnation_of_zombie_is_gone():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    until = time.monotonic() + 30
    while pids.incarnation(pid) and time.monotonic() < until:
        time.sleep(0.01)

    assert pids.incarnation(pid) == ""
    os.waitpid(pid, 0)
    assert pids.incarnation(pid) == ""
    assert pids.incarnation(os.getpid()) != ""


def test_process_holds_memory_and_one_that_is_gone_none():
    assert pids.memory_mb(os.getpid()) > 10
    assert pids.memory_mb(2**31 - 1) == 0
