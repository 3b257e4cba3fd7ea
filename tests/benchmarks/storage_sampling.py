"""Measures what recording the pool statistics costs: rounds of work with and without, in turn.

``python -m tests.benchmarks.storage_sampling [--rounds 10] [--seconds 3]``: two threads read and write
through the ORM on the product's engine; rounds alternate, so that both meet the same machine. The
recorder writes its rows every second here, ten times as often as in the product.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

THREADS = 2
MOST = 0.03


def main() -> int:
    """Run it; the exit status is 1 when recording costs more than 3 %."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=3.0)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        work(0.5)
        pairs = [measure(number, wanted.seconds) for number in range(wanted.rounds)]
        own = processor()
        from django.db import connections

        connections.close_all()
    without = statistics.median(pair[0] for pair in pairs)
    recorded = statistics.median(pair[1] for pair in pairs)
    cost = 1 - statistics.median(pair[1] / pair[0] for pair in pairs)
    print(
        f"without: {without:,.0f} operations per second of CPU, recorded: {recorded:,.0f} (medians)"
    )
    print(f"cost, median of {len(pairs)} pairs: {cost:.1%}; {own:.2%} of a core by itself")
    return int(cost > MOST)


def prepare(folder: Path) -> None:
    """Make a database by the product's migrations, on the product's own engine."""
    os.environ.update(DATA_DIR=str(folder), DJANGO_SETTINGS_MODULE="project.settings")
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.DATABASES["default"]["ENGINE"] = "project.db.sqlite"
    django.setup()
    call_command("migrate", verbosity=0)


def measure(number: int, seconds: float) -> tuple[float, float]:
    """Return the operations per CPU second without and with recording; every other pair turned round."""
    found = {}
    for is_recorded in ((False, True), (True, False))[number % 2]:
        found[is_recorded] = recorded(seconds) if is_recorded else work(seconds)
    return found[False], found[True]


def recorded(seconds: float) -> float:
    """Work while a recorder runs."""
    from project.storage.sampling import Recorder

    recorder = Recorder("web", write_every_s=1.0)
    recorder.start()
    try:
        return work(seconds)
    finally:
        recorder.stop()


def work(seconds: float) -> float:
    """Return the operations per second of processor time: four reads to a write.

    Processor time, all threads of this process together: others on the machine don't count in.
    """
    done: list[int] = []
    began_s = time.process_time()
    until_s = time.perf_counter() + seconds
    threads = [threading.Thread(target=operate, args=(until_s, done)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.process_time() - began_s)


def operate(until_s: float, done: list[int]) -> None:
    """Read and write until the time is over, giving the connection back each time."""
    from django.db import connection

    from project.core.models import Leadership

    name = threading.current_thread().name
    count = 0
    row: Any = Leadership.objects.get_or_create(name=name)[0]
    while time.perf_counter() < until_s:
        if count % 5:
            Leadership.objects.filter(pk=row.pk).values_list("token").first()
        else:
            Leadership.objects.filter(pk=row.pk).update(token=count)
        connection.close()
        count += 1
    done.append(count)


def processor() -> float:
    """Return the share of a core that a second's tick and its part of a write take."""
    from django.db import DEFAULT_DB_ALIAS

    from project.db.watching import Watch
    from project.storage.sampling import Recorder

    recorder, watch = Recorder("web"), Watch(DEFAULT_DB_ALIAS)
    began_s = time.process_time()
    for number in range(300):
        found = watch.tick()
        recorder.take(watch, found)
        if number % 10 == 9:
            recorder.write()
    return (time.process_time() - began_s) / 300


if __name__ == "__main__":
    sys.exit(main())
