"""What failures mean, from ccxt's own exceptions."""

import ccxt
import pytest

from markets.adapters import failures, wire

NOW_MS = 1_767_571_200_000


@pytest.mark.parametrize(
    ("error", "headers", "family", "wait_s"),
    [
        (
            ccxt.DDoSProtection("binance 429 Too Many Requests"),
            {"Retry-After": "7"},
            wire.RateLimitedError,
            7.0,
        ),
        (ccxt.RateLimitExceeded('okx {"code":"50011"}'), {}, wire.RateLimitedError, None),
        (
            ccxt.DDoSProtection(f"binance 418 I'm a teapot banned until {NOW_MS + 90_000}"),
            {},
            wire.BlockedError,
            90.0,
        ),
        (
            ccxt.DDoSProtection("binance 418 I'm a teapot"),
            {"retry-after": "Mon, 05 Jan 2026 00:01:00 GMT"},
            wire.BlockedError,
            60.0,
        ),
        (
            ccxt.DDoSProtection("binance 429 x"),
            {"Retry-After": "soon"},
            wire.RateLimitedError,
            None,
        ),
        (
            ccxt.ExchangeNotAvailable("binance GET https://x 451 Unavailable"),
            {},
            wire.BlockedError,
            None,
        ),
        (
            ccxt.ExchangeNotAvailable("binance GET https://x 502 Bad Gateway"),
            {},
            wire.ExchangeError,
            None,
        ),
        (ccxt.OnMaintenance('okx {"code":"50001"}'), {}, wire.ExchangeError, None),
        (ccxt.RequestTimeout("binance GET"), {}, wire.AnswerTimeoutError, None),
        (ccxt.NetworkError("binance GET"), {}, wire.NetworkError, None),
        (ccxt.BadSymbol("binance"), {}, wire.UnknownSymbolError, None),
        (ccxt.BadRequest("binance"), {}, wire.RefusedError, None),
        (ccxt.AuthenticationError("binance"), {}, wire.NotAuthorisedError, None),
        (ccxt.BadResponse("binance"), {}, wire.BadAnswerError, None),
        (ccxt.ExchangeError("binance"), {}, wire.ExchangeError, None),
        (ConnectionResetError("reset"), {}, wire.NetworkError, None),
        (KeyError("symbol"), {}, wire.BadAnswerError, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_meaning(error, headers, family, wait_s):
    found = failures.of(error, headers, now_ms=NOW_MS)

    assert type(found) is family
    assert getattr(found, "retry_after_s", None) == wait_s


def test_what_is_shown_tells_no_credentials_and_no_query():
    error = ccxt.NetworkError(
        "binance GET https://api.binance.com/api?symbol=X via http://user:secret@10.0.0.1:80 "
        + "x" * 1000
    )

    text = failures.shown(error)

    assert "secret" not in text
    assert "symbol=X" not in text
    assert len(text) < 300
