"""The exchanges as ccxt knows them, pointed where they are to be asked."""

from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from markets.adapters import wire
from markets.adapters.binance import Binance
from markets.adapters.library import ccxt
from markets.adapters.okx import Okx
from markets.adapters.sessions import OneWaySession
from markets.adapters.unified import Unified
from markets.adapters.wire import Access, PageAsk, Turn, Venue
from markets.rates import Rate

#: The whole answer may take so many times the time-out.
WHOLE_ANSWER: Final = 3
#: Exchanges that are asked by their own calls; all others by ccxt's unified ones.
_KINDS: Final[dict[str, type[Unified]]] = {"binance": Binance, "okx": Okx}


def is_known(exchange: str) -> bool:
    """Say whether ccxt knows an exchange of this id."""
    return exchange in ccxt().exchanges


def title_of(exchange: str) -> str:
    """Return the exchange's name for people."""
    return str(getattr(ccxt(), exchange)().name) if is_known(exchange) else exchange


def host_of(exchange: str) -> str:
    """Return the host name of the exchange's own REST interface."""
    found = getattr(ccxt(), exchange)()
    url = found.implode_hostname(str(_first(found.urls.get("api", ""))))
    return urlsplit(url).hostname or exchange


def _first(api: Any) -> Any:
    while isinstance(api, dict):
        api = api.get("public") or api.get("rest") or next(iter(api.values()), "")
    return api


@cache
def timeframes_of(exchange: str) -> frozenset[str]:
    """Return the timeframes that an exchange has, as ccxt spells them; empty: nobody knows."""
    found = getattr(ccxt(), exchange)().timeframes or {}
    return frozenset(found) | (_KINDS.get(exchange, Unified).more_timeframes if found else set())


def page_limit(exchange: str, ask: PageAsk) -> int:
    """Return how many rows the exchange gives at most for such a window."""
    return min(ask.limit, _KINDS.get(exchange, Unified).most_rows(ask))


def is_newest_first(exchange: str) -> bool:
    """Say whether a page that is cut off holds the newest rows of its window."""
    return _KINDS.get(exchange, Unified).newest_first


@cache
def usual_rates(exchange: str) -> tuple[Rate, ...]:
    """Return what one address may ask of an exchange that doesn't tell, as ccxt knows it."""
    if not is_known(exchange):
        return ()
    kind = _KINDS.get(exchange, Unified)
    found = kind.usual_rate(getattr(ccxt(), exchange)())
    return () if found is None else (found,)


def page_weight(exchange: str) -> float:
    """Return what a request for a page of candles weighs at least."""
    return _KINDS.get(exchange, Unified).page_weight


def open_venue(access: Access, turn: Turn | None = None) -> Venue:
    """Return the exchange, ready to be asked; each of its requests calls ``turn`` first.

    Raises:
        UnknownExchangeError: ccxt knows none of this id.
    """
    if not is_known(access.exchange):
        raise wire.UnknownExchangeError(f"ccxt knows no exchange {access.exchange!r}")
    exchange = getattr(ccxt(), access.exchange)(
        {
            "enableRateLimit": False,  # its own throttle knows nothing of other processes
            "timeout": int(access.timeout_s * 1000),
            "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False},
        }
    )
    exchange.session.close()
    exchange.session = OneWaySession(access.proxy_url, at_most_s=WHOLE_ANSWER * access.timeout_s)
    return _KINDS.get(access.exchange, Unified)(exchange, access, turn)
