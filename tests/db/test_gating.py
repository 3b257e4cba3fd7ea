import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from project.db.errors import NestedWriterError, WriterBusyError
from project.db.sqlite.gating import WriterGate
from tests.db.making import until

pytestmark = pytest.mark.once

HOLDER = """
import sys, time
from project.db.sqlite.gating import WriterGate
gate = WriterGate(sys.argv[1], crosses_processes=True)
gate.enter(timeout_s=5, place=None)
print("inside", flush=True)
time.sleep(60)
"""


def has_waiting(gate: WriterGate, count: int) -> bool:
    return gate.waiting == count


def enter(gate: WriterGate, timeout_s: float = 5.0) -> None:
    gate.enter(timeout_s=timeout_s, place=None)


def test_enter_serves_in_the_order_of_asking(tmp_path):
    gate = WriterGate(str(tmp_path / "a"), crosses_processes=True)
    enter(gate)
    served: list[int] = []

    def write(number: int) -> None:
        enter(gate)
        served.append(number)
        gate.leave()

    threads = []
    for number in range(8):
        thread = threading.Thread(target=write, args=(number,))
        thread.start()
        threads.append(thread)
        assert until(partial(has_waiting, gate, number + 1))
    gate.leave()
    for thread in threads:
        thread.join()

    assert served == list(range(8))
    assert gate.turn is None


def test_enter_twice_in_one_thread_is_refused_at_once(tmp_path):
    gate = WriterGate(str(tmp_path / "a"), crosses_processes=False)
    enter(gate)

    with pytest.raises(NestedWriterError, match="this thread already writes"):
        enter(gate)


def test_enter_gives_up_after_its_time_and_says_why(tmp_path):
    gate = WriterGate(str(tmp_path / "a"), crosses_processes=False)
    holder = threading.Thread(target=lambda: enter(gate), name="the slow one")
    holder.start()
    holder.join()

    with pytest.raises(WriterBusyError, match=r"within 0\.1 s: .* in the slow one has been"):
        enter(gate, 0.1)

    assert gate.waiting == 0
    gate.leave()
    enter(gate)


def test_enter_waits_for_another_process_and_passes_when_it_is_killed(tmp_path):
    path = tmp_path / "a"
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "inside\n"
    gate = WriterGate(str(path), crosses_processes=True)

    with pytest.raises(WriterBusyError, match="another process"):
        enter(gate, 0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    asked_s = time.monotonic()
    enter(gate)

    assert time.monotonic() - asked_s < 1
    gate.leave()


def test_gate_in_a_folder_that_cannot_be_written_queues_in_the_process_alone(tmp_path):
    gate = WriterGate(str(tmp_path / "absent" / "a"), crosses_processes=True)

    enter(gate)
    gate.leave()

    assert gate.turn is None
