"""Telling an ETL endpoint what the pools look like: nothing that it was to be told is lost."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from django.conf import settings
from django.db.models import Count, F, Min, Q
from django.urls import reverse
from django.utils import timezone

from project.core import issues, runs, scrubbing, version
from project.core.callers import Caller
from project.core.errors import InvalidInputError
from project.core.issues import AMBER, Issue
from project.core.models import Run
from project.core.moments import stamp, stamp_or_none
from project.core.working import Work
from proxies import kinds, metrics, overview
from proxies.adapters import etl
from proxies.adapters.etl import DeliveryError, Parcel, Receipt, Target
from proxies.choices import DeliveryState, ProxyState
from proxies.models import Delivery, ProxySource, ReceivedSnapshot
from proxies.querysets import DeliveryQuerySet

#: Files that stay in the spool folder.
SPOOLED: Final = 20_000
#: What waits for longer than this needs a person.
OVERDUE: Final = timedelta(minutes=15)
_SPOOL: Final = "etl-spool"


class NothingToSendError(InvalidInputError):
    """None of the deliveries exists."""

    code = "nothing_to_send"
    title = "Nothing to send"


def snapshot(*, now: datetime) -> dict[str, Any]:
    """Return what is told: version, sizes of the pools, and what each source is worth."""
    return {
        "version": version.NUMBER,
        "commit": version.commit(),
        "timestamp": stamp(now),
        "pools": overview.stats(now=now)["pools"],
        "sources": _sources(),
    }


def _sources() -> list[dict[str, Any]]:
    alive = Q(entries__proxy__state=ProxyState.HEALTHY)
    rows: Any = ProxySource.objects.annotate(
        named=Count("entries"), alive=Count("entries", filter=alive)
    )
    return [
        {
            "id": source.pk,
            "name": source.name,
            "enabled": source.is_enabled,
            "last_outcome": source.last_outcome or None,
            "last_error_type": source.last_error_type or None,
            "last_fetch_at": stamp_or_none(source.last_fetch_at),
            "accepted": source.last_accepted,
            "failures_in_row": source.failures_in_row,
            "proxies": source.named,
            "healthy": source.alive,
        }
        for source in rows.defer("text", "headers", "last_samples").order_by("pk")
    ]


def submit_again(deliveries: Sequence[int], *, by: Caller, now: datetime) -> Run:
    """Ask for these deliveries to be sent, also those that were: the other side knows their keys.

    Raises:
        NothingToSendError: there is none of them.
        AlreadyRunningError: a sync is at work.
    """
    known = sorted(Delivery.objects.filter(pk__in=deliveries).values_list("pk", flat=True))
    if not known:
        raise NothingToSendError("none of them is there any more")
    subject = f"{len(known)} deliveries again"
    ask = runs.Ask(kind=kinds.ETL_SYNC.name, subject=subject, payload={"deliveries": known})
    return runs.submit(ask, by=by, now=now)


def run(work: Work) -> None:
    """Make a snapshot and hand it over, then what waits in the outbox, the oldest first.

    A receiver that is away has the run tried again; after the last try the snapshot waits.
    """
    forget(now=timezone.now())
    if "deliveries" in work.payload:
        _flush(Delivery.objects.filter(pk__in=work.payload["deliveries"]).order_by("pk"), work)
        return
    work.report(phase="sending")
    own = _own(work)
    if own.state == DeliveryState.WAITING:
        _send_own(own, work)
    _flush(Delivery.objects.waiting(), work)


def _own(work: Work) -> Delivery:
    """Return the delivery of this run, which an earlier attempt may have made."""
    found = Delivery.objects.filter(pk=work.checkpoint.get("delivery", 0)).first()
    if found is None:
        now = timezone.now()
        found = Delivery.objects.create(payload=snapshot(now=now), made_at=now)
        work.keep(delivery=found.pk)
    return found


def _send_own(own: Delivery, work: Work) -> None:
    try:
        hand_over(own)
    except DeliveryError as error:
        is_last = work.run.tries >= kinds.ETL_SYNC.max_attempts
        metrics.ETL.labels("failed" if is_last else "retried").inc()
        if error.is_refused:
            work.leave_partial(f"{error}: the snapshot waits in the outbox")
            return
        raise
    work.report(counts={"sent": 1})


def _flush(chosen: DeliveryQuerySet, work: Work) -> None:
    """Send each; one that the receiver refuses waits on, a receiver that is away ends it."""
    deliveries = list(chosen.values_list("pk", flat=True))
    work.report(phase="outbox", counts={"outbox": len(deliveries)})
    sent, refused = work.run.counts.get("sent", 0), 0
    for number, pk in enumerate(deliveries, 1):
        work.check()
        delivery = chosen.filter(pk=pk).first()  # its payload: an outbox of days isn't held at once
        if delivery is None:
            continue
        try:
            hand_over(delivery)
        except DeliveryError as error:
            metrics.ETL.labels("failed" if error.is_refused else "retried").inc()
            if not error.is_refused:
                waiting = len(deliveries) - number + 1 + refused
                work.leave_partial(f"{error}: {waiting} wait in the outbox")
                return
            refused += 1
        else:
            sent += 1
        work.report(progress=100 * number / len(deliveries), counts={"sent": sent})
    if refused:
        work.leave_partial(f"{refused} refused: they wait in the outbox")


def hand_over(delivery: Delivery) -> None:
    """Send one delivery and write down what came of it.

    Raises:
        DeliveryError: it did not arrive; it waits.
    """
    now = timezone.now()
    row = Delivery.objects.filter(pk=delivery.pk)
    tried: dict[str, Any] = {"tries": F("tries") + 1, "last_try_at": now}
    try:
        receipt = _handed(delivery)
    except DeliveryError as error:
        why = scrubbing.text(str(error))[:300]
        row.update(**tried, last_error=why, last_status=error.status)
        raise
    row.update(
        **tried,
        state=DeliveryState.SENT,
        sent_at=timezone.now(),
        last_error="",
        last_status=receipt.status,
        took_s=receipt.took_s,
        destination=receipt.destination[:300],
    )
    metrics.ETL.labels("sent").inc()


def _handed(delivery: Delivery) -> Receipt:
    # PostgreSQL gives keys back in an order of its own: told again, it must be the same letters
    body = orjson.dumps(delivery.payload, option=orjson.OPT_SORT_KEYS)
    parcel = Parcel(str(delivery.key), body)
    if settings.ETL_URL:
        to = Target(settings.ETL_URL, settings.ETL_API_KEY, settings.ETL_TIMEOUT_S)
        return etl.send(parcel, to=to)
    name = f"{delivery.made_at:%Y%m%dT%H%M%SZ}-{delivery.key}.json"
    return etl.spool(parcel, folder=settings.DATA_DIR / _SPOOL, name=name, keep=SPOOLED)


def forget(*, now: datetime) -> int:
    """Drop what arrived, or was received, long ago; return how many rows went."""
    since = now - timedelta(days=settings.ETL_DAYS)
    gone, _ = Delivery.objects.sent_before(since).delete()
    return gone + ReceivedSnapshot.objects.filter(received_at__lt=since).delete()[0]


@issues.register
def overdue(now: datetime) -> list[Issue]:
    """Tell of an outbox that isn't emptied."""
    failed = Delivery.objects.waiting().filter(tries__gt=0, made_at__lte=now - OVERDUE)
    found = failed.order_by().aggregate(count=Count("pk"), oldest=Min("made_at"))
    if not found["count"]:
        return []
    last = failed.last()
    why = f": {last.last_error}" if last and last.last_error else ""
    text = f"{found['count']:,} ETL deliveries wait in the outbox{why}."
    url = f"{reverse('admin:proxies_delivery_changelist')}?state__exact={DeliveryState.WAITING}"
    return [Issue("etl_outbox", AMBER, text, "Show the outbox", url)]
