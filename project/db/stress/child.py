"""Decides how one process of the load test works: ``python -m project.db.stress.child``.

It knows the database alone, none of the product's apps, and takes its job as a line of JSON. A
process that presses says "ready", starts at the next line it reads, and ends with its figures.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from typing import Any

import django
from django.conf import settings

from project.db.stress.plans import RAW, Job

ALIAS = "default"


def main() -> None:
    """Do the job that stands on the first line of standard input."""
    job = Job(**json.loads(sys.stdin.readline()))
    settings.configure(DATABASES={ALIAS: {"CONN_MAX_AGE": 0, **job.database}}, USE_TZ=True)
    django.setup()
    from project.db.stress import scratch  # noqa: PLC0415 -- models need configured settings

    if job.task == "press":
        sys.stdout.write(json.dumps(_press(job)))
        return
    if job.task == "prepare":
        scratch.create(ALIAS)
    else:
        scratch.drop(ALIAS)
    from django.db import connections  # noqa: PLC0415 -- likewise

    connections.close_all()


class _Tally:
    """What one worker did."""

    def __init__(self) -> None:
        self.read_us: list[int] = []
        self.write_us: list[int] = []
        self.errors: Counter[str] = Counter()


def _press(job: Job) -> dict[str, Any]:
    """Run the workers and return their figures."""
    tallies = [_Tally() for _ in range(job.workers)]
    start = threading.Barrier(job.workers + 1)
    threads = [
        threading.Thread(target=_work, args=(job, number, tally, start), daemon=True)
        for number, tally in enumerate(tallies)
    ]
    for thread in threads:
        thread.start()
    start.wait()  # every worker has its operations ready
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    started_s, cpu_s = time.perf_counter(), time.process_time()
    start.wait()
    for thread in threads:
        thread.join()
    return {
        "seconds": time.perf_counter() - started_s,
        "cpu_seconds": time.process_time() - cpu_s,
        "read_us": [us for tally in tallies for us in tally.read_us],
        "write_us": [us for tally in tallies for us in tally.write_us],
        "errors": dict(sum((tally.errors for tally in tallies), Counter())),
        "pool": {} if job.level == RAW else _pool_figures(),
    }


def _work(job: Job, number: int, tally: _Tally, start: threading.Barrier) -> None:
    from project.db.stress import workload  # noqa: PLC0415 -- models need configured settings

    dice = random.Random(job.seed * 1000 + number)  # noqa: S311 -- not for secrets
    operations = workload.operations(job.level, job.database, alias=ALIAS)
    start.wait()
    start.wait()
    until_s = time.perf_counter() + job.seconds
    while (begun_s := time.perf_counter()) < until_s:
        is_write = dice.random() < job.write_share
        try:
            operations.write(dice) if is_write else operations.read(dice)
        except Exception as error:  # noqa: BLE001 -- the load test counts every failure
            tally.errors[f"{type(error).__name__}: {error}"[:120]] += 1
        finally:
            operations.end()
        spent_us = round((time.perf_counter() - begun_s) * 1e6)
        (tally.write_us if is_write else tally.read_us).append(spent_us)


def _pool_figures() -> dict[str, Any]:
    from project.db import statistics  # noqa: PLC0415 -- needs configured settings

    return statistics.snapshot(ALIAS).figures()


if __name__ == "__main__":
    main()
