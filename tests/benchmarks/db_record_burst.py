"""Records a burst of requests on a real pool, for ``tests/db/test_demand.py`` to replay.

``python -m tests.benchmarks.db_record_burst OUT.json``: calm, then a rush of slow requests (each
reads through the ORM and then holds its connection while it waits for something outside), then
calm again. What is recorded are the moments of asking and how long each held its connection.
"""

import json
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings

#: Begin and end in seconds, requests per second at both ends of each stretch.
STRETCHES = ((0.0, 0.6, 8, 8), (0.6, 1.2, 8, 120), (1.2, 1.6, 120, 60), (1.6, 2.2, 8, 8))


def main(out: Path) -> None:
    """Record one burst into ``out``."""
    with tempfile.TemporaryDirectory() as folder:
        settings.configure(
            DATABASES={
                "default": {
                    "ENGINE": "project.db.sqlite",
                    "NAME": str(Path(folder) / "burst.sqlite3"),
                    "OPTIONS": {
                        "timeout": 20,
                        "transaction_mode": "IMMEDIATE",
                        "init_command": "PRAGMA journal_mode=WAL",
                    },
                }
            },
            USE_TZ=True,
        )
        django.setup()
        out.write_text(json.dumps({"requests": _record()}), encoding="utf-8")


def _record() -> list[dict[str, float]]:
    from django.db import connections

    from project.db.stress import scratch

    scratch.create("default")
    connections.close_all()
    recorded: list[dict[str, float]] = []
    began_s = time.monotonic() + 0.2
    threads = [
        threading.Thread(target=_request, args=(at_s, number, began_s, recorded))
        for number, at_s in enumerate(_arrivals())
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(recorded, key=lambda request: request["asked_s"])


def _arrivals() -> list[float]:
    dice, found = random.Random(7), []
    for begin_s, end_s, first_rate, last_rate in STRETCHES:
        at_s = begin_s
        while at_s < end_s:
            done = (at_s - begin_s) / (end_s - begin_s)
            at_s += dice.expovariate(first_rate + (last_rate - first_rate) * done)
            found.append(at_s)
    return found


def _request(at_s: float, number: int, began_s: float, recorded: list[dict[str, float]]) -> None:
    from django.db import connections

    from project.db.stress.scratch import Account

    dice = random.Random(number)
    time.sleep(max(0.0, began_s + at_s - time.monotonic()))
    wrapper: Any = connections["default"]
    asked_s = time.monotonic() - began_s
    try:
        Account.objects.get(pk=dice.randint(1, 1000))
        time.sleep(dice.uniform(0.06, 0.2))
        list(Account.objects.order_by("-id")[:20])
    finally:
        lent_at_s = wrapper._member.lent_at_s
        wrapper.close()
    held_s = time.monotonic() - lent_at_s
    recorded.append({"asked_s": round(asked_s, 4), "held_s": round(held_s, 4)})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
