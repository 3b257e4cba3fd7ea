import json
import socket
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from project.core import moments, runs, system, version
from project.core.callers import SYSTEM
from project.core.models import Run
from proxies import kinds, metrics, syncing
from proxies.adapters import etl
from proxies.adapters.etl import DeliveryError, Parcel
from proxies.models import Delivery
from tests.proxies.factories import (
    NOW,
    make_delivery,
    make_proxy,
    make_proxy_source,
    make_received_snapshot,
    make_source_entry,
)
from tests.proxies.receivers import HANG, receiving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver(settings, private_networks):
    with receiving() as found:
        settings.ETL_URL = found.url
        settings.ETL_API_KEY = "mk_secret"
        settings.ETL_TIMEOUT_S = 5
        yield found


def ask(now=None):
    return runs.submit(
        runs.Ask(kind=kinds.ETL_SYNC.name, schedule="schedule_etl_sync"),
        by=SYSTEM,
        now=now or timezone.now(),
    )


def due(run):
    """Let the time to the next try pass."""
    Run.objects.filter(pk=run.pk, next_try_at__isnull=False).update(next_try_at=run.created_at)
    return run


def counted():
    return {
        outcome: metrics.ETL.labels(outcome)._value.get()
        for outcome in ("sent", "retried", "failed")
    }


def since(before):
    return {name: value - before[name] for name, value in counted().items() if value - before[name]}


def test_a_snapshot_tells_pools_and_what_sources_are_worth():
    source = make_proxy_source(name="one", last_outcome="error", last_error_type="timeout")
    make_source_entry(source=source, proxy=make_proxy(pool="hot"))
    make_source_entry(source=source, proxy=make_proxy(state="failing"))
    make_proxy(pool="cold")

    found = syncing.snapshot(now=NOW)

    assert list(found) == ["version", "commit", "timestamp", "pools", "sources"]
    assert found["timestamp"] == moments.stamp(NOW)
    assert (found["version"], found["commit"]) == (version.NUMBER, version.commit())
    assert found["pools"] == {"hot": 1, "warm": 0, "cold": 1}
    told = next(each for each in found["sources"] if each["name"] == "one")
    assert (told["proxies"], told["healthy"], told["last_outcome"]) == (2, 1, "error")


def test_a_run_sends_the_snapshot_with_its_key(receiver, do):
    make_proxy(pool="hot")
    before = counted()

    run = do(ask(), syncing.run)

    delivery = Delivery.objects.get()
    headers, body, _ = receiver.log[0]
    assert (run.status, run.counts["sent"]) == ("done", 1)
    assert (delivery.state, delivery.tries, delivery.last_status) == ("sent", 1, 201)
    assert delivery.destination == receiver.url
    assert headers["Idempotency-Key"] == str(delivery.key)
    assert headers["Authorization"] == "Api-Key mk_secret"
    assert json.loads(body) == delivery.payload
    assert delivery.payload["pools"]["hot"] == 1
    assert since(before) == {"sent": 1}


def test_three_tries_with_growing_waits_then_the_outbox(receiver, do):
    receiver.usual = 500
    before = counted()
    run, waits = ask(), []

    for _ in range(3):
        asked = timezone.now()
        run = do(due(run), syncing.run)
        if run.next_try_at:
            waits.append((run.next_try_at - asked).total_seconds())

    delivery = Delivery.objects.get()
    assert (run.status, run.error_type) == ("failed", "delivery_failed")
    assert (delivery.state, delivery.tries, delivery.last_error) == ("waiting", 3, "answered 500")
    assert len(set(receiver.keys())) == 1
    assert 3.5 < waits[0] < 12
    assert waits[1] > 7
    assert since(before) == {"retried": 2, "failed": 1}


def test_what_waits_goes_out_later_oldest_first_and_once(receiver, do):
    old = [make_delivery(tries=3, made_at=NOW + timedelta(minutes=n)) for n in range(3)]
    before = counted()

    run = do(ask(), syncing.run)

    own = Delivery.objects.order_by("-pk")[0]
    assert run.status == "done"
    assert receiver.keys() == [str(own.key), *[str(each.key) for each in old]]
    assert not Delivery.objects.waiting().exists()
    assert since(before) == {"sent": 4}


def test_a_receiver_that_goes_away_again_ends_the_flush(receiver, do):
    for _ in range(3):
        make_delivery(tries=3)
    receiver.answers = [201, 201, 503]

    run = do(ask(), syncing.run)

    assert (run.status, run.error_message) == ("partial", "answered 503: 2 wait in the outbox")
    assert Delivery.objects.waiting().count() == 2
    assert len(receiver.log) == 3


def test_a_delivery_that_is_refused_does_not_stop_the_others(receiver, do):
    for _ in range(2):
        make_delivery(tries=3)
    receiver.answers = [201, 422, 201]

    run = do(ask(), syncing.run)

    assert (run.status, run.error_message) == ("partial", "1 refused: they wait in the outbox")
    assert [each.last_status for each in Delivery.objects.waiting()] == [422]


