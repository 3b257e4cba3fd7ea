"""Workers killed with -9 in each phase: the job goes on after its last finished phase."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from analysis import reading, submitting
from analysis.choices import Phase
from analysis.models import Job
from project import sandbox
from project.core import sweeping
from project.core.callers import Caller
from project.core.models import Run
from tests.analysis import doing
from tests.analysis.doing import Outside

ROOT = Path(sandbox.__file__).parents[2]
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]


@contextmanager
def working_in(phase: str, run: Run) -> Iterator["subprocess.Popen[bytes]"]:
    """Let a process of its own do the run until it is in ``phase``; it is killed at the end."""
    environment = {
        **os.environ,
        "TEST_NAME": str(connection.settings_dict["NAME"]),
        "DJANGO_SETTINGS_MODULE": "tests.analysis.worker_settings",
        "PYTHONPATH": str(ROOT),
    }
    words = [sys.executable, "-m", "tests.analysis.worker", str(run.pk), phase]
    process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert "here" in iter(lambda: process.stdout.readline().decode().strip() or "gone", "gone")  # type: ignore[union-attr]
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


def kill_in(phase: str, run: Run) -> None:
    """Let a process of its own do the run until it is in ``phase``, and kill it there."""
    with working_in(phase, run):
        pass
    sweeping.sweep(idle=0, now=timezone.now())  # as every worker's sweeper does
    run.refresh_from_db()


def test_one_job_killed_in_each_of_its_phases(caller: Caller, outside: Outside):
    job = submitting.of_url(URL, by=caller, now=timezone.now()).job
    run, progress = job.run, []
    assert run is not None

    for number, phase in enumerate(Phase, 1):
        kill_in(phase, run)
        assert (run.status, run.takeovers, run.phase) == ("queued", number, phase)
        progress.append(run.progress)
        if phase == Phase.METADATA:
            continue
    finished = doing.finish(job)

    assert finished.status == "partial"
    assert progress == sorted(progress)
    assert progress[1:] == [10.0, 35.0, 70.0]
    # what the killed ones had finished was not done again
    asked = (outside.fetched, outside.extracted, len(outside.located))
    assert asked == ([], [], 6)
    routes = reading.locations(finished.analysis, by=caller)["routes"]
    assert [one["n"] for one in routes] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("phase", list(Phase))
def test_killed_once(phase: str, caller: Caller, outside: Outside, record_property: Any):
    job: Job = submitting.of_url(URL, by=caller, now=timezone.now()).job
    assert job.run is not None
    kill_in(phase, job.run)

    finished = doing.finish(job)

    assert (finished.status, finished.analysis.places.count()) == ("partial", 5)
    order = list(Phase)
    assert bool(outside.fetched) == (phase == Phase.METADATA)
    assert bool(outside.extracted) == (order.index(Phase(phase)) <= 2)
