"""Exporting the pool: page by page, as text, JSON or CSV, with secrets only where asked for."""

import csv
import io
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from project.core.callers import Caller
from project.core.hub import in_thread
from proxies import finding
from proxies.choices import ProxyState
from proxies.finding import Filter
from proxies.models import Proxy
from proxies.models.pool import authority, usable_url

logger = logging.getLogger(__name__)
PAGE: Final = 1000
FIELDS: Final = (
    "id",
    "scheme",
    "host",
    "port",
    "pool",
    "state",
    "score",
    "anonymity",
    "country",
    "exit_ip",
    "latency_ms",
    "last_checked_at",
)
SECRETS: Final = ("username", "password")
#: What spreadsheets would run as a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is exported.

    Attributes:
        wanted: which proxies; retired and blocked ones only where their state is named.
        with_secrets: user names and passwords, too.
        now: the moment to which bans are told, UTC.
    """

    wanted: Filter = field(default_factory=Filter)
    with_secrets: bool = False
    now: datetime = field(default_factory=timezone.now)

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns."""
        return (*FIELDS, *SECRETS) if self.with_secrets else FIELDS


def _page(after: int, chosen: Chosen) -> list[Row]:
    rows = finding.narrow(Proxy.objects.all(), chosen.wanted, now=chosen.now)
    if not chosen.wanted.state:
        rows = rows.exclude(state__in=(ProxyState.RETIRED, ProxyState.BLOCKED))
    return list(rows.filter(pk__gt=after).order_by("pk").values(*chosen.fields)[:PAGE])


async def _pages(chosen: Chosen) -> AsyncIterator[list[Row]]:
    """Yield all rows; each page is read in a thread that gives its connection back at once."""
    after = 0
    while True:
        last = after
        rows = await in_thread(lambda last=last: _page(last, chosen))
        if not rows:
            return
        yield rows
        after = rows[-1]["id"]


async def as_text(chosen: Chosen) -> AsyncIterator[bytes]:
    """Yield one URL a line."""
    async for rows in _pages(chosen):
        yield "".join(f"{_url(row)}\n" for row in rows).encode()


def _url(row: Row) -> str:
    if not row.get("username") and not row.get("password"):
        return f"{row['scheme']}://{authority(row['host'], row['port'])}"
    login = {"username": row["username"], "password": row["password"]}
    return usable_url(row["scheme"], row["host"], row["port"], **login)


async def as_json(chosen: Chosen) -> AsyncIterator[bytes]:
    """Yield one JSON array, an object a line."""
    separator = b"[\n"
    async for rows in _pages(chosen):
        options = orjson.OPT_UTC_Z
        yield separator + b",\n".join(orjson.dumps(row, option=options) for row in rows)
        separator = b",\n"
    yield b"\n]\n" if separator == b",\n" else b"[]\n"


async def as_csv(chosen: Chosen) -> AsyncIterator[bytes]:
    """Yield CSV under a heading."""
    names = chosen.fields
    yield f"{','.join(names)}\r\n".encode()
    async for rows in _pages(chosen):
        text = io.StringIO()
        csv.writer(text).writerows([_cells(row, names) for row in rows])
        yield text.getvalue().encode()


def _cells(row: Row, names: Sequence[str]) -> list[str]:
    values = [row[name] for name in names]
    texts = [
        value.isoformat() if hasattr(value, "isoformat") else "" if value is None else str(value)
        for value in values
    ]
    return [f"'{text}" if text.startswith(_FORMULA) else text for text in texts]


FORMATS: Final[dict[str, tuple[str, Callable[[Chosen], AsyncIterator[bytes]]]]] = {
    "txt": ("text/plain; charset=utf-8", as_text),
    "json": ("application/json", as_json),
    "csv": ("text/csv; charset=utf-8", as_csv),
}


def may_have_secrets(by: Caller, *, wants: bool) -> bool:
    """Say whether an export shows credentials; that staff had them is logged.

    Raises:
        PermissionDenied: somebody wants them who isn't staff.
    """
    if not wants:
        return False
    if not by.is_staff:
        raise PermissionDenied("only staff export credentials")
    logger.info("credentials of proxies exported", extra={"by_user": by.user_id})
    return True
