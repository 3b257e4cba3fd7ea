"""Taking a slot: which proxy is lent next, and the locked row that makes it nobody else's.

SQL by hand, since this is the statement that every lease waits for. On PostgreSQL rivals pass
over rows that others have locked; on SQLite writers wait their turn at BEGIN IMMEDIATE.
"""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from project.core import encryption
from proxies.models import LeaseSlot, PoolPolicy, Proxy
from proxies.models.pool import NEVER

#: Rested proxies among which the best is chosen; wider where rivals have locked the first ones.
WINDOWS: Final = (16, 256, 4096)
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """Which proxies will do.

    Attributes:
        target: registered domain; empty for none.
        protocol: ``http``, ``https``, ``socks4``, ``socks5``; empty for any.
        country: ISO code; empty for any.
        min_score: 0 to 100; None for any.
        proxy_id: this one or none, for a session.
    """

    target: str = ""
    protocol: str = ""
    country: str = ""
    min_score: float | None = None
    proxy_id: int | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A slot that is ours, and the proxy that it lends."""

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
    old_token: uuid.UUID | None


_PICK: Final = """
SELECT s.id, s.exclusive_key, s.n, w.proxy_id, w.scheme, w.host, w.port, w.username, w.password,
       w.country, w.exit_ip, s.token
