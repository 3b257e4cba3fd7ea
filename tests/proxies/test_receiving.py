import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from accounts.repeating import BadIdempotencyKeyError, KeyReusedError
from project.core import health, runs
from project.core.callers import SYSTEM, Caller
from project.core.health import Probe
from proxies import kinds, receiving, syncing
from proxies.models import Delivery, ReceivedSnapshot
from proxies.receiving import Told
from tests.browser.serving import free_port, wait_until_up
from tests.factories import make_user
from tests.proxies.factories import NOW, make_delivery, make_proxy
from tests.proxies.receivers import HANG
from tests.proxies.receivers import receiving as receiver_of
from tests.proxies.test_syncing import due

TOLD = Told("0.1.0", "abc", NOW, {"hot": 1, "warm": {"size": 2}}, [{"name": "one"}])


@pytest.fixture
def sender(db):
    return Caller(user_id=make_user().pk)


def test_a_snapshot_is_kept_once_per_key(sender):
    first = receiving.take(TOLD, key="k", by=sender, now=NOW)
    again = receiving.take(TOLD, key="k", by=sender, now=NOW)

    row = ReceivedSnapshot.objects.get()
    assert (first.is_duplicate, again.is_duplicate) == (False, True)
    assert first.id == again.id == row.pk
    assert (row.version, row.commit, row.taken_at) == ("0.1.0", "abc", NOW)
    assert (row.pools, row.sources) == (TOLD.pools, TOLD.sources)


def test_without_a_key_the_content_stands_for_itself(sender):
    receiving.take(TOLD, key="", by=sender, now=NOW)
    assert receiving.take(TOLD, key="", by=sender, now=NOW).is_duplicate
    other = replace(TOLD, timestamp=datetime(2026, 1, 6, tzinfo=UTC))
    assert not receiving.take(other, key="", by=sender, now=NOW).is_duplicate


def test_a_key_belongs_to_one_snapshot_of_one_sender(sender):
    receiving.take(TOLD, key="k", by=sender, now=NOW)

    with pytest.raises(KeyReusedError):
        receiving.take(replace(TOLD, version="2"), key="k", by=sender, now=NOW)
    other = Caller(user_id=make_user().pk)
    assert not receiving.take(replace(TOLD, version="2"), key="k", by=other, now=NOW).is_duplicate
    for key in ("x" * 201, "Grüße", "a\nb"):
        with pytest.raises(BadIdempotencyKeyError):
            receiving.take(TOLD, key=key, by=sender, now=NOW)


@pytest.mark.django_db
def test_healthy_without_redis(settings):
    settings.REDIS_URL = ""

    found = receiving.health_of(now=timezone.now())

    assert (found["status"], found["redis_connected"], found["issues"]) == ("healthy", None, [])
    assert found["db_connected"] is True
    assert list(found) == [
        *("status", "timestamp", "version", "commit"),
        *("db_connected", "redis_connected", "issues"),
    ]


@pytest.mark.django_db
def test_never_healthy_while_redis_is_down(settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    found = receiving.health_of(now=timezone.now())

    assert (found["status"], found["redis_connected"]) == ("degraded", False)
    assert [issue["code"] for issue in found["issues"]] == ["redis_failing"]


def test_unhealthy_while_the_database_is_away(settings, monkeypatch):
    settings.REDIS_URL = ""
    down = Probe("database", is_ok=False, took_ms=1, detail="away")
    monkeypatch.setattr(health, "probe_some", lambda names, now: [down])

    found = receiving.health_of(now=timezone.now())

    assert (found["status"], found["db_connected"]) == ("unhealthy", False)


@pytest.mark.django_db
def test_an_outbox_that_is_stuck_is_no_health(settings):
    settings.REDIS_URL = ""
    make_delivery(tries=3)

    found = receiving.health_of(now=timezone.now())

    assert (found["status"], found["issues"][0]["code"]) == ("degraded", "etl_outbox")


@contextmanager
def other_installation(folder):
    """Run another installation, with a database of its own; give its address and a staff key."""
    port = free_port()
    surroundings = {
        **{name: value for name, value in os.environ.items() if name != "REDIS_URL"},
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'other.sqlite3'}",
        "CELERY_BROKER_URL": f"sqlitequeue:///{folder / 'broker.sqlite3'}",
        "DATA_DIR": str(folder),
        "PORT": str(port),
    }
    surroundings.pop("PROMETHEUS_MULTIPROC_DIR", None)

    def manage(*words, **more):
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(
            command,
            cwd=django_settings.BASE_DIR,
            env={**surroundings, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip()

    manage("migrate", "--verbosity", "0")
    password = {"DJANGO_SUPERUSER_PASSWORD": "swamp-lantern-42"}
    manage("createsuperuser", "--noinput", "--email", "etl@example.com", **password)
    key = manage("create_api_key", "etl@example.com", "--scope", "admin")
    command = [sys.executable, "-m", "uvicorn", "project.asgi:application", "--port", str(port)]
    log = folder / "server.log"
    with log.open("wb") as written:
        server = subprocess.Popen(
            command,
            cwd=django_settings.BASE_DIR,
            env=surroundings,
            stdout=written,
            stderr=written,
        )
    try:
        wait_until_up(f"http://127.0.0.1:{port}", server, log)
        yield f"http://127.0.0.1:{port}", key, folder / "other.sqlite3"
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.django_db(transaction=True)
def test_one_installation_feeds_another_through_failures(settings, private_networks, do, tmp_path):
    """The receiver answers 500, hangs, is away and comes back; once its answer is lost."""
    import sqlite3

    def sync():
        ask = runs.Ask(kind=kinds.ETL_SYNC.name)
        return do(runs.submit(ask, by=SYSTEM, now=timezone.now()), syncing.run)

    make_proxy(pool="hot")
    with other_installation(tmp_path) as (url, key, database), receiver_of() as front:
        front.forward_to = f"{url}/api/etl/snapshots"
        settings.ETL_URL, settings.ETL_API_KEY, settings.ETL_TIMEOUT_S = front.url, key, 20
        front.answers = [500]
        first = sync()
        first = do(due(first), syncing.run)
        assert (first.status, front.statuses()) == ("done", [500, 201])

        settings.ETL_TIMEOUT_S = 0.3
        front.answers = [HANG] * 3
        lost = sync()
        for _ in range(2):
            lost = do(due(lost), syncing.run)
        assert (lost.status, Delivery.objects.waiting().count()) == ("failed", 1)

        settings.ETL_TIMEOUT_S = 20
        found = sync()
        assert (found.status, Delivery.objects.waiting().count()) == ("done", 0)
        unsure = Delivery.objects.all()[0]
        Delivery.objects.filter(pk=unsure.pk).update(state="waiting", sent_at=None)
        again = sync()  # the answer was lost: it is told again
        assert (again.status, again.error_message) == ("done", "")

        rows = sqlite3.connect(database)
        told = [row[0] for row in rows.execute("select key from proxies_receivedsnapshot")]
        rows.close()
        assert sorted(told) == sorted(str(each.key) for each in Delivery.objects.all())
        assert len(told) == len(set(told)) == 4
