"""Which process leads where only one may."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from project.core import processes
from project.core.models import Leadership


def lead(name: str, *, for_: timedelta, now: datetime) -> bool:
    """Take or renew the lead in ``name`` for this process; False while another one has it.

    Args:
        name: what is led, e.g. ``"beat"``.
        for_: how long the lead holds unless renewed.
        now: the moment, UTC.
    """
    me = processes.own_name()
    free = Leadership.objects.filter(Q(holder=me) | Q(held_until__lte=now), name=name)
    if free.update(holder=me, held_until=now + for_, token=F("token") + 1):
        return True
    standing = Leadership.objects.filter(name=name).first()
    if standing is None:
        return _first(name, me, now + for_)
    if processes.is_surely_dead(standing.holder):
        dead = Leadership.objects.filter(name=name, holder=standing.holder, token=standing.token)
        return bool(dead.update(holder=me, held_until=now + for_, token=F("token") + 1))
    return False


def _first(name: str, me: str, until: datetime) -> bool:
    try:
        with transaction.atomic():
            Leadership.objects.create(name=name, holder=me, held_until=until, token=1)
    except IntegrityError:  # a rival was first
        return False
    return True