FROM (
  SELECT p.id AS proxy_id, p.scheme, p.host, p.port, p.username, p.password, p.country, p.exit_ip,
         p.score, f.id AS slot_id, COALESCE(t.last_lent_at, {never}) AS lent_there_at
  FROM proxies_proxy p
  JOIN proxies_leaseslot f ON f.exclusive_key = {key} AND f.n < {most}
  LEFT JOIN proxies_targetstate t ON t.proxy_id = p.id AND t.target = {target}
  WHERE p.state = 'healthy' AND p.pool = {pool} AND p.rest_until <= {now}
    AND (f.held_until IS NULL OR f.held_until <= {now})
    AND (t.blocked_until IS NULL OR t.blocked_until <= {now}){conditions}
  ORDER BY p.last_lent_at
  LIMIT {window}
) w
JOIN proxies_leaseslot s ON s.id = w.slot_id
WHERE s.held_until IS NULL OR s.held_until <= {now}
ORDER BY w.lent_there_at, w.score DESC
LIMIT 1"""


class _Sql:
    """A statement and its parameters, in the order in which they stand in it."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def add(self, value: Any) -> str:
        """Return the placeholder of one more parameter."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"


def moment(value: datetime) -> Any:
    """Return a moment as the database at hand stores it."""
    return connection.ops.adapt_datetimefield_value(value)


def _conditions(wish: Wish, sql: _Sql) -> str:
    found = ""
    if wish.protocol == "https":
        found += " AND (p.scheme = 'https' OR (p.scheme = 'http' AND p.tls_ok))"
    elif wish.protocol:
        found += f" AND p.scheme = {sql.add(wish.protocol)}"
    if wish.country:
        found += f" AND p.country = {sql.add(wish.country)}"
    if wish.min_score is not None:
        found += f" AND p.score >= {sql.add(wish.min_score)}"
    if wish.proxy_id is not None:
        found += f" AND p.id = {sql.add(wish.proxy_id)}"
    return found


def _suffix(wish: Wish, policy: PoolPolicy) -> str:
    """Return what makes slots of one target apart from those of others, where the pool does."""
    return f"|{wish.target}" if policy.is_per_target and wish.target else ""


def _statement(
    wish: Wish, policy: PoolPolicy, *, window: int, now: datetime
) -> tuple[str, dict[str, Any]]:
    sql = _Sql()
    suffix = _suffix(wish, policy)
    text = _PICK.format(
        never=sql.add(moment(NEVER)),
        key=f"(p.exclusive_key || {sql.add(suffix)})" if suffix else "p.exclusive_key",
        most=sql.add(policy.max_leases),
        target=sql.add(wish.target),
        pool=sql.add(policy.pool),
        now=sql.add(moment(now)),
        conditions=_conditions(wish, sql),
        window=sql.add(window),
    )
    if connection.features.has_select_for_update_skip_locked:
        text += " FOR UPDATE OF s SKIP LOCKED"
    return text, sql.values


def _pick(wish: Wish, policy: PoolPolicy, *, now: datetime) -> tuple[Any, ...] | None:
    """Lock the slot of the best of the rested proxies; None where none is free."""
    locks = connection.features.has_select_for_update_skip_locked
    for window in WINDOWS if locks else WINDOWS[:1]:
        with connection.cursor() as cursor:
            cursor.execute(*_statement(wish, policy, window=window, now=now))
            row: tuple[Any, ...] | None = cursor.fetchone()
        if row is not None:
            return row
    return None


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


def claim(
    wish: Wish, policy: PoolPolicy, *, token: uuid.UUID, until: datetime, now: datetime
) -> Claimed | None:
    """Take a free slot of a pool; call it inside a transaction.

    Args:
        wish: which proxies will do.
        policy: of the pool to look in.
        token: the new holder's.
        until: when the claim ends.
        now: the moment, UTC.

    Returns:
        None when no proxy of the pool that will do is free.
    """
    if _suffix(wish, policy):
        _make_missing_slots(wish, policy, among=WINDOWS[0])
    for _ in range(_TRIES):
        row = _pick(wish, policy, now=now)
        if row is None:
            if not _make_missing_slots(wish, policy, among=WINDOWS[1]):
                return None
            continue
        found = _claimed(row)
        if _take(row[0], found, token=token, until=until, now=now):
            return found
    return None


def _claimed(row: Sequence[Any]) -> Claimed:
    _, key, n, proxy_id, scheme, host, port, username, password, country, exit_ip, token = row
    return Claimed(
        exclusive_key=key,
        n=n,
        proxy_id=proxy_id,
        scheme=scheme,
        host=host,
        port=port,
        username=username,
        password=encryption.decrypt(password),
        country=country,
        exit_ip=exit_ip,
        old_token=uuid.UUID(str(token)) if token else None,
    )


def _take(
    slot_id: int, found: Claimed, *, token: uuid.UUID, until: datetime, now: datetime
) -> bool:
    """Write the claim; False, with nothing written, when the proxy changed since the pick."""
    key = found.exclusive_key.partition("|")[0]
    proxy = Proxy.objects.filter(pk=found.proxy_id, exclusive_key=key, state="healthy")
    if not proxy.update(last_lent_at=now):
        return False
    slot = LeaseSlot.objects.filter(pk=slot_id).exclude(held_until__gt=now)
    if not slot.update(token=token, held_until=until, proxy_id=found.proxy_id):
        raise RuntimeError(f"slot {slot_id} was locked, and taken all the same")
    return True


def make_slots(keys: Iterable[str], *, most: int) -> int:
    """Create the slots 0 to ``most`` - 1 of each key where they aren't there; return how many."""
    wanted = {(key, n) for key in keys for n in range(most)}
    known = LeaseSlot.objects.filter(exclusive_key__in={key for key, _ in wanted})
    missing = wanted - set(known.values_list("exclusive_key", "n"))
    rows = [LeaseSlot(exclusive_key=key, n=n) for key, n in sorted(missing)]
    LeaseSlot.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _make_missing_slots(wish: Wish, policy: PoolPolicy, *, among: int) -> int:
    """Create slots that the longest rested proxies lack, and return how many.

    They lack them for a target, or since the policy lends more often than it did.
    """
    rested = Proxy.objects.healthy().filter(pool=policy.pool).order_by("last_lent_at")
    if wish.proxy_id is not None:
        rested = rested.filter(pk=wish.proxy_id)
    suffix = _suffix(wish, policy)
    keys = rested.values_list("exclusive_key", flat=True)[:among]
    return make_slots([f"{key}{suffix}" for key in keys], most=policy.max_leases)


def free_after(*, now: datetime, at_most: timedelta) -> timedelta:
    """Return how long it takes until the next slot comes back by itself; ``at_most`` for never."""
    held = LeaseSlot.objects.held(at=now).order_by("held_until")
    until = held.values_list("held_until", flat=True).first()
    return min(at_most, until - now) if until else at_most
