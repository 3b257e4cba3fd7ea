"""The one classifier, over real exceptions of ccxt, HTTP libraries, proxies and databases."""

import json
import socket
import sqlite3
import ssl
from typing import Any

import aiohttp
import ccxt
import psycopg
import pytest
import python_socks
import requests
import socks
from django import db
from hypothesis import given
from hypothesis import strategies as st

from markets import classifying
from markets.adapters import failures, venues, wire
from markets.adapters.wire import Access
from markets.budgeting import BudgetBlockedError
from markets.choices import ErrorClass
from project import sandbox
from project.core.errors import InvalidInputError
from project.sandbox import Fault, FaultKind, ProxyKind, ProxySpec
from proxies import leasing
from tests.markets import doing

pytestmark = pytest.mark.once


def caused(outer, cause):
    try:
        raise outer from cause
    except type(outer) as error:
        return error


def during(outer, first):
    """Return ``outer`` as if raised while ``first`` was dealt with."""
    try:
        try:
            raise first
        except type(first):
            raise outer  # noqa: B904 -- as libraries do
    except type(outer) as error:
        return error


def answered(status, body=b""):
    response = requests.Response()
    response.status_code = status
    response._content = body
    return requests.HTTPError(f"{status} Error", response=response)


@pytest.mark.parametrize(
    ("error", "expected", "is_retryable"),
    [
        # ccxt's own, as its exchanges raise them
        (ccxt.NetworkError("binance GET"), "network", True),
        (ccxt.InvalidNonce("binance"), "network", True),
        (ccxt.RequestTimeout("binance GET"), "timeout", True),
        (ccxt.DDoSProtection("binance 429 Too Many Requests"), "rate_limit", True),
        (ccxt.DDoSProtection("binance 418 I'm a teapot"), "rate_limit", True),
        (ccxt.RateLimitExceeded('okx {"code":"50011"}'), "rate_limit", True),
        (ccxt.AuthenticationError("binance -2015"), "auth", False),
        (ccxt.PermissionDenied("okx 50030"), "auth", False),
        (ccxt.AccountSuspended("okx"), "auth", False),
        (ccxt.ExchangeNotAvailable("binance GET https://x 502 Bad Gateway"), "exchange", True),
        (ccxt.ExchangeNotAvailable("binance GET https://x 451 Unavailable"), "exchange", True),
        (ccxt.OnMaintenance('okx {"code":"50001"}'), "exchange", True),
        (ccxt.ExchangeError("binance something"), "exchange", True),
        (ccxt.BadSymbol("binance -1121"), "exchange", False),
        (ccxt.BadRequest("binance -1102"), "exchange", False),
        (ccxt.ArgumentsRequired("binance"), "exchange", False),
        (ccxt.NotSupported("binance"), "exchange", False),
        (ccxt.MarketClosed("binance"), "exchange", False),
        (ccxt.InsufficientFunds("binance"), "exchange", False),
        (ccxt.BadResponse("binance"), "bad_response", True),
        (ccxt.NullResponse("binance"), "bad_response", True),
        (ccxt.InvalidProxySettings("two proxies"), "proxy", False),
        # what ccxt hides in the cause
        (
            caused(ccxt.ExchangeError("binance GET"), requests.exceptions.SSLError()),
            "network",
            True,
        ),
        (caused(ccxt.NetworkError("x"), requests.exceptions.ProxyError()), "proxy", True),
        (
            caused(ccxt.ExchangeError("x"), requests.exceptions.TooManyRedirects()),
            "bad_response",
            True,
        ),
        (
            during(ccxt.NetworkError("x"), socks.GeneralProxyError("Socket error")),
            "proxy",
            True,
        ),
        (caused(ccxt.ExchangeError("binance GET"), answered(401)), "auth", False),
        (caused(ccxt.ExchangeError("binance GET"), answered(504)), "timeout", True),
        # plain HTTP
        (requests.exceptions.ConnectionError("Connection aborted."), "network", True),
        (requests.exceptions.ConnectTimeout(), "timeout", True),
        (requests.exceptions.ReadTimeout(), "timeout", True),
        (requests.exceptions.ConnectionError("x: Read timed out."), "timeout", True),
        (requests.exceptions.SSLError("certificate verify failed"), "network", True),
        (requests.exceptions.ProxyError("Tunnel connection failed: 502"), "proxy", True),
        (requests.exceptions.ChunkedEncodingError(), "network", True),
        (requests.exceptions.ContentDecodingError("too long"), "bad_response", True),
        (requests.exceptions.JSONDecodeError("no JSON", "<html>", 0), "bad_response", True),
        (requests.exceptions.MissingSchema("no scheme"), "unknown", False),
        (answered(400), "exchange", False),
        (answered(401), "auth", False),
        (answered(403), "exchange", True),
        (answered(404), "exchange", False),
        (answered(407), "proxy", True),
        (answered(408), "timeout", True),
        (answered(418), "rate_limit", True),
        (answered(429), "rate_limit", True),
        (answered(451), "exchange", True),
        (answered(500), "exchange", True),
        (answered(503), "exchange", True),
        (answered(504), "timeout", True),
        (json.JSONDecodeError("no JSON", "<html>", 0), "bad_response", True),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "bad_response", True),
        (TimeoutError("timed out"), "timeout", True),
        (ConnectionResetError("reset by peer"), "network", True),
        (ConnectionRefusedError("refused"), "network", True),
        (socket.gaierror(-2, "Name or service not known"), "network", True),
        (ssl.SSLError("handshake"), "network", True),
        (aiohttp.ServerDisconnectedError(), "network", True),
        (aiohttp.ServerTimeoutError(), "timeout", True),
        (aiohttp.ClientPayloadError("cut"), "network", True),
        (python_socks.ProxyError("general failure"), "proxy", True),
        (python_socks.ProxyTimeoutError("slow"), "proxy", True),
        (socks.ProxyConnectionError("Error connecting to SOCKS5 proxy"), "proxy", True),
        # the database
        (db.OperationalError("database is locked"), "database", True),
        (db.InterfaceError("connection already closed"), "database", True),
        (db.IntegrityError("UNIQUE constraint failed"), "database", False),
        (db.DataError("out of range"), "database", False),
        (sqlite3.OperationalError("database is locked"), "database", True),
        (psycopg.OperationalError("server closed the connection"), "database", True),
        # translated before
        (wire.NetworkError("x"), "network", True),
        (wire.ProxyFailedError("x"), "proxy", True),
        (wire.AnswerTimeoutError("x"), "timeout", True),
        (wire.RateLimitedError("x"), "rate_limit", True),
        (wire.BlockedError("banned"), "rate_limit", True),
        (wire.BadAnswerError("x"), "bad_response", True),
        (wire.ExchangeError("x"), "exchange", True),
        (wire.RefusedError("x"), "exchange", False),
        (wire.UnknownSymbolError("x"), "exchange", False),
        (wire.UnknownExchangeError("x"), "exchange", False),
        (wire.NotAuthorisedError("x"), "auth", False),
        (BudgetBlockedError("spent"), "rate_limit", True),
        (leasing.NoProxyAvailableError("none"), "proxy", True),
        # nobody knows
        (InvalidInputError("x"), "unknown", False),
        (ZeroDivisionError(), "unknown", False),
        (KeyError("symbol"), "unknown", False),
    ],
    ids=lambda value: (
        f"{type(value).__name__}:{value}"[:60] if isinstance(value, Exception) else None
    ),
)
def test_class(error, expected, is_retryable):
    found = classifying.classify(error)

    assert (found.name, found.is_retryable) == (ErrorClass(expected), is_retryable)


