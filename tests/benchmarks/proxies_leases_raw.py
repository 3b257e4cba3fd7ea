"""Acquire + release by the verbs, and the same statements by the bare driver, taking turns.

Run by ``proxies_leases`` as a process of its own in the installation that it made. One pair is
done under an ear that writes down each statement with its parameters and its transaction; the raw
side runs just those, on the same connection's driver, with what a new pair has of its own: token,
moments, the proxy that the pick found, the lease's id.
"""

import json
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402 -- apps first
from django.utils import timezone  # noqa: E402

from project.core import statements  # noqa: E402
from project.core.callers import SYSTEM  # noqa: E402
from proxies import lending, picking, policies, returning  # noqa: E402
from proxies.models import Lease  # noqa: E402

ROUNDS = 5


@dataclass(frozen=True)
class Heard:
    """One statement of a pair."""

    phase: str
    text: str
    values: dict[str, Any]
    is_in_transaction: bool


def pair(target: str, *, note: Callable[[str], None] = lambda _: None) -> None:
    """Acquire and release one proxy by the verbs."""
    note("acquire")
    ask = lending.Ask(target=target, holder="bench")
    lease = lending.acquire(ask, by=SYSTEM, now=timezone.now())
    note("release")
    report = returning.Report("ok", latency_ms=120.5)
    returning.release(lease.id, report, token=lease.token, by=SYSTEM, now=timezone.now())


def hear(target: str) -> list[Heard]:
    """Return the statements of a pair, in their order."""
    heard: list[Heard] = []
    phase, usual = [""], statements._run
    floor: Any = statements

    def ear(text: str, values: Any) -> Any:
        heard.append(Heard(phase[0], text, dict(values), connection.in_atomic_block))
        return usual(text, values)

    others: list[str] = []

    def aside(run: Any, sql: str, *rest: Any) -> Any:
        if not sql.startswith("BEGIN"):  # the raw side begins, too
            others.append(sql)
        return run(sql, *rest)

    floor._run = ear
    try:
        with connection.execute_wrapper(aside):
            pair(target, note=lambda name: phase.__setitem__(0, name))
    finally:
        floor._run = usual
    unheard = [sql for sql in others if not any(sql == each.text for each in heard)]
    if unheard:
        raise RuntimeError(f"the verbs ran statements that the raw side would lack: {unheard}")
    return heard


def raw_pair(heard: list[Heard], driver: Any) -> None:
    """Run a pair's statements with fresh values, by the driver."""
    now = statements.moment(timezone.now())
    fresh: dict[str, Any] = {"token": statements.token(uuid.uuid4()), "now": now, "at": now}
    fresh["until"] = statements.moment(timezone.now() + timedelta(seconds=30))
    for phase in ("acquire", "release"):
        steps = [each for each in heard if each.phase == phase]
        is_whole = any(each.is_in_transaction for each in steps)
        if is_whole:
            driver.execute("BEGIN" if statements.is_postgres() else "BEGIN IMMEDIATE")
        for each in steps:
            run_one(each, fresh, driver)
        if is_whole:
            driver.execute("COMMIT")


def run_one(heard: Heard, fresh: dict[str, Any], driver: Any) -> None:
    """Run one statement, and take over what it found."""
    values = {name: fresh.get(name, value) for name, value in heard.values.items()}
    if statements.is_postgres():
        cursor = driver.cursor()
        cursor.execute(heard.text, values, prepare=True)
        row = cursor.fetchone() if cursor.description else None
    else:
        cursor = driver.execute(statements.for_sqlite(heard.text), values)
        row = cursor.fetchone() if cursor.description else None
    cursor.close()
    if row is None:
        return
    if heard.text == picking.RECORD:
        fresh["id"] = row[0]
    elif heard.text.startswith("SELECT s.id AS slot_id"):
        fresh |= {"slot_id": row[0], "key": row[1], "n": row[2], "proxy_id": row[3]}
        fresh |= {"score": row[11], "rested_since": row[12], "away_since": row[13]}
    elif heard.phase == "acquire" and statements.is_postgres():
        fresh |= {"id": row[0], "proxy_id": row[5]}


def rate(do: Callable[[], None], seconds: float) -> float:
    """Return how many pairs a second, by the clock."""
    done, began_s = 0, time.perf_counter()
    while (took_s := time.perf_counter() - began_s) < seconds:
        do()
        done += 1
    return done / took_s


def main() -> None:
    """Print one line of JSON: pairs a second of both, and the ratio of each round's two."""
    target, seconds = sys.argv[1], float(sys.argv[2])
    policies.every()
    for _ in range(20):
        pair(target)
    heard = hear(target)
    connection.ensure_connection()
    driver: Any = connection.connection
    raw_pair(heard, driver)
    service, raw = [], []
    for _ in range(ROUNDS):
        service.append(rate(lambda: pair(target), seconds / ROUNDS))
        raw.append(rate(lambda: raw_pair(heard, driver), seconds / ROUNDS))
    if Lease.objects.filter(state="active").exists():
        raise RuntimeError("a lease was not given back: the raw side did not do the same")
    ratios = [ours / theirs for ours, theirs in zip(service, raw, strict=True)]
    print(
        json.dumps(
            {
                "what": "service and raw",
                "database": connection.vendor,
                "statements": len(heard),
                "service_pairs_per_s": round(statistics.median(service)),
                "raw_pairs_per_s": round(statistics.median(raw)),
                "ratio": round(statistics.median(ratios), 2),
            }
        )
    )


if __name__ == "__main__":
    main()
