"""Taking a slot: which proxy is lent next, and the locked row that makes it nobody else's.

SQL by hand, since this is what every lease waits for. On PostgreSQL one statement picks, claims and
records, and rivals pass over rows that others have locked. On SQLite the same is done by a few
statements, whose transaction has the turn to write: call ``claim`` inside one there.
"""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from project.core import encryption, statements
from project.core.statements import Row
from proxies import picking
from proxies.models import LeaseSlot
from proxies.models.pool import NEVER
from proxies.picking import Wish
from proxies.policies import Policy

#: Rested proxies among which the best is chosen; wider where rivals have locked the first ones.
WINDOWS: Final = (16, 1024)
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Draft:
    """The lease that is to be written with the claim."""

    token: uuid.UUID
    holder: str
    until: datetime
    now: datetime
    user_id: int | None = None
    request_id: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A slot that is ours, the proxy that it lends, and the record of it.

    Attributes:
        lease_id: the record's primary key.
        has_expired: the slot's last lease had run out, and was ended now.
    """

    lease_id: int
    slot_id: int
    exclusive_key: str
    n: int
    proxy_id: int
    scheme: str
    host: str
    port: int
    username: str
    password: str
    country: str
    exit_ip: str
    has_expired: bool


def values_of(wish: Wish, policy: Policy, draft: Draft, *, window: int) -> dict[str, Any]:
    """Return the parameters of all statements of a claim."""
    return {
        "never": statements.moment(NEVER),
        "now": statements.moment(draft.now),
        "until": statements.moment(draft.until),
        "window_from": statements.moment(draft.now - timedelta(seconds=policy.window_s)),
        "token": statements.token(draft.token),
        "most": policy.max_leases,
        "uses": policy.uses_per_window,
        "pool": policy.pool,
        "window": window,
        "suffix": _suffix(wish, policy),
        "target": wish.target,
        "protocol": wish.protocol,
        "country": wish.country,
        "min_score": wish.min_score,
        "proxy_id": wish.proxy_id,
        "holder": draft.holder,
        "user_id": draft.user_id,
        "request_id": draft.request_id,
        "session": draft.session,
    }


def _suffix(wish: Wish, policy: Policy) -> str:
    """Return what makes slots of one target apart from those of others, where the pool does."""
    return f"|{wish.target}" if policy.is_per_target and wish.target else ""


def wait_for_request(holder: str, request_id: str) -> None:
    """Let requests with one id go on one after the other, until the transaction's end.

    Otherwise each rival would hold a proxy until it learns that another got the lease, and the
    last ones would find none. SQLite's writers wait for one another anyway.
    """
    if connection.vendor != "postgresql":
        return
    digest = hashlib.sha256(f"proxies.lease\n{holder}\n{request_id}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def claim(wish: Wish, policy: Policy, draft: Draft) -> Claimed | None:
    """Take a free slot of a pool, and write the lease; None when no proxy that will do is free.

    Call it inside a transaction on SQLite, and where the policy counts uses.

    Raises:
        IntegrityError: the record of another lease stands on the slot, though the slot is free:
            ``mending`` decides what then.
    """
    if _suffix(wish, policy):
        _make_missing_slots(wish, policy, among=WINDOWS[0])
    for _ in range(_TRIES):
        found = _try(wish, policy, draft)
        if found is not None:
            return found
        if not _make_missing_slots(wish, policy, among=WINDOWS[1]):
            return None
    return None


def _try(wish: Wish, policy: Policy, draft: Draft) -> Claimed | None:
    if not statements.is_postgres():
        values = values_of(wish, policy, draft, window=WINDOWS[0])
        row = _take_in_steps(picking.statement(wish, policy), values)
        return _claimed(row) if row is not None else None
    for window in WINDOWS:
        values = values_of(wish, policy, draft, window=window)
        row = _take_in_one(picking.statement(wish, policy), values)
        if row is not None and row[0] is not None:  # else the proxy changed since the pick
            return _claimed(row)
    return None


def _take_in_one(pick: str, values: dict[str, Any]) -> Row | None:
    text = picking.all_in_one(pick, has_target=bool(values["target"]))
    return statements.one(text, values)


def _take_in_steps(pick: str, values: dict[str, Any]) -> Row | None:
    """Do what the one statement does, in the turn to write."""
    row = statements.one(pick, values)
    if row is None:
        return None
    known = {**values, "slot_id": row[0], "key": row[1], "n": row[2], "proxy_id": row[3]}
    known |= {"score": row[11], "rested_since": row[12], "away_since": row[13]}
    statements.change(
        "UPDATE proxies_proxy SET last_lent_at = %(now)s WHERE id = %(proxy_id)s", known
    )
    statements.change(picking.CLAIM, known)
    ended = 0
    if row[-1] is not None:
        ended = statements.change(picking.END_OLD, {**known, "old_token": row[-1]})
    lease = statements.one(picking.RECORD, known)
    if values["target"]:
        statements.change(picking.SEE, known)
    assert lease is not None  # noqa: S101 -- an INSERT returns its row
    return (lease[0], ended, *row)


def _claimed(row: Row) -> Claimed:
    lease_id, ended, slot_id, key, n, proxy_id, scheme, host, port, username, password, *rest = row
    return Claimed(
        lease_id=lease_id,
        slot_id=slot_id,
        exclusive_key=key,
        n=n,
        proxy_id=proxy_id,
        scheme=scheme,
        host=host,
        port=port,
        username=username,
        password=encryption.decrypt(password),
        country=rest[0],
        exit_ip=rest[1],
        has_expired=bool(ended),
    )


def is_overused(claimed: Claimed, wish: Wish, policy: Policy, draft: Draft) -> bool:
    """Say whether rivals used the proxy up meanwhile, through other slots of it.

    The claim has locked the proxy's row, so that this statement sees all that rivals wrote.
    """
    if not policy.uses_per_window or not statements.is_postgres():
        return False
    values = {
        "window_from": statements.moment(draft.now - timedelta(seconds=policy.window_s)),
        "proxy_id": claimed.proxy_id,
        "target": wish.target,
    }
    same_target = policy.is_per_target and bool(wish.target)
    row = statements.one(f"SELECT {picking.uses('%(proxy_id)s', same_target=same_target)}", values)
    return row is not None and row[0] > policy.uses_per_window


def make_slots(keys: Iterable[str], *, most: int) -> int:
    """Create the slots 0 to ``most`` - 1 of each key where they aren't there; return how many."""
    wanted = {(key, n) for key in keys for n in range(most)}
    known = LeaseSlot.objects.filter(exclusive_key__in={key for key, _ in wanted})
    missing = wanted - set(known.values_list("exclusive_key", "n"))
    rows = [LeaseSlot(exclusive_key=key, n=n) for key, n in sorted(missing)]
    LeaseSlot.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _make_missing_slots(wish: Wish, policy: Policy, *, among: int) -> int:
    """Create slots that the longest rested proxies lack, and return how many.

    They lack them for a target, or since the policy lends more often than it did.
    """
    values = {
        "suffix": _suffix(wish, policy),
        "pool": policy.pool,
        "among": among,
        "most": policy.max_leases,
        "proxy_id": wish.proxy_id,
    }
    only = " AND p.id = %(proxy_id)s" if wish.proxy_id is not None else ""
    keys = [row[0] for row in statements.every(picking.LACKING.format(one=only), values)]
    return make_slots(keys, most=policy.max_leases) if keys else 0


def free_after(*, now: datetime, at_most: timedelta) -> timedelta:
    """Return how long it takes until the next slot comes back by itself; ``at_most`` for never."""
    held = LeaseSlot.objects.held(at=now).order_by("held_until")
    until = held.values_list("held_until", flat=True).first()
    return min(at_most, until - now) if until else at_most