@pytest.mark.parametrize(
    ("status", "expected"), [(403, "exchange"), (451, "exchange"), (418, "rate_limit")]
)
def test_a_block_is_told_by_its_status(status, expected):
    error = failures.of(
        ccxt.ExchangeNotAvailable(f"binance GET https://x {status} No"), {}, now_ms=0
    )

    assert getattr(error, "status", None) == status
    assert classifying.classify(error).name == expected


@given(
    st.sampled_from(
        [
            kind
            for kind in vars(ccxt).values()
            if isinstance(kind, type) and issubclass(kind, ccxt.BaseError)
        ]
    ),
    st.text(max_size=40),
)
def test_every_exception_of_ccxt_has_a_class(kind, text):
    assert classifying.classify(kind(text)).name != ErrorClass.UNKNOWN


def test_a_circle_of_causes_ends():
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one

    assert classifying.classify(one).name == ErrorClass.UNKNOWN


REAL = [
    (Fault(FaultKind.STATUS, status=429, retry_after_s=3), "rate_limit"),
    (Fault(FaultKind.STATUS, status=418, retry_after_s=3), "rate_limit"),
    (Fault(FaultKind.STATUS, status=403), "exchange"),
    (Fault(FaultKind.STATUS, status=451), "exchange"),
    (Fault(FaultKind.STATUS, status=500), "exchange"),
    (Fault(FaultKind.STATUS, status=503), "exchange"),
    (Fault(FaultKind.CHALLENGE), "exchange"),
    (Fault(FaultKind.HANG), "timeout"),
    (Fault(FaultKind.DISCONNECT), "network"),
    (Fault(FaultKind.CUT_BODY), "network"),
]


@pytest.mark.parametrize("venue", ["binance", "okx"])
@pytest.mark.parametrize(
    ("fault", "expected"), REAL, ids=lambda one: str(getattr(one, "kind", one))
)
def test_what_ccxt_really_raises_against_a_server(world, venue, fault, expected):
    world.exchange.faults.add(fault)
    opened: Any = venues.open_venue(Access(venue, world.exchange.url, timeout_s=1.0))

    raw, translated = None, None
    try:
        opened._exchange.fetch_time()
    except Exception as error:  # noqa: BLE001 -- whatever it is, is the matter here
        raw = error
    try:
        opened.time_ms()
    except wire.ExchangeError as error:
        translated = error

    assert raw is not None
    assert translated is not None
    assert classifying.classify(raw).name == expected
    assert classifying.classify(translated).name == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ProxyKind.REFUSED, "proxy"),
        (ProxyKind.BAD_GATEWAY, "proxy"),
        (ProxyKind.BLACK_HOLE, "timeout"),
        (ProxyKind.TLS_INTERCEPTING, "network"),
    ],
)
def test_what_a_failing_proxy_looks_like(kind, expected):
    plan = sandbox.WorldPlan(
        symbols=("BTC/USDT",), clock_ms=doing.CLOCK_MS, proxies=[ProxySpec(kind=kind)]
    )
    with sandbox.running(plan) as world:
        url = world.exchange.tls_url
        access = Access("binance", url, timeout_s=1.0, proxy_url=world.proxies[0].url)
        opened: Any = venues.open_venue(access)
        opened._exchange.verify = world.ca_bundle
        with pytest.raises(wire.ExchangeError) as raised:
            opened.time_ms()

    assert classifying.classify(raised.value).name == expected
    assert raised.value.rotates
