"""Children start, start again and stop; with a supervisor in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project.core.pids import incarnation
from project.runtime import children, locking, supervising

pytestmark = pytest.mark.once

WITHIN_S = 20.0


class Trial:
    """One supervisor and its journal."""

    def __init__(self, folder: Path, roles: tuple[str, ...]) -> None:
        self.folder = folder
        words = [sys.executable, "-m", "tests.runtime.trial_supervisor", str(folder), *roles]
        self.process = subprocess.Popen(words, stderr=subprocess.DEVNULL)

    def journal(self) -> list[str]:
        """Return the lines written so far."""
        path = self.folder / "journal"
        return path.read_text().splitlines() if path.exists() else []

    def pids(self, role: str) -> list[int]:
        """Return the numbers of all lives of ``role`` so far."""
        found = [re.fullmatch(rf"{role} \d+ (\d+)", line) for line in self.journal()]
        return [int(match[1]) for match in found if match]

    def wait(self, found: Callable[[], bool]) -> None:
        """Wait until ``found`` says so."""
        until = time.monotonic() + WITHIN_S
        while not found():
            assert time.monotonic() < until, f"not within {WITHIN_S} s: {self.journal()}"
            time.sleep(0.02)

    def wait_ready(self) -> None:
        """Wait until the supervisor says that all are ready."""
        self.wait(lambda: "all ready" in self.journal())

    def wait_gone(self, *pids: int) -> None:
        """Wait until none of ``pids`` lives."""
        self.wait(lambda: not any(incarnation(pid) for pid in pids))


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Callable[..., Trial]]:
    trials: list[Trial] = []

    def start(*roles: str) -> Trial:
        trials.append(Trial(tmp_path, roles))
        return trials[-1]

    yield start
    for trial in trials:
        trial.process.terminate()
        trial.process.wait(WITHIN_S)


def test_killed_child_starts_again_and_knows_how_often(supervised):
    trial = supervised("steady", "other")
    trial.wait_ready()
    first = trial.pids("steady")[0]

    os.kill(first, signal.SIGKILL)
    trial.wait(lambda: len(trial.pids("steady")) == 2)
    trial.wait(lambda: "  steady runs again" in trial.journal())

    second = trial.pids("steady")[1]
    assert f"steady 1 {second}" in trial.journal()
    assert "  steady ended by signal 9; starting it again" in trial.journal()
    assert len(trial.pids("other")) == 1


def test_stop_ends_all_children(supervised):
    trial = supervised("steady", "other")
    trial.wait_ready()
    pids = [*trial.pids("steady"), *trial.pids("other")]

    trial.process.terminate()

    assert trial.process.wait(WITHIN_S) == 0
    assert [incarnation(pid) for pid in pids] == ["", ""]


def test_stop_kills_a_child_that_ignores_it(supervised):
    trial = supervised("steady", "stubborn")
    trial.wait_ready()
    pids = [*trial.pids("steady"), *trial.pids("stubborn")]

    trial.process.terminate()

    assert trial.process.wait(WITHIN_S) == 0
    assert "  stubborn did not stop in time: killed" in trial.journal()
    assert "  steady did not stop in time: killed" not in trial.journal()
    assert [incarnation(pid) for pid in pids] == ["", ""]


def test_stop_takes_less_than_ten_seconds_at_worst():
    at_worst_s = supervising.STOP_WITHIN_S + supervising.COMPANIONS_STOP_WITHIN_S

    assert at_worst_s < 10
    assert children.ORPHAN_STOPS_WITHIN_S < locking.LEFTOVERS_AT_MOST_S


def test_killed_supervisor_takes_its_children_along(supervised):
    trial = supervised("steady", "other")
    trial.wait_ready()
    pids = [*trial.pids("steady"), *trial.pids("other")]

    trial.process.kill()
    trial.process.wait()

    trial.wait_gone(*pids)


def test_killed_supervisor_takes_along_a_restarted_and_a_stubborn_child(supervised):
    trial = supervised("steady", "stubborn")
    trial.wait_ready()
    os.kill(trial.pids("steady")[0], signal.SIGKILL)
    trial.wait(lambda: len(trial.pids("steady")) == 2)
    pids = [trial.pids("steady")[1], *trial.pids("stubborn")]

    trial.process.kill()
    trial.process.wait()

    trial.wait_gone(*pids)


def test_child_that_outgrows_its_memory_starts_again(supervised):
    trial = supervised("eater")

    trial.wait(lambda: len(trial.pids("eater")) == 2)

    said = [line for line in trial.journal() if "CHILD_MEMORY_MB=200" in line]
    assert len(said) == 1
    trial.wait_gone(trial.pids("eater")[0])


def test_failing_child_is_started_ever_more_slowly(supervised):
    trial = supervised("failing", "steady")
    trial.wait(lambda: len(trial.pids("failing")) == 1)
    first_at = time.monotonic()

    trial.wait(lambda: len(trial.pids("failing")) == 4)

    assert time.monotonic() - first_at >= 0.2 + 0.4 + 0.8 - 0.1  # the waits between, less our look
    assert len(trial.pids("steady")) == 1


def test_role_that_runs_once_starts_when_the_others_are_ready(supervised):
    trial = supervised("once", "steady")

    trial.wait(lambda: len(trial.pids("once")) == 1)
    time.sleep(0.5)

    names = [line.split()[0] for line in trial.journal()]
    assert names == ["steady", "all", "once"]
