"""Handing a snapshot over: to an ETL endpoint over HTTP, or into a folder."""

import asyncio
import contextlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from project.core import tracing
from project.core.errors import AppError, TransientError
from proxies.adapters import guarding

#: Answers that are about this one delivery: the next one may well be taken.
_ABOUT_THE_CONTENT: Final = frozenset({400, 409, 413, 415, 422})
_FINE: Final = range(200, 300)
_LONGEST_WAIT_S: Final = 60.0
_AGENT: Final = "Millrace"
_READ_BYTES: Final = 65536


class DeliveryError(TransientError):
    """A snapshot could not be handed over; it waits.

    Attributes:
        status: what the other side answered; None where it did not.
        is_refused: it answered about this delivery alone, not about all of them.
    """

    code = "delivery_failed"
    title = "The snapshot could not be handed over"

    def __init__(
        self, detail: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
        self.status = status
        self.is_refused = status in _ABOUT_THE_CONTENT


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is handed over, under the key by which the other side knows it again."""

    key: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes; ``api_key`` is empty where none is wanted."""

    url: str
    api_key: str = field(default="", repr=False)
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """That it was handed over; ``status`` is None for a folder."""

    destination: str
    took_s: float
    status: int | None = None


def send(parcel: Parcel, *, to: Target) -> Receipt:
    """Post a parcel, once.

    Raises:
        DeliveryError: it did not arrive, or nobody knows whether it did.
    """
    return asyncio.run(_send(parcel, to))


async def _send(parcel: Parcel, to: Target) -> Receipt:
    url = URL(to.url)
    began_s = time.perf_counter()
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": parcel.key,
        "User-Agent": _AGENT,
    }
    if to.api_key:
        headers["Authorization"] = f"Api-Key {to.api_key}"
    try:
        guarding.require_web(url)
        async with asyncio.timeout(to.timeout_s):
            with tracing.span("outside.etl", server__address=url.host or ""):
                status, wait_s = await _post(url, parcel.body, headers)
    except TimeoutError as error:
        raise DeliveryError(f"no answer in {to.timeout_s:g} s") from error
    except guarding.ForbiddenPlaceError as error:
        raise DeliveryError(str(error)) from error
    except (AppError, aiohttp.ClientError, OSError, ValueError) as error:
        raise DeliveryError(_reason(error)) from error
    if status not in _FINE:
        raise DeliveryError(f"answered {status}", status=status, retry_after_s=wait_s)
    return Receipt(shown(to.url), time.perf_counter() - began_s, status)


async def _post(url: URL, body: bytes, headers: dict[str, str]) -> tuple[int, float | None]:
    connector = aiohttp.TCPConnector(resolver=guarding.CheckedResolver(), force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
    ):
        await answer.content.read(_READ_BYTES)
        return answer.status, _wait_s(answer.headers.get("Retry-After", ""))


def _wait_s(text: str) -> float | None:
    """Return how long the other side wants us to wait; the outbox is there for longer waits."""
    if not (text.isascii() and text.isdigit()):
        return None
    return min(_LONGEST_WAIT_S, float(text))


def _reason(error: Exception) -> str:
    """Return why it failed, without the address: there may be a secret in it."""
    cause = getattr(error, "os_error", None) or error.__cause__
    inner = f": {type(cause).__name__}" if cause is not None else ""
    return f"{type(error).__name__}{inner}"


def shown(url: str) -> str:
    """Return an address without what may be a secret in it."""
    found = URL(url)
    return str(found.with_user(None).with_query(None).with_fragment(None))


def spool(parcel: Parcel, *, folder: Path, name: str, keep: int) -> Receipt:
    """Put a parcel into a folder, whole or not at all; of its files the newest ``keep`` stay.

    Raises:
        DeliveryError: it could not be written.
    """
    began_s = time.perf_counter()
    place = folder / name
    draft = folder / f".{name}.draft"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(parcel.body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(place)
        for old in sorted(folder.glob("*.json"))[:-keep]:
            old.unlink(missing_ok=True)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise DeliveryError(f"{type(error).__name__}: {error.strerror}") from error
    return Receipt(str(place), time.perf_counter() - began_s)
