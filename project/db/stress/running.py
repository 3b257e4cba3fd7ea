"""Decides how the processes of a load test start together and how their figures are added up."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from project.db.recording import quantiles
from project.db.stress import plans
from project.db.stress.plans import Contender, Job, Load

_ROOT: Final = Path(__file__).resolve().parents[3]
#: Beyond its own seconds a process may take this long to start and to report.
_SPARE_S: Final = 120


@dataclass
class Outcome:
    """What one contender did, over all its rounds."""

    name: str
    seconds: float = 0.0
    operations: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    rates: list[float] = field(default_factory=list)
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    read_p95_ms: float = 0.0
    write_p95_ms: float = 0.0
    cpu_seconds: float = 0.0
    pool: list[dict[str, Any]] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Return operations that succeeded, per second."""
        done = self.operations - self.errors.total()
        return done / self.seconds if self.seconds else 0.0

    @property
    def error_rate(self) -> float:
        """Return the share of operations that failed."""
        return self.errors.total() / self.operations if self.operations else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything for the JSON report."""
        return {
            **asdict(self),
            "errors": dict(self.errors),
            "operations_per_second": self.per_second,
            "error_rate": self.error_rate,
        }


class StressFailedError(Exception):
    """A process of the load test ended without figures."""


def run(
    database: Mapping[str, Any], *, load: Load, with_baseline: bool, rounds: int
) -> list[Outcome]:
    """Press each contender in turn, ``rounds`` times, and return what each did.

    Taking turns spreads what else happens on the machine over all of them. SQLite contenders
    work on files of their own beside the database; on PostgreSQL the scratch tables are made in
    the database itself and dropped at the end.
    """
    with _scratch_folder(database) as folder:
        found = plans.contenders(
            database, level=load.level, folder=folder, with_baseline=with_baseline
        )
        try:
            _finish([_start(Job(each.database, each.level, "prepare")) for each in found])
            return _rounds(found, load=load, rounds=rounds)
        finally:
            if not plans.is_sqlite(database):
                _finish([_start(Job(found[0].database, found[0].level, "clear"))])


def _rounds(found: list[Contender], *, load: Load, rounds: int) -> list[Outcome]:
    figures: dict[str, list[dict[str, Any]]] = {contender.name: [] for contender in found}
    outcomes = {contender.name: Outcome(contender.name) for contender in found}
    for number in range(rounds):
        for contender in found:
            parts = _press(contender, load=load, seconds=load.seconds / rounds, seed=number)
            figures[contender.name] += parts
            _add(outcomes[contender.name], parts)
    for name, outcome in outcomes.items():
        _measure(outcome, figures[name])
    return list(outcomes.values())


def _add(outcome: Outcome, parts: list[dict[str, Any]]) -> None:
    """Add one round; its processes ran side by side."""
    seconds = max(part["seconds"] for part in parts)
    operations = sum(len(part["read_us"]) + len(part["write_us"]) for part in parts)
    errors: Counter[str] = sum((Counter(part["errors"]) for part in parts), Counter())
    outcome.seconds += seconds
    outcome.operations += operations
    outcome.errors += errors
    outcome.rates.append((operations - errors.total()) / seconds)
    outcome.cpu_seconds += sum(part["cpu_seconds"] for part in parts)
    outcome.pool = [part["pool"] for part in parts]


def _measure(outcome: Outcome, parts: list[dict[str, Any]]) -> None:
    reads = [us for part in parts for us in part["read_us"]]
    writes = [us for part in parts for us in part["write_us"]]
    all_us = quantiles(reads + writes)
    outcome.p50_ms, outcome.p95_ms = all_us.p50_s / 1000, all_us.p95_s / 1000
    outcome.p99_ms = all_us.p99_s / 1000
    outcome.read_p95_ms = quantiles(reads).p95_s / 1000
    outcome.write_p95_ms = quantiles(writes).p95_s / 1000


def _press(contender: Contender, *, load: Load, seconds: float, seed: int) -> list[dict[str, Any]]:
    """Run the processes of one round side by side and return the figures of each."""
    jobs = [
        Job(
            contender.database,
            contender.level,
            "press",
            workers=workers,
            seconds=seconds,
            write_share=load.write_share,
            seed=seed * 100 + number,
        )
        for number, workers in enumerate(load.shares())
        if workers
    ]
    processes = [_start(job) for job in jobs]
    try:
        for process in processes:
            _expect_ready(process)
        for process in processes:
            _tell(process, "go")
        return [_figures(process, seconds=seconds) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _finish(processes: list["subprocess.Popen[str]"]) -> None:
    """Wait for processes that make or drop the scratch tables."""
    for process in processes:
        process.communicate(timeout=_SPARE_S)
    if any(process.returncode for process in processes):
        raise StressFailedError("the scratch tables could not be made or dropped; see above")


def _start(job: Job) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "project.db.stress.child"],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _tell(process, job.to_json())  # not as an argument: it may hold a password
    return process


def _tell(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None  # noqa: S101 -- opened as a pipe
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _expect_ready(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None  # noqa: S101 -- opened as a pipe
    if process.stdout.readline().strip() != "ready":
        raise StressFailedError("a process of the load test did not start; see above")


def _figures(process: "subprocess.Popen[str]", *, seconds: float) -> dict[str, Any]:
    out, _ = process.communicate(timeout=seconds + _SPARE_S)
    if process.returncode:
        raise StressFailedError("a process of the load test failed; see above")
    found: dict[str, Any] = json.loads(out)
    return found


@contextmanager
def _scratch_folder(database: Mapping[str, Any]) -> Iterator[Path]:
    """Make a folder on the disk of the database, and remove it at the end."""
    beside = None
    if plans.is_sqlite(database) and (parent := Path(str(database["NAME"])).parent).is_dir():
        beside = parent
    folder = Path(tempfile.mkdtemp(prefix="db-stress-", dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
