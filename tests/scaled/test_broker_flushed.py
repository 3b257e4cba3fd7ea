"""A broker that is wiped loses nothing: every run is a row, and an idle worker sends it again."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from project.core import runs
from project.core.callers import SYSTEM
from project.core.choices import RunStatus
from project.core.models import Run
from proxies import kinds

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.timeout(120),
]
AT_MOST_S = 60


@contextmanager
def a_worker() -> Iterator[subprocess.Popen[bytes]]:
    """Run a real worker process on the test's database and broker."""
    where = connection.settings_dict
    place = f"{where['HOST']}:{where['PORT']}/{where['NAME']}"
    url = f"postgres://{where['USER']}:{where['PASSWORD']}@{place}"
    command = [sys.executable, "-m", "celery", "-A", "project", "worker", "-l", "ERROR"]
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    worker = subprocess.Popen([*command, "-c", "4"], env=env, cwd=settings.BASE_DIR)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def ended() -> int:
    return Run.objects.filter(status=RunStatus.DONE).count()


def wait_until_ended(count: int) -> None:
    until = time.monotonic() + AT_MOST_S
    while ended() < count and time.monotonic() < until:
        time.sleep(0.1)


def submit(count: int) -> None:
    for _ in range(count):
        runs.submit(runs.Ask(kind=kinds.FETCH.name), by=SYSTEM, now=timezone.now())


def test_runs_whose_messages_were_wiped_are_done_once_each():
    broker = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    broker.flushdb()  # of what other tests have sent
    submit(30)
    waiting = broker.llen("millrace")
    broker.flushdb()
    # long ago enough for an idle worker to take the messages for lost
    Run.objects.update(sent_at=timezone.now() - timedelta(minutes=1))

    with a_worker():
        wait_until_ended(30)
        broker.flushdb()
        submit(10)
        broker.flushdb()
        Run.objects.filter(status=RunStatus.QUEUED).update(
            sent_at=timezone.now() - timedelta(minutes=1)
        )
        wait_until_ended(40)

    assert waiting == 30
    assert ended() == 40
    assert set(Run.objects.values_list("attempt", flat=True)) == {1}
