"""The statements by which a slot is picked and taken: by hand, since every lease waits for them."""

# ruff: noqa: S608 -- put together of constants; what callers say goes in as parameters

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from proxies.policies import Policy


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


_PICK: Final = """SELECT s.id AS slot_id, s.exclusive_key, s.n, w.proxy_id, w.scheme, w.host, w.port, w.username,
       w.password, w.country, w.exit_ip, w.score, w.rested_since, w.away_since,
       s.token AS old_token
FROM (
  SELECT p.id AS proxy_id, p.scheme, p.host, p.port, p.username, p.password, p.country, p.exit_ip,
         p.score, p.last_lent_at AS rested_since, f.id AS slot_id,
         COALESCE(t.last_lent_at, %(never)s) AS away_since
  FROM proxies_proxy p
  JOIN proxies_leaseslot f ON f.exclusive_key = {key} AND f.n < %(most)s
  LEFT JOIN proxies_targetstate t ON t.proxy_id = p.id AND t.target = %(target)s
  WHERE p.state = 'healthy' AND p.pool = %(pool)s AND p.rest_until <= %(now)s
    AND (f.held_until IS NULL OR f.held_until <= %(now)s)
    AND (t.blocked_until IS NULL OR t.blocked_until <= %(now)s){conditions}
  ORDER BY p.last_lent_at
  LIMIT %(window)s
) w
JOIN proxies_leaseslot s ON s.id = w.slot_id
WHERE s.held_until IS NULL OR s.held_until <= %(now)s
ORDER BY w.away_since, w.score DESC
LIMIT 1"""

_USES: Final = """(SELECT count(*) FROM proxies_lease u
     WHERE u.proxy_id = {proxy} AND u.acquired_at > %(window_from)s{same_target})"""

_LEASE: Final = """INSERT INTO proxies_lease
  (token, exclusive_key, n, proxy_id, pool, target, holder, requested_by_id, request_id, session,
   acquired_at, expires_at, score, rested_since, away_since, renewals, state, is_late, outcome)"""
_SEEN: Final = """INSERT INTO proxies_targetstate
  (proxy_id, target, last_lent_at, good_weight, total_weight, failures_in_row, last_outcome,
   blocked_for, check_outcome, check_detail)"""
_SEEN_AGAIN: Final = "ON CONFLICT (proxy_id, target) DO UPDATE SET last_lent_at = %(now)s"

_ALL_IN_ONE: Final = (
    """
WITH w AS MATERIALIZED ({pick} FOR UPDATE OF s SKIP LOCKED),
p AS (
  UPDATE proxies_proxy x SET last_lent_at = %(now)s FROM w
  WHERE x.id = w.proxy_id AND x.state = 'healthy'
    AND x.exclusive_key = split_part(w.exclusive_key, '|', 1)
  RETURNING x.id),
s AS (
  UPDATE proxies_leaseslot x
  SET token = %(token)s, held_until = %(until)s, proxy_id = w.proxy_id
  FROM w JOIN p ON p.id = w.proxy_id WHERE x.id = w.slot_id RETURNING x.id),
o AS (
  UPDATE proxies_lease x SET state = 'expired', ended_at = %(now)s
  FROM w JOIN s ON s.id = w.slot_id
  WHERE x.token = w.old_token AND x.state = 'active' RETURNING x.id),
l AS (
  """
    + _LEASE
    + """
  SELECT %(token)s, w.exclusive_key, w.n, w.proxy_id, %(pool)s, %(target)s, %(holder)s,
         CAST(%(user_id)s AS bigint), %(request_id)s, %(session)s, %(now)s, %(until)s, w.score,
         w.rested_since, w.away_since, 0, 'active', false, ''
  FROM w JOIN s ON s.id = w.slot_id
  WHERE (SELECT count(*) FROM o) >= 0  -- after the old record's end: both may be active never
  RETURNING id){seen}
SELECT l.id, (SELECT count(*) FROM o), w.* FROM w LEFT JOIN l ON true"""
)
_SEEN_TOO: Final = f""",
t AS (
  {_SEEN}
  SELECT w.proxy_id, %(target)s, %(now)s, 0, 0, 0, '', '', '', '' FROM w JOIN l ON true
  {_SEEN_AGAIN} RETURNING id)"""


@lru_cache(maxsize=256)
def _pick_statement(wish: tuple[str, bool, bool, bool, bool], policy: tuple[bool, bool]) -> str:
    """Return the text of a pick, by which wishes there are and what the policy needs."""
    protocol, has_country, has_score, has_proxy, has_target = wish
    is_per_target, has_uses = policy
    found = ""
    if protocol == "https":
        found += " AND (p.scheme = 'https' OR (p.scheme = 'http' AND p.tls_ok))"
    elif protocol:
        found += " AND p.scheme = %(protocol)s"
    if has_country:
        found += " AND p.country = %(country)s"
    if has_score:
        found += " AND p.score >= %(min_score)s"
    if has_proxy:
        found += " AND p.id = %(proxy_id)s"
    if has_uses:
        found += f" AND {uses('p.id', same_target=is_per_target and has_target)} < %(uses)s"
    key = "(p.exclusive_key || %(suffix)s)" if is_per_target and has_target else "p.exclusive_key"
    return _PICK.format(key=key, conditions=found)


def uses(proxy: str, *, same_target: bool) -> str:
    """Return what counts the uses of ``proxy``, an expression, in the policy's window."""
    also = " AND u.target = %(target)s" if same_target else ""
    return _USES.format(proxy=proxy, same_target=also)


@lru_cache(maxsize=256)
def all_in_one(pick: str, *, has_target: bool) -> str:
    """Return PostgreSQL's statement that picks, claims and records."""
    return _ALL_IN_ONE.format(pick=pick, seen=_SEEN_TOO if has_target else "")


def statement(wish: Wish, policy: Policy) -> str:
    """Return the pick that ``wish`` makes in a pool."""
    wants = (
        wish.protocol,
        bool(wish.country),
        wish.min_score is not None,
        wish.proxy_id is not None,
        bool(wish.target),
    )
    return _pick_statement(wants, (policy.is_per_target, bool(policy.uses_per_window)))


CLAIM: Final = """
UPDATE proxies_leaseslot SET token = %(token)s, held_until = %(until)s, proxy_id = %(proxy_id)s
WHERE id = %(slot_id)s"""
END_OLD: Final = """
UPDATE proxies_lease SET state = 'expired', ended_at = %(now)s
WHERE token = %(old_token)s AND state = 'active'"""
RECORD: Final = (
    _LEASE
    + """
VALUES (%(token)s, %(key)s, %(n)s, %(proxy_id)s, %(pool)s, %(target)s, %(holder)s, %(user_id)s,
        %(request_id)s, %(session)s, %(now)s, %(until)s, %(score)s, %(rested_since)s,
        %(away_since)s, 0, 'active', 0, '')
RETURNING id"""
)
SEE: Final = f"""{_SEEN}
VALUES (%(proxy_id)s, %(target)s, %(now)s, 0, 0, 0, '', '', '', '')
{_SEEN_AGAIN}"""


LACKING: Final = """SELECT k.key FROM (
  SELECT p.exclusive_key || %(suffix)s AS key FROM proxies_proxy p
  WHERE p.state = 'healthy' AND p.pool = %(pool)s{one}
  ORDER BY p.last_lent_at LIMIT %(among)s
) k
WHERE NOT EXISTS (
  SELECT 1 FROM proxies_leaseslot s WHERE s.exclusive_key = k.key AND s.n = %(most)s - 1)"""
