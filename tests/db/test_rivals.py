import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.models import Sum

from project.db import statistics
from project.db.errors import PoolExhaustedError
from project.db.stress.scratch import Account, Entry
from tests.db.making import until

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]


def balance(alias: str) -> int:
    return Account.objects.using(alias).get(pk=1).balance


def start(alias: str, mode: str, *numbers: int) -> "subprocess.Popen[str]":
    """Start ``tests.db.rival`` on the file of ``alias``."""
    environment = {
        **os.environ,
        "ENGINE_TEST_FILE": connections[alias].settings_dict["NAME"],
        "DJANGO_SETTINGS_MODULE": "tests.db.settings",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.db.rival", mode, *map(str, numbers)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: "subprocess.Popen[str]") -> tuple[int, str]:
    out, err = process.communicate(timeout=60)
    assert not err, err
    return process.returncode, out


def start_inside(alias: str, mode: str) -> "subprocess.Popen[str]":
    """Start a rival and wait until it is in the midst of its work."""
    process = start(alias, mode)
    assert process.stdout is not None
    assert process.stdout.readline() == "inside\n"
    return process


def test_25_threads_lose_no_update(alias):
    def work(number: int) -> None:
        try:
            for _ in range(8):
                with transaction.atomic(using=alias):
                    account = Account.objects.using(alias).get(pk=1)
                    account.balance += 1
                    account.save(update_fields=["balance"])
                Account.objects.using(alias).count()
                connections[alias].close()
        finally:
            connections[alias].close()

    with ThreadPoolExecutor(max_workers=25) as executor:
        list(executor.map(work, range(25)))

    assert balance(alias) == 200
    connections[alias].close()
    now = statistics.snapshot(alias)
    assert now.errors_total == 0
    assert (now.in_use, now.waiting, now.writers_waiting) == (0, 0, 0)


def test_5_processes_of_5_threads_lose_no_update(alias):
    processes = [start(alias, "add_up", 5, 10) for _ in range(5)]

    ends = [end(process) for process in processes]

    assert [status for status, _ in ends] == [0] * 5
    assert balance(alias) == 250


def test_writer_killed_in_mid_transaction_blocks_nobody_and_leaves_nothing(alias):
    process = start_inside(alias, "die")
    waited = threading.Event()

    def write() -> None:
        Account.objects.using(alias).filter(pk=1).update(balance=7)
        connections[alias].close()
        waited.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert not waited.wait(0.3)  # the other's transaction is respected while it lives
    process.kill()
    process.communicate()

    assert waited.wait(2)
    thread.join()
    assert balance(alias) == 7
    assert not Entry.objects.using(alias).exists()


def test_writers_killed_anywhere_leave_whole_transactions(alias):
    for _ in range(3):
        process = start_inside(alias, "keep")
        time.sleep(0.15)
        process.kill()
        process.communicate()

    total = Entry.objects.using(alias).aggregate(total=Sum("amount"))["total"]
    assert total
    assert balance(alias) == total
    with connections[alias].cursor() as cursor:
        assert cursor.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_reader_that_never_finishes_holds_up_nobody(make_database):
    alias = make_database(leak_after=0.2)
    reading, over = threading.Event(), threading.Event()

    def read() -> None:
        rows: Any = Account.objects.using(alias).iterator(chunk_size=1)
        next(rows)
        reading.set()
        over.wait(10)
        rows.close()
        connections[alias].close()

    reader = threading.Thread(target=read, name="endless")
    reader.start()
    assert reading.wait(5)
    for number in range(100):
        Account.objects.using(alias).filter(pk=1).update(balance=number)
    assert balance(alias) == 99
    connections[alias].close()
    time.sleep(0.25)

    leaks = statistics.snapshot(alias).leaks
    over.set()
    reader.join()

    assert [(leak.place.partition(":")[0], leak.thread) for leak in leaks] == [
        ("tests/db/test_rivals.py", "endless")
    ]
    assert statistics.snapshot(alias).leaks == ()


def test_exhausted_pool_refuses_in_time_and_recovers(make_database):
    alias = make_database(max_size=3, timeout=0.3)
    holding, over = threading.Barrier(4), threading.Event()

    def hold() -> None:
        Account.objects.using(alias).count()
        holding.wait(5)
        over.wait(10)
        connections[alias].close()

    holders = [threading.Thread(target=hold) for _ in range(3)]
    for holder in holders:
        holder.start()
    holding.wait(5)
    with pytest.raises(PoolExhaustedError, match="3 of 3 in use"):
        Account.objects.using(alias).count()
    over.set()
    for holder in holders:
        holder.join()

    assert Account.objects.using(alias).count() == 20


def test_thread_that_dies_in_a_transaction_blocks_nobody(make_database):
    alias = make_database(max_size=2)

    def die() -> None:
        transaction.atomic(using=alias).__enter__()
        Account.objects.using(alias).filter(pk=1).update(balance=99)

    for _ in range(2):  # as many as there are connections
        thread = threading.Thread(target=die)
        thread.start()
        thread.join()
        asked_s = time.monotonic()
        Account.objects.using(alias).filter(pk=2).update(balance=1)
        assert time.monotonic() - asked_s < 3

    assert balance(alias) == 0


def test_fork_leaves_the_parents_connections_and_transactions_alone(alias):
    status, out = end(start(alias, "fork"))

    assert status == 0
    assert out.split() == ["0", "0", "3"]
    assert balance(alias) == 3


def test_pool_shrinks_when_the_rush_is_over(make_database: Callable[..., str]):
    alias = make_database(max_idle=0.1, grow_after=0.01)

    def hold(_: int) -> None:
        Account.objects.using(alias).count()
        time.sleep(0.1)
        connections[alias].close()

    with ThreadPoolExecutor(max_workers=12) as executor:
        list(executor.map(hold, range(24)))
    assert statistics.snapshot(alias).size > 4

    assert until(lambda: statistics.snapshot(alias).size == 2)
