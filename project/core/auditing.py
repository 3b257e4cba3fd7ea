"""Who did what to which object, when, and from which value to which: the audit trail."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import Model

from project.core import requests
from project.core.callers import Caller
from project.core.choices import Act, Channel
from project.core.models import AuditEntry

#: Of more objects than this, one deed's trail names the first ones.
MOST_OBJECTS: Final = 2_000
_PLACES: Final = (("/admin/", Channel.CONSOLE), ("/api/", Channel.API))
#: Longer values are cut: the trail says what changed, it is no backup.
LONGEST: Final = 500
_noted: Final[ContextVar[list[AuditEntry] | None]] = ContextVar("noted", default=None)
_channel: Final[ContextVar[Channel]] = ContextVar("channel", default=Channel.SYSTEM)


@dataclass(frozen=True, slots=True)
class Change:
    """One value that changed, as people read it; secrets are masked before.

    Attributes:
        name: the field's label.
        before: what it was; empty where there was nothing.
        after: what it is.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done.

    Attributes:
        act: added, changed, deleted or done.
        said: it in a sentence.
        changes: the values that changed.
    """

    act: Act
    said: str
    changes: Sequence[Change] = ()


def note(about: Model, deed: Deed, *, by: Caller, now: datetime) -> AuditEntry:
    """Note what was done to one object; call it in the transaction that did it."""
    return note_all([about], deed, by=by, now=now)[0]


def note_all(
    objects: Sequence[Model], deed: Deed, *, by: Caller, now: datetime
) -> list[AuditEntry]:
    """Note what was done to each of several objects (the first ``MOST_OBJECTS``)."""
    rows = [
        _entry(deed, by, now, model=_label(each), object_id=str(each.pk), object_name=str(each))
        for each in objects[:MOST_OBJECTS]
    ]
    return _keep(rows, by)


def note_deed(deed: Deed, *, model: str, by: Caller, now: datetime) -> AuditEntry:
    """Note what was done to no object in particular.

    Args:
        deed: what was done.
        model: ``app.model`` of the pages where it was done; may be empty.
        by: who did it.
        now: the moment, UTC.
    """
    return _keep([_entry(deed, by, now, model=model)], by)[0]


@contextmanager
def watched() -> Iterator[list[AuditEntry]]:
    """Give the list of what is noted while the block runs."""
    found: list[AuditEntry] = []
    token = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(token)


@contextmanager
def through(channel: Channel) -> Iterator[None]:
    """Say by which way is done what the block does; requests of Django's say it themselves."""
    token = _channel.set(channel)
    try:
        yield
    finally:
        _channel.reset(token)


def about(model: str, object_id: str) -> Any:
    """Return what was done to one object, the newest first."""
    return AuditEntry.objects.filter(model=model, object_id=object_id).order_by("-at", "-pk")


def _label(each: Model) -> str:
    return each._meta.label_lower  # noqa: SLF001 -- Django's documented way to a model's name


def _entry(deed: Deed, by: Caller, now: datetime, **facts: str) -> AuditEntry:
    return AuditEntry(
        at=now,
        user_id=by.user_id,
        act=deed.act,
        said=deed.said[:1_000],
        changes=[asdict(change) for change in deed.changes],
        request_id=requests.current_id(),
        model=facts.get("model", ""),
        object_id=facts.get("object_id", "")[:60],
        object_name=facts.get("object_name", "")[:200],
    )


def _keep(rows: list[AuditEntry], by: Caller) -> list[AuditEntry]:
    name, (channel, address) = _name_of(by), _whence()
    for row in rows:
        row.user_name = name
        row.channel, row.address, row.key_id = channel, address, by.key_id
    AuditEntry.objects.bulk_create(rows)
    noted = _noted.get()
    if noted is not None:
        noted.extend(rows)
    return rows


def _whence() -> tuple[Channel, str | None]:
    """Return by which way, and from which address, somebody does what is noted."""
    request = requests.at_hand()
    if request is None:
        return _channel.get(), None
    address = requests.address_of(request) or None
    for start, channel in _PLACES:
        if request.path_info.startswith(start):
            return channel, address
    return Channel.ACCOUNT, address


def _name_of(by: Caller) -> str:
    """Return the caller's name, which stays when the user is gone."""
    if by.user_id is None:
        return "system"
    users = get_user_model()
    found = users.objects.filter(pk=by.user_id).values_list(users.USERNAME_FIELD, flat=True)
    return str(found.first() or "")
