import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from accounts import delivering, webhooks
from accounts.adapters import posting
from accounts.choices import DeliveryStatus
from accounts.models import WebhookDelivery
from project.core import announcing, signing
from project.core.models import Run
from tests.accounts.receiver import Receiver, receiving
from tests.factories import make_user, make_webhook, make_webhook_delivery

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _private_allowed(settings: Any) -> None:
    settings.ALLOW_PRIVATE_NETWORKS = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def due(now: Any) -> list[WebhookDelivery]:
    return list(WebhookDelivery.objects.due(at=now))


def test_receiver_that_fails_then_works_gets_the_message_with_its_signature(receiver, now):
    receiver.answers = [500, 503, 200]
    webhook = make_webhook(url=receiver.url, secret="whsec_s")
    announcing.announce("run.finished", {"run_id": "r1"}, now=now, user_id=webhook.user_id)
    moments = [now, now + timedelta(seconds=10), now + timedelta(seconds=70)]

    for at, left in zip(moments, (1, 1, 0), strict=True):
        delivering.deliver(due(at), now=at)
        assert len(due(at + timedelta(days=1))) == left
        assert due(at) == []  # not tried again at once

    row = WebhookDelivery.objects.get()
    assert (row.status, row.attempts, row.status_code) == ("delivered", 3, 200)
    for (headers, body), at in zip(receiver.came, moments, strict=True):
        signing.check(body, headers["X-Millrace-Signature"], secrets=["whsec_s"], now=at)
        assert headers["X-Millrace-Delivery"] == str(row.event_id)
        said = json.loads(body)
        assert (said["id"], said["event"], said["data"]) == (
            str(row.event_id),
            "run.finished",
            {"run_id": "r1"},
        )


def test_receiver_that_never_works_is_given_up(receiver, now):
    receiver.answers = [410]
    make_webhook_delivery(webhook=make_webhook(url=receiver.url), next_try_at=now)
    at = now

    for wait in (*delivering.WAITS, timedelta(days=1)):
        delivering.deliver(due(at), now=at)
        at += wait

    row = WebhookDelivery.objects.get()
    assert (row.status, row.attempts, row.status_code, row.next_try_at) == (
        "failed",
        len(delivering.WAITS) + 1,
        410,
        None,
    )


def test_redirect_is_not_followed(receiver, now):
    receiver.answers = [302]
    make_webhook_delivery(webhook=make_webhook(url=receiver.url), next_try_at=now)

    (outcome,) = delivering.deliver(due(now), now=now)

    assert (outcome.status, outcome.is_delivered, len(receiver.came)) == (302, False, 1)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://localhost:{port}/"])
def test_address_inside_is_refused_at_delivery_too(receiver, now, settings, url):
    port = receiver.url.rsplit(":", 1)[1].strip("/")
    webhook = make_webhook(url=url.format(port=port))
    make_webhook_delivery(webhook=webhook, next_try_at=now)
    settings.ALLOW_PRIVATE_NETWORKS = False

    (outcome,) = delivering.deliver(due(now), now=now)

    assert outcome.error.startswith("forbidden_address")
    assert receiver.came == []
    assert WebhookDelivery.objects.get().status == DeliveryStatus.WAITING


def test_receivers_that_are_gone_or_hang_stop_no_others(receiver, now):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as hanging:
        urls = [
            f"http://127.0.0.1:{hanging.getsockname()[1]}/",
            "http://127.0.0.1:1/",
            receiver.url,
        ]
        messages = [posting.Message(n, url, b"{}", {}) for n, url in enumerate(urls)]

        outcomes = posting.post_all(messages, total_s=1)

    assert [one.is_delivered for one in outcomes] == [False, False, True]
    assert outcomes[0].error == "no answer in time"
    assert "Refused" in outcomes[1].error


def test_one_who_turned_it_off_hears_nothing(now):
    webhook = make_webhook(is_on=False)
    make_webhook_delivery(webhook=webhook, next_try_at=now)

    assert due(now) == []


def test_outcome_of_an_overslept_worker_changes_nothing(now):
    row = make_webhook_delivery(next_try_at=now)
    WebhookDelivery.objects.update(attempts=1)

    delivering._record(row, posting.Outcome(row.pk, status=200), now=now)

    assert WebhookDelivery.objects.get().status == DeliveryStatus.WAITING


def test_run_delivers_everything_due_once(receiver, now, monkeypatch):
    webhook = make_webhook(url=receiver.url)
    for _ in range(3):
        webhooks.hear(announcing.Announcement("run.finished", {}, at=now, user_id=webhook.user_id))
    receiver.answers = [200, 500, 200]

    class Told:
        counts: Any = None

        def report(self, *, phase: str, counts: Any) -> None:
            self.counts = counts

    told = Told()
    delivering.run(told)  # type: ignore[arg-type]

    assert told.counts == {"sent": 3, "delivered": 2}
    assert Run.objects.filter(kind="accounts.deliver").count() == 1


def test_waiting_message_has_a_moment():
    with pytest.raises(IntegrityError, match="webhook_delivery_waits"):
        make_webhook_delivery(next_try_at=None)


def test_strangers_events_are_not_heard(now):
    make_webhook(events=["gap.repaired"])
    mine = make_webhook(events=["gap.repaired", "run.finished"])

    announcing.announce("gap.repaired", {}, now=now)
    announcing.announce("run.finished", {}, now=now, user_id=make_user().pk)
    announcing.announce("run.finished", {}, now=now, user_id=mine.user_id)

    assert list(WebhookDelivery.objects.order_by("pk").values_list("event", flat=True)) == [
        "gap.repaired",
        "gap.repaired",
        "run.finished",
    ]