def test_a_receiver_that_hangs_is_left_after_the_time_out(receiver, settings, do):
    settings.ETL_TIMEOUT_S = 0.3
    receiver.usual = HANG

    run = do(ask(), syncing.run)

    delivery = Delivery.objects.get()
    assert (run.status, run.next_try_at is not None) == ("queued", True)
    assert (delivery.state, delivery.last_error) == ("waiting", "no answer in 0.3 s")


def test_an_attempt_after_a_crash_sends_the_same_snapshot(receiver, do):
    run = ask()
    delivery = make_delivery()
    Run.objects.filter(pk=run.pk).update(checkpoint={"delivery": delivery.pk})

    run = do(run, syncing.run)

    assert run.status == "done"
    assert receiver.keys() == [str(delivery.key)]
    assert Delivery.objects.count() == 1


def test_a_receiver_says_when_to_come_back_within_a_minute(receiver, do):
    receiver.usual, receiver.retry_after = 429, "3600"
    asked = timezone.now()

    run = do(ask(), syncing.run)

    assert run.status == "queued"
    assert 59 < (run.next_try_at - asked).total_seconds() < 120


def test_without_an_endpoint_snapshots_are_files(settings, tmp_path, do):
    settings.ETL_URL = ""
    settings.DATA_DIR = tmp_path

    run = do(ask(), syncing.run)

    delivery = Delivery.objects.get()
    files = list((tmp_path / "etl-spool").iterdir())
    assert (run.status, delivery.state, delivery.last_status) == ("done", "sent", None)
    assert [delivery.destination] == [str(file) for file in files]
    assert json.loads(files[0].read_bytes()) == delivery.payload


def test_a_spool_that_cannot_be_written_loses_nothing(settings, tmp_path, do):
    settings.ETL_URL = ""
    settings.DATA_DIR = tmp_path
    (tmp_path / "etl-spool").write_text("a file where the folder should be")

    run = do(ask(), syncing.run)

    assert run.status == "queued"
    assert Delivery.objects.get().state == "waiting"


def test_the_spool_keeps_its_newest_files(tmp_path):
    for number in range(5):
        etl.spool(Parcel(str(number), b"{}"), folder=tmp_path, name=f"{number}.json", keep=3)

    assert sorted(file.name for file in tmp_path.iterdir()) == ["2.json", "3.json", "4.json"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "http://169.254.169.254/x", "http://[::1]:9/x"]
)
def test_private_addresses_are_not_told(settings, url, do):
    settings.ETL_URL = url

    do(ask(), syncing.run)

    assert Delivery.objects.get().last_error == "leads into a private network"


def test_nobody_there_is_a_failure_without_the_address(private_networks):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://user:geheim@127.0.0.1:{free.getsockname()[1]}/x?key=geheim"
    with pytest.raises(DeliveryError) as failed:
        etl.send(Parcel("k", b"{}"), to=etl.Target(url))

    assert "geheim" not in str(failed.value)
    assert "geheim" not in etl.shown(url)


def test_staff_send_again_what_they_choose(receiver, do):
    first, second = make_delivery(), make_delivery()
    make_delivery()

    run = syncing.submit_again([first.pk, second.pk], by=SYSTEM, now=timezone.now())
    run = do(run, syncing.run)

    assert run.status == "done"
    assert receiver.keys() == [str(first.key), str(second.key)]
    with pytest.raises(syncing.NothingToSendError):
        syncing.submit_again([0], by=SYSTEM, now=NOW)


def test_old_rows_are_forgotten_but_never_what_waits():
    old = timezone.now() - timedelta(days=31)
    make_delivery(state="sent", sent_at=old)
    waiting = make_delivery(made_at=old)
    make_received_snapshot(received_at=old)
    recent = make_received_snapshot(received_at=timezone.now())

    assert syncing.forget(now=timezone.now()) == 2
    assert list(Delivery.objects.all()) == [waiting]
    assert recent.__class__.objects.get() == recent


def test_an_outbox_that_is_not_emptied_is_an_issue():
    now = timezone.now()
    assert syncing.overdue(now) == []

    make_delivery(tries=3, made_at=now - timedelta(hours=1), last_error="answered 500")

    issue = syncing.overdue(now)[0]
    assert (issue.code, issue.severity) == ("etl_outbox", "amber")
    assert "1 ETL deliveries wait in the outbox: answered 500" in issue.text


def test_state_and_duration_stand_in_system_tasks(receiver, do):
    interval = IntervalSchedule.objects.create(every=300, period="seconds")
    PeriodicTask.objects.create(name="schedule_etl_sync", task="core.etl_sync", interval=interval)

    do(ask(), syncing.run)

    tasks = system.overview(now=timezone.now())["tasks"]
    found = next(task for task in tasks if task["name"] == "schedule_etl_sync")
    assert (found["task"], found["last_status"]) == ("core.etl_sync", "done")
    assert found["duration_seconds"] >= 0


def test_the_default_is_a_spool():
    assert django_settings.ETL_URL == ""
