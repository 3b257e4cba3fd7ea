"""Whom users let the product tell what happened, and what each is told."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import transaction

from accounts import kinds
from accounts.adapters import posting
from accounts.choices import DeliveryStatus
from accounts.models import User, Webhook, WebhookDelivery
from project.core import addresses, announcing, runs
from project.core.announcing import Announcement
from project.core.callers import SYSTEM
from project.core.errors import ConflictError, FieldProblem, InvalidInputError, NotFoundError
from project.core.moments import stamp

MOST: Final = 20
MARK: Final = "whsec_"


class BadWebhookError(InvalidInputError):
    """A webhook can't be registered as it was asked for."""

    code = "bad_webhook"
    title = "The webhook can't be registered"


class TooManyWebhooksError(ConflictError):
    """The user has as many webhooks as anybody may."""

    code = "too_many_webhooks"
    title = "Too many webhooks"


class UnknownWebhookError(NotFoundError):
    """There is no such webhook or delivery, or it is a stranger's."""

    title = "No such webhook"


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook just registered: ``secret`` is shown once."""

    webhook: Webhook
    secret: str


def require_url(url: str) -> None:
    """Refuse what is no address of the web, or leads into a private network.

    A name that can't be resolved now is taken: it is checked again at each delivery.

    Raises:
        BadWebhookError: it is no http or https address, or names a user.
        ForbiddenAddressError: it may not be reached.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadWebhookError("this is no address", fields=(_wrong("url"),)) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise BadWebhookError("an http or https address is wanted", fields=(_wrong("url"),))
    if parts.username is not None or parts.password is not None:
        detail = "the address may name no user: check the signature instead"
        raise BadWebhookError(detail, fields=(_wrong("url"),))
    posting.require_reachable(url)
    try:
        asyncio.run(addresses.resolve(host, port or 443))
    except addresses.UnknownHostError:
        return


def _wrong(field: str) -> FieldProblem:
    return FieldProblem(field, "invalid", "not usable")


def require_events(events: Sequence[str]) -> list[str]:
    """Return the events asked for, each once.

    Raises:
        BadWebhookError: none, or one that there isn't.
    """
    wanted = sorted(set(events))
    if unknown := [one for one in wanted if one not in announcing.known()]:
        there_are = ", ".join(sorted(announcing.known()))
        detail = f"no event {', '.join(unknown)}; there are {there_are}"
        raise BadWebhookError(detail, fields=(FieldProblem("events", "unknown_event", detail),))
    if not wanted:
        raise BadWebhookError("name at least one event", fields=(_wrong("events"),))
    return wanted


def create(
    user: User, *, url: str, events: Sequence[str], description: str = "", now: datetime
) -> NewWebhook:
    """Register an endpoint of ``user``.

    Raises:
        BadWebhookError: the address or an event is none.
        ForbiddenAddressError: the address lies inside a private network.
        TooManyWebhooksError: the user has ``MOST``.
    """
    wanted = require_events(events)
    require_url(url)
    secret = MARK + secrets.token_urlsafe(32)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # rivals of one user wait
        if Webhook.objects.filter(user=user).count() >= MOST:
            raise TooManyWebhooksError(f"at most {MOST}: delete one")
        row = Webhook.objects.create(
            user=user,
            url=url,
            events=wanted,
            description=description,
            secret=secret,
            created_at=now,
        )
    return NewWebhook(row, secret)


def find(user: User, webhook_id: int) -> Webhook:
    """Return an own webhook.

    Raises:
        UnknownWebhookError: there is none of that number, or it is a stranger's.
    """
    found = Webhook.objects.filter(user=user, pk=webhook_id).first()
    if found is None:
        raise UnknownWebhookError(f"no webhook {webhook_id}")
    return found


def change(webhook: Webhook, changes: dict[str, Any]) -> Webhook:
    """Change url, events, description or whether it is on.

    Raises:
        BadWebhookError: the address or an event is none.
        ForbiddenAddressError: the address lies inside a private network.
    """
    if "events" in changes:
        changes = {**changes, "events": require_events(changes["events"])}
    if "url" in changes:
        require_url(changes["url"])
    for name, value in changes.items():
        setattr(webhook, name, value)
    if changes:
        webhook.save(update_fields=list(changes))
    return webhook


def hear(said: Announcement) -> None:
    """Write a delivery for each webhook that asked for the event, and wake whoever delivers."""
    rows = Webhook.objects.filter(is_on=True, user__is_active=True)
    if said.user_id is not None:
        rows = rows.filter(user_id=said.user_id)
    wanted = [row for row in rows if said.name in row.events]
    if not wanted:
        return
    body = {
        "id": str(said.id),
        "event": said.name,
        "created_at": stamp(said.at),
        "data": dict(said.data),
    }
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            webhook=row,
            event_id=said.id,
            event=said.name,
            payload=body,
            created_at=said.at,
            next_try_at=said.at,
        )
        for row in wanted
    )
    wake(now=said.at)


def wake(*, now: datetime) -> None:
    """Ask for the run that delivers, unless it waits or works already."""
    try:
        with transaction.atomic():
            runs.submit(runs.Ask(kind=kinds.DELIVER.name), by=SYSTEM, now=now)
    except runs.AlreadyRunningError:
        return


def replay(user: User | None, delivery_id: int, *, now: datetime) -> WebhookDelivery:
    """Send a message again, as a delivery of its own with the same event id.

    Args:
        user: whose it must be; None: anybody's, for staff.
        delivery_id: which.
        now: the moment, UTC.

    Raises:
        UnknownWebhookError: there is none of that number, or it is a stranger's.
    """
    rows = WebhookDelivery.objects.select_related("webhook")
    if user is not None:
        rows = rows.filter(webhook__user=user)
    old = rows.filter(pk=delivery_id).first()
    if old is None:
        raise UnknownWebhookError(f"no delivery {delivery_id}")
    with transaction.atomic():
        new = WebhookDelivery.objects.create(
            webhook=old.webhook,
            event_id=old.event_id,
            event=old.event,
            payload=old.payload,
            created_at=now,
            next_try_at=now,
            replay_of=old,
            status=DeliveryStatus.WAITING,
        )
        wake(now=now)
    return new
