"""One process of rivals: ``python -m tests.db.rival MODE …``, with ENGINE_TEST_FILE set."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.db.settings")
django.setup()

from django.db import ProgrammingError, connection, connections, transaction  # noqa: E402
from django.db.models import F  # noqa: E402

from project.db.stress.scratch import Account, Entry  # noqa: E402


def add_up(threads: int, rounds: int) -> None:
    """Read, change and write one balance, ``rounds`` times in each of ``threads``."""
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(rounds):
                with transaction.atomic():
                    account = Account.objects.get(pk=1)
                    account.balance += 1
                    account.save(update_fields=["balance"])
                connections.close_all()
        except BaseException as error:  # noqa: BLE001 -- told by the exit status
            errors.append(error)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for error in errors:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    sys.exit(1 if errors else 0)


def die() -> None:
    """Write half of a transaction, say so, and be killed in the midst of it."""
    with transaction.atomic():
        Account.objects.filter(pk=1).update(balance=F("balance") + 1_000_000)
        Entry.objects.create(account_id=1, amount=1_000_000, note="half")
        sys.stdout.write("inside\n")
        sys.stdout.flush()
        time.sleep(30)


def keep_writing_until_killed() -> None:
    """Make whole transactions of two writes each until killed anywhere."""
    sys.stdout.write("inside\n")
    sys.stdout.flush()
    while True:
        with transaction.atomic():
            Account.objects.filter(pk=1).update(balance=F("balance") + 1)
            Entry.objects.create(account_id=1, amount=1, note="whole")


def fork() -> None:
    """Fork with a connection in use, once inside a transaction; both sides go on."""
    Account.objects.count()
    with transaction.atomic():
        Account.objects.filter(pk=1).update(balance=F("balance") + 1)
        inside = _child(_child_inside_a_transaction)
    outside = _child(_child_that_writes)
    Account.objects.filter(pk=1).update(balance=F("balance") + 1)
    alive = Account.objects.get(pk=1).balance
    sys.stdout.write(f"{inside} {outside} {alive}\n")


def _child(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        try:
            work()
        except BaseException as error:  # noqa: BLE001 -- told by the exit status
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _child_inside_a_transaction() -> None:
    """Leave the parent's transaction alone: nothing may be written, committed or rolled back."""
    with pytest.raises(ProgrammingError, match="atomic block"):
        Account.objects.filter(pk=1).update(balance=-1)
    connection.close()


def _child_that_writes() -> None:
    wrapper: Any = connections["default"]
    pool = wrapper.pool
    assert pool.size == 0, pool.size
    Account.objects.filter(pk=1).update(balance=F("balance") + 1)
    connections.close_all()


if __name__ == "__main__":
    mode, *numbers = sys.argv[1:]
    modes: dict[str, Callable[..., None]] = {
        "add_up": add_up,
        "die": die,
        "keep": keep_writing_until_killed,
        "fork": fork,
    }
    modes[mode](*map(int, numbers))
