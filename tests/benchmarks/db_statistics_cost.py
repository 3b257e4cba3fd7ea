"""Measures what statistics, the leak tracker and the watch cost, as a share of throughput.

``python -m tests.benchmarks.db_statistics_cost [SECONDS]``: the ORM load of ``db_stress`` in one
process with 25 threads, which goes on while recording is switched on and off every quarter of a
second, so that whatever else the machine does falls on both alike. Each two neighbours make a
pair; the medians of their ratios are printed, and what one tick of the watch takes.
"""

import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from tests.db import files

WORKERS = 25
SLICE_S = 0.25


def main(seconds: float) -> None:
    """Run the load and print what recording costs."""
    with tempfile.TemporaryDirectory() as folder:
        database = files.sqlite_settings(Path(folder) / "cost.sqlite3")
        settings.configure(DATABASES={"default": database}, USE_TZ=True)
        django.setup()
        slices, tick_ms = _measure(seconds)
    off, on = slices[0::2], slices[1::2]
    pairs = list(zip(off, on, strict=False))
    rate = statistics.median(b[0] / a[0] - 1 for a, b in pairs)
    cpu = statistics.median(b[1] / a[1] - 1 for a, b in pairs)
    share = tick_ms / 1000
    print(f"{len(pairs)} pairs: throughput {rate:+.1%}, processor time per operation {cpu:+.1%}")
    print(f"one tick of the watch under this load: {tick_ms:.2f} ms, {share:.2%} of each second")


def _measure(seconds: float) -> tuple[list[tuple[float, float]], float]:
    """Return rate and processor time per operation of each slice, and a tick's time."""
    from django.db import connections

    from project.db import watching
    from project.db.stress import scratch, workload

    scratch.create("default")
    connections.close_all()
    wrapper: Any = connections["default"]
    recorder = wrapper.pool.recorder
    operations: Any = workload.operations("orm", {}, alias="default")
    counts, is_over = [0] * WORKERS, threading.Event()

    def work(number: int) -> None:
        dice = random.Random(number)
        while not is_over.is_set():
            (operations.write if dice.random() < 0.2 else operations.read)(dice)
            operations.end()
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    found = _slices(int(seconds / SLICE_S), recorder, counts)
    tick_ms = _tick_ms(watching.of("default"))
    is_over.set()
    for thread in threads:
        thread.join()
    connections.close_all()
    return found, tick_ms


def _slices(count: int, recorder: Any, counts: list[int]) -> list[tuple[float, float]]:
    """Switch recording off and on ``count`` times; return rate and time per operation of each."""
    found = []
    for number in range(count):
        recorder._is_on = bool(number % 2)
        began_s, cpu_s, done = time.perf_counter(), time.process_time(), sum(counts)
        time.sleep(SLICE_S)
        done = sum(counts) - done
        passed_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
        found.append((done / passed_s, cpu_s / done))
    return found


def _tick_ms(watch: Any) -> float:
    """Return the processor time of one tick."""
    ticks = []
    for _ in range(20):
        cpu_s = time.thread_time()
        watch.tick()
        ticks.append((time.thread_time() - cpu_s) * 1000)
    return statistics.median(ticks)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 40)
