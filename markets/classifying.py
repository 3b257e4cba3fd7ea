"""Which class a failure belongs to, and whether it is worth trying again: one classifier.

It looks through what is wrapped: one cut connection comes as ccxt's NetworkError, as its
ExchangeError or as a bare OSError, and the failure of a proxy looks like the exchange's own.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import aiohttp
import psycopg
import python_socks
import requests
import socks
from django import db

from markets.adapters import failures, wire
from markets.adapters.library import ccxt
from markets.choices import ErrorClass
from project.core.errors import AppError, PermanentError, TransientError
from proxies import leasing


@dataclass(frozen=True, slots=True)
class Class:
    """What kind of failure it is.

    Attributes:
        name: one of ``ErrorClass``.
        is_retryable: the same request may work later, or by another way.
    """

    name: ErrorClass
    is_retryable: bool


_Causes = Sequence[BaseException]
_UNKNOWN: Final = Class(ErrorClass.UNKNOWN, is_retryable=False)
#: Too many requests, and the ban that follows them.
_TOO_MANY: Final = frozenset({418, 429})
_ADDRESS_REFUSED: Final = frozenset({403, 451})
_TIMED_OUT: Final = frozenset({408, 504})


def classify(error: BaseException) -> Class:
    """Return the class of any exception that a request, its way or its storing may raise."""
    if isinstance(error, AppError):
        return _of_ours(error)
    causes = failures.chain(error)
    for look in (_by_type, _by_status, _by_family):
        if found := look(causes):
            return found
    return _UNKNOWN


def _of_ours(error: AppError) -> Class:
    """Return the class of a failure that was translated already."""
    if isinstance(error, wire.BlockedError):
        named = ErrorClass.EXCHANGE if error.status in _ADDRESS_REFUSED else ErrorClass.RATE_LIMIT
        return Class(named, is_retryable=True)
    for kind, name in _OURS:
        if isinstance(error, kind):
            return Class(name, is_retryable=not isinstance(error, PermanentError))
    limited = error.code == wire.RateLimitedError.code
    name = ErrorClass.RATE_LIMIT if limited else ErrorClass.UNKNOWN
    return Class(name, is_retryable=isinstance(error, TransientError))


#: Translated failures; subclasses before what they derive from.
_OURS: Final[tuple[tuple[Any, ErrorClass], ...]] = (
    ((wire.ProxyFailedError, leasing.NoProxyAvailableError), ErrorClass.PROXY),
    (wire.AnswerTimeoutError, ErrorClass.TIMEOUT),
    (wire.NetworkError, ErrorClass.NETWORK),
    (wire.RateLimitedError, ErrorClass.RATE_LIMIT),
    (wire.BadAnswerError, ErrorClass.BAD_RESPONSE),
    (wire.NotAuthorisedError, ErrorClass.AUTH),
    ((wire.ExchangeError, wire.RefusedError), ErrorClass.EXCHANGE),
)


@cache
def _types() -> tuple[tuple[Any, ErrorClass, bool], ...]:
    """Return the types that say it all, wherever among the causes; the first that fits counts."""
    library = ccxt()
    return (
        ((db.OperationalError, db.InterfaceError), ErrorClass.DATABASE, True),
        ((sqlite3.OperationalError, psycopg.OperationalError), ErrorClass.DATABASE, True),
        ((db.Error, sqlite3.Error, psycopg.Error), ErrorClass.DATABASE, False),
        (library.InvalidProxySettings, ErrorClass.PROXY, False),
        (
            (
                *(requests.exceptions.ProxyError, socks.ProxyError),
                *(aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError),
                *(python_socks.ProxyError, python_socks.ProxyConnectionError),
            ),
            ErrorClass.PROXY,
            True,
        ),
        (python_socks.ProxyTimeoutError, ErrorClass.PROXY, True),
        (library.AuthenticationError, ErrorClass.AUTH, False),
        ((library.RateLimitExceeded, library.DDoSProtection), ErrorClass.RATE_LIMIT, True),
        (
            (
                *(
                    library.BadRequest,
                    library.ArgumentsRequired,
                    library.NotSupported,
                    library.OperationRejected,
                ),
                *(library.InsufficientFunds, library.InvalidOrder, library.InvalidAddress),
                library.ExchangeClosedByUser,
            ),
            ErrorClass.EXCHANGE,
            False,
        ),
    )


@cache
def _families() -> tuple[tuple[Any, ErrorClass, bool], ...]:
    """Return the types that leave room for what the HTTP status says."""
    library = ccxt()
    return (
        (
            (library.RequestTimeout, requests.exceptions.Timeout, TimeoutError),
            ErrorClass.TIMEOUT,
            True,
        ),
        ((library.BadResponse, library.NullResponse), ErrorClass.BAD_RESPONSE, True),
        (
            (
                *(requests.exceptions.JSONDecodeError, requests.exceptions.ContentDecodingError),
                *(requests.exceptions.TooManyRedirects, aiohttp.ContentTypeError),
                *(json.JSONDecodeError, UnicodeDecodeError, aiohttp.TooManyRedirects),
            ),
            ErrorClass.BAD_RESPONSE,
            True,
        ),
        ((library.OnMaintenance, library.ExchangeNotAvailable), ErrorClass.EXCHANGE, True),
        ((requests.exceptions.InvalidURL, aiohttp.InvalidURL), ErrorClass.UNKNOWN, False),
        (requests.exceptions.MissingSchema, ErrorClass.UNKNOWN, False),
        (
            (
                library.NetworkError,
                OSError,
                aiohttp.ClientConnectionError,
                aiohttp.ClientPayloadError,
            ),
            ErrorClass.NETWORK,
            True,
        ),
        ((library.ExchangeError, library.OperationFailed), ErrorClass.EXCHANGE, True),
        (library.BaseError, ErrorClass.EXCHANGE, False),
    )


def _by_type(causes: _Causes) -> Class | None:
    return _first(_types(), causes, lambda one: True)


def _by_family(causes: _Causes) -> Class | None:
    if any("Read timed out" in str(one) for one in causes):
        return Class(ErrorClass.TIMEOUT, is_retryable=True)
    # requests' HTTPError derives from OSError, though the connection was fine
    return _first(_families(), causes, lambda one: not isinstance(one, requests.HTTPError))


def _first(
    table: Sequence[tuple[Any, ErrorClass, bool]],
    causes: _Causes,
    counts: Callable[[BaseException], bool],
) -> Class | None:
    for kinds, name, is_retryable in table:
        if any(isinstance(one, kinds) and counts(one) for one in causes):
            return Class(name, is_retryable)
    return None


def _by_status(causes: _Causes) -> Class | None:
    status = next((found for one in causes if (found := _status_of(one))), None)
    if status is None or status < 400:  # noqa: PLR2004 -- no failure by itself
        return None
    if status in _TOO_MANY:
        return Class(ErrorClass.RATE_LIMIT, is_retryable=True)
    if status == 401:  # noqa: PLR2004
        return Class(ErrorClass.AUTH, is_retryable=False)
    if status == 407:  # noqa: PLR2004
        return Class(ErrorClass.PROXY, is_retryable=True)
    if status in _TIMED_OUT:
        return Class(ErrorClass.TIMEOUT, is_retryable=True)
    is_theirs = status >= 500 or status in _ADDRESS_REFUSED  # noqa: PLR2004
    return Class(ErrorClass.EXCHANGE, is_retryable=is_theirs)


def _status_of(error: BaseException) -> int | None:
    if isinstance(error, aiohttp.ClientResponseError):
        return error.status
    if isinstance(error, requests.HTTPError | ccxt().BaseError):
        return failures.status_of(error)
    return None
