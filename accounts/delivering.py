"""Sending to webhooks what they are to be told, and trying again: at least once, in no set order."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson
from django.db.models import F
from django.utils import timezone

from accounts.adapters import posting
from accounts.adapters.posting import Message, Outcome
from accounts.choices import DeliveryStatus
from accounts.metrics import WEBHOOK_DELIVERIES
from accounts.models import WebhookDelivery
from project.core import signing
from project.core.working import Work

#: How long after each failed attempt the next one is made; after the last it has failed.
WAITS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200, 21600, 43200)
)
_BATCH: Final = 50
KEPT: Final = timedelta(days=30)


def run(work: Work) -> None:
    """Deliver all that is due, as the run ``accounts.deliver``; drop what is long done."""
    sent = delivered = 0
    seen: set[int] = set()
    while True:
        work.report(phase="delivering", counts={"sent": sent, "delivered": delivered})
        now = timezone.now()
        due = list(WebhookDelivery.objects.due(at=now).exclude(pk__in=seen)[:_BATCH])
        if not due:
            break
        seen.update(row.pk for row in due)
        outcomes = deliver(due, now=now)
        sent += len(outcomes)
        delivered += sum(one.is_delivered for one in outcomes)
    WebhookDelivery.objects.filter(created_at__lt=timezone.now() - KEPT).delete()


def deliver(due: Sequence[WebhookDelivery], *, now: datetime) -> list[Outcome]:
    """Post each delivery once and write down what came of it."""
    rows = {row.pk: row for row in due}
    outcomes = posting.post_all([_message(row, now) for row in due])
    for outcome in outcomes:
        _record(rows[outcome.key], outcome, now=now)
    return outcomes


def _message(row: WebhookDelivery, now: datetime) -> Message:
    body = orjson.dumps(row.payload)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Millrace-Webhooks/1",
        "X-Millrace-Event": row.event,
        "X-Millrace-Delivery": str(row.event_id),
        "X-Millrace-Signature": signing.sign(body, secret=row.webhook.secret, at=now),
    }
    return Message(row.pk, row.webhook.url, body, headers)


def _record(row: WebhookDelivery, outcome: Outcome, *, now: datetime) -> None:
    facts = {"status_code": outcome.status, "error": outcome.error[:200], "tried_at": now}
    if outcome.is_delivered:
        status, next_try_at = DeliveryStatus.DELIVERED, None
    elif row.attempts < len(WAITS):
        status, next_try_at = DeliveryStatus.WAITING, now + WAITS[row.attempts]
    else:
        status, next_try_at = DeliveryStatus.FAILED, None
    WebhookDelivery.objects.filter(pk=row.pk, attempts=row.attempts).update(
        attempts=F("attempts") + 1, status=status, next_try_at=next_try_at, **facts
    )
    result = "delivered" if outcome.is_delivered else "failed"
    WEBHOOK_DELIVERIES.labels(row.event, result).inc()
