"""What each failure of ccxt or HTTP means: come again, come later, go another way, or give up."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import requests

from markets.adapters import wire
from markets.adapters.library import ccxt
from project.core import moments
from project.core.errors import AppError

_BANNED_UNTIL: Final = re.compile(r"banned until (\d{13})")
_STATUS: Final = re.compile(r" (\d{3}) ")
#: A text of the other side is cut to so many characters, and has no addresses of proxies.
_SHOWN: Final = 200
_BLOCKING: Final = frozenset({403, 418, 451})


@contextmanager
def translated(exchange: Any) -> Iterator[None]:
    """Turn whatever ccxt raises in the block into an error of ``adapters/wire.py``."""
    try:
        yield
    except AppError:
        raise
    except (ccxt().BaseError, OSError, ValueError, TypeError, KeyError) as error:
        now_ms = time.time_ns() // 1_000_000  # bans are told in real time
        raise of(error, dict(exchange.last_response_headers or {}), now_ms=now_ms) from error


def of(error: Exception, headers: Mapping[str, Any], *, now_ms: int) -> AppError:
    """Return the error that ``error`` means; ``headers`` are those of the last answer."""
    found = _meaning(error, headers, now_ms)
    if isinstance(found, wire.ExchangeError | wire.RefusedError):
        found.status = status_of(error)
    return found


def _meaning(error: Exception, headers: Mapping[str, Any], now_ms: int) -> AppError:
    text = shown(error)
    status = status_of(error)
    if isinstance(error, ccxt().BadSymbol):
        return wire.UnknownSymbolError(text)
    if status in _BLOCKING or _BANNED_UNTIL.search(str(error)):
        wait_s = retry_after_s(str(error), headers, now_ms=now_ms)
        return wire.BlockedError(text, retry_after_s=wait_s)
    if isinstance(error, ccxt().DDoSProtection | ccxt().RateLimitExceeded):
        wait_s = retry_after_s(str(error), headers, now_ms=now_ms)
        return wire.RateLimitedError(text, retry_after_s=wait_s)
    for kinds, family in _causes():
        if any(isinstance(one, kinds) for one in chain(error)):
            return family(text)
    for kinds, family in _families():
        if isinstance(error, kinds):
            return family(text)
    return wire.BadAnswerError(f"unreadable answer: {type(error).__name__}")


def chain(error: BaseException) -> list[BaseException]:
    """Return a failure and what led to it, the outermost first."""
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or at.__context__
    return found


@cache
def _causes() -> tuple[tuple[Any, type[AppError]], ...]:
    """Return what causes mean that ccxt hides behind ExchangeError or NetworkError."""
    return (
        ((requests.exceptions.ProxyError, ccxt().InvalidProxySettings), wire.ProxyFailedError),
        ((requests.exceptions.SSLError,), wire.NetworkError),
        ((requests.exceptions.TooManyRedirects,), wire.BadAnswerError),
        ((requests.exceptions.ContentDecodingError,), wire.BadAnswerError),
        ((requests.exceptions.ChunkedEncodingError,), wire.NetworkError),
    )


@cache
def _families() -> tuple[tuple[Any, type[AppError]], ...]:
    library = ccxt()
    return (
        ((library.RequestTimeout, TimeoutError), wire.AnswerTimeoutError),
        ((library.OnMaintenance, library.ExchangeNotAvailable), wire.ExchangeError),
        ((library.BadResponse, library.NullResponse), wire.BadAnswerError),
        ((library.NetworkError, OSError), wire.NetworkError),
        ((library.AuthenticationError,), wire.NotAuthorisedError),
        ((library.BadRequest, library.NotSupported), wire.RefusedError),
        ((library.ExchangeError,), wire.ExchangeError),
    )


def status_of(error: Exception) -> int | None:
    """Return the HTTP status behind a failure, from its cause or its text."""
    for one in chain(error):
        response = getattr(one, "response", None)
        if response is not None:
            return int(response.status_code)
    found = _STATUS.search(str(error))
    return int(found[1]) if found else None


def retry_after_s(text: str, headers: Mapping[str, Any], *, now_ms: int) -> float | None:
    """Return for how long the exchange asked to be left alone; None where it didn't."""
    if banned := _BANNED_UNTIL.search(text):
        return max(1.0, (int(banned[1]) - now_ms) / 1000)
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return moments.wait_s(str(told), now=moments.from_ms(now_ms))


def shown(error: Exception) -> str:
    """Return what may be shown of a failure: no query, no credentials, not endless."""
    text = re.sub(r"(\w+://)[^@\s/]+@", r"\1…@", str(error))
    text = re.sub(r"\?\S+", "", re.sub(r"\s+", " ", text))
    return f"{type(error).__name__}: {text[:_SHOWN]}"
