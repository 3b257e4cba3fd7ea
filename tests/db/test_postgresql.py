"""The PostgreSQL engine on a server of its own, which some tests crash."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import OperationalError, connections, transaction
from django.db.models import F

from project.db import healing, statistics
from project.db.errors import PoolExhaustedError
from project.db.findings import Finding, Healing, Severity
from project.db.recording import ErrorKind, Event
from project.db.stress.scratch import Account
from project.db.watching import Watch
from tests.db import making
from tests.db.making import until
from tests.services import postgres

pytestmark = pytest.mark.postgres
ALIAS = "scratch_postgresql"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.running() as url:
        yield url


@pytest.fixture
def make_alias(server, django_db_blocker):
    found = urlsplit(server)
    with django_db_blocker.unblock(), contextlib.ExitStack() as stack:

        def make(**pool: Any) -> str:
            name = f"test_{time.monotonic_ns()}"
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            settings = {
                "ENGINE": "project.db.postgresql",
                "NAME": name,
                "USER": found.username,
                "HOST": found.hostname,
                "PORT": found.port,
                "CONN_MAX_AGE": 0,
                "CONN_HEALTH_CHECKS": True,
                "OPTIONS": {"pool": {"min_size": 2, "max_size": 20, "timeout": 20, **pool}},
            }
            return stack.enter_context(making.filled(ALIAS, settings))

        yield make


def hold(alias: str, count: int):
    """Hold connections in threads of their own; returns what lets them go."""
    over, inside = threading.Event(), threading.Barrier(count + 1)

    def work() -> None:
        Account.objects.using(alias).count()
        inside.wait(5)
        over.wait(10)
        connections[alias].close()

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    inside.wait(5)

    def let_go() -> None:
        over.set()
        for thread in threads:
            thread.join()

    return let_go


def test_snapshot_has_the_same_names_and_numbers(make_alias):
    alias = make_alias()
    before = statistics.snapshot(alias)
    let_go = hold(alias, 3)
    during = statistics.snapshot(alias)
    let_go()
    after = statistics.snapshot(alias)

    assert (during.vendor, during.in_use, during.max_size) == ("postgresql", 3, 20)
    assert during.oldest is not None
    assert during.oldest.place.startswith("tests/db/test_postgresql.py:")
    assert (after.in_use, after.uses - before.uses) == (0, 3)
    assert after.use.p50_s > 0
    assert set(after.figures()) == set(statistics.snapshot("default").figures())


def test_exhausted_pool_is_counted_and_named(make_alias):
    alias = make_alias(max_size=2, timeout=0.2)
    watch = Watch(alias, heals=False)
    watch.tick()
    let_go = hold(alias, 2)

    with pytest.raises(PoolExhaustedError, match=r"held longest: tests/db/test_postgresql\.py:"):
        Account.objects.using(alias).count()
    watch.tick()
    let_go()

    assert statistics.snapshot(alias).errors[ErrorKind.TIMEOUT] == 1
    assert [finding.name for finding in watch.findings] == ["exhausted"]


def test_deadlock_is_counted_and_named(make_alias):
    alias = make_alias()
    watch = Watch(alias, heals=False)
    watch.tick()
    both = threading.Barrier(2)

    def lock(keys: tuple[int, int]) -> str:
        try:
            with transaction.atomic(using=alias):
                for key in keys:
                    Account.objects.using(alias).filter(pk=key).update(balance=F("balance") + 1)
                    with contextlib.suppress(threading.BrokenBarrierError):
                        both.wait(0.5)
        except OperationalError as error:
            return str(error)
        finally:
            connections[alias].close()
        return ""

    with ThreadPoolExecutor(2) as executor:
        ends = list(executor.map(lock, [(1, 2), (2, 1)]))
    watch.tick()

    assert sum("deadlock detected" in end for end in ends) == 1
    assert watch.findings[0].name == "deadlock"


def test_crash_under_load_costs_few_requests_and_is_named(make_alias, server, record_property):
    alias = make_alias()
    watch = Watch(alias, heals=False)
    watch.tick()
    over = time.monotonic() + 4.0
    done: list[bool] = []

    def work(_: int) -> None:
        while time.monotonic() < over:
            try:
                Account.objects.using(alias).filter(pk=1).update(balance=F("balance") + 1)
                done.append(True)
            except OperationalError:
                done.append(False)
            finally:
                connections[alias].close()

    with ThreadPoolExecutor(12) as executor:
        running = executor.map(work, range(12))
        time.sleep(0.8)
        with psycopg.connect(server) as connection:
            row = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
                "AND pid <> pg_backend_pid() LIMIT 1"
            ).fetchone()
        assert row is not None
        os.kill(row[0], signal.SIGKILL)  # the server ends everybody and starts again
        list(running)
    watch.tick()

    failed = done.count(False)
    record_property("failed of all requests", f"{failed} of {len(done)}")
    assert failed <= len(done) * 0.01
    assert done[-12:].count(True) == 12
    assert "cannot_connect" in [finding.name for finding in watch.findings]


def test_healing_recycles_and_grows(make_alias):
    alias = make_alias()
    Account.objects.using(alias).count()
    connections[alias].close()
    assert until(lambda: statistics.snapshot(alias).idle >= 2)
    before = statistics.snapshot(alias)

    said = [
        healing.heal(Finding("a", Severity.NOTICE, "b", "c", how), alias=alias)
        for how in (Healing.RECYCLE, Healing.GROW)
    ]

    assert said[0] == f"closed {before.idle} free connection(s)"
    assert said[1].startswith("allowed ")
    assert until(lambda: statistics.snapshot(alias).idle >= before.idle + 3)
    assert statistics.snapshot(alias).events[Event.OPENED] > before.events[Event.OPENED]
    assert Account.objects.using(alias).count() == 20


def test_fork_leaves_the_parents_connections_alone(make_alias):
    alias = make_alias()
    assert Account.objects.using(alias).count() == 20
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(BaseException):
            signal.alarm(10)
            Account.objects.using(alias).filter(pk=1).update(balance=5)
            connections[alias].close()
            status = 0
        os._exit(status)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert Account.objects.using(alias).get(pk=1).balance == 5
    connections[alias].close()
    assert Account.objects.using(alias).count() == 20
