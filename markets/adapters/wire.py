"""What every exchange adapter takes, gives and raises."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from markets.rates import Rate
from markets.rows import Row
from project.core.errors import PermanentError, TransientError


@dataclass(frozen=True, slots=True)
class Access:
    """How an exchange is reached.

    Attributes:
        exchange: ccxt's id.
        rest_url: base of its REST interface; empty: the usual one.
        timeout_s: for connecting, and between two pieces of an answer; thrice that for the whole.
        proxy_url: the only way out; empty: directly. A secret where it has a password.
    """

    exchange: str
    rest_url: str = ""
    timeout_s: float = 10.0
    proxy_url: str = ""

    def __repr__(self) -> str:
        way = "a proxy" if self.proxy_url else "direct"
        return f"Access({self.exchange}, {way})"


#: Called before each request that leaves, with what the request weighs; returns when it may.
Turn = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Used:
    """What the exchange counted of this address in its window of ``per_s`` seconds so far."""

    units: int
    per_s: float


@dataclass(frozen=True, slots=True)
class PageAsk:
    """One bounded window of candles: ``[start_ms, end_ms)``.

    Attributes:
        exchange_symbol: the exchange's own spelling; ``symbol`` is ccxt's.
        timeframe: as ccxt spells it.
        step_ms: length of a candle.
        limit: rows at most.
        now_ms: the exchange's time.
    """

    symbol: str
    exchange_symbol: str
    timeframe: str
    step_ms: int
    start_ms: int
    end_ms: int
    limit: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade, or several of one order at one price; ``size`` in the base currency."""

    at_ms: int
    price: float
    size: float


@dataclass(frozen=True, slots=True)
class MarketInfo:
    """One market as the exchange lists it."""

    symbol: str
    base: str
    quote: str
    exchange_symbol: str
    is_listed: bool = True
    listed_ms: int | None = None


class Venue(Protocol):
    """One exchange, ready to be asked; not to be shared between threads."""

    def time_ms(self) -> int | None:
        """Return the exchange's time; None where it has no such call."""

    def markets(self) -> Sequence[MarketInfo]:
        """Return all spot markets."""

    def page(self, ask: PageAsk) -> list[Row]:
        """Return the rows of one window as they came, in one request.

        ``final`` is False only where the exchange says that the candle is still open.
        """

    def rates(self) -> tuple[Rate, ...]:
        """Return what one address may ask, as told with the list of markets; empty: it didn't say."""

    def used(self) -> list[Used]:
        """Return the weight used as its last answer told it; empty where it doesn't."""

    def trades(self, ask: PageAsk, /) -> list[Trade] | None:
        """Return all trades of one candle's time, oldest first; None where it can't be asked."""

    def close(self) -> None:
        """Close its connections."""


class ExchangeError(TransientError):
    """The exchange, or the way to it, failed; ``outcome`` is what a proxy is told of it."""

    code = "exchange_unavailable"
    title = "The exchange can't be reached or has an error"
    outcome = "error"
    #: Whether another way out may help.
    rotates = False
    #: The HTTP status of the answer, where there was one.
    status: int | None = None


class NetworkError(ExchangeError):
    """The connection failed or was cut."""

    code = "network"
    title = "The connection failed"
    outcome = "refused"
    rotates = True


class ProxyFailedError(NetworkError):
    """The proxy could not be reached, refused us, or broke the connection itself."""

    code = "proxy_failed"
    title = "The proxy failed"


class AnswerTimeoutError(ExchangeError):
    """No whole answer in time."""

    code = "timeout"
    title = "No answer in time"
    outcome = "timeout"
    rotates = True


class RateLimitedError(ExchangeError):
    """Too many requests (429); ``retry_after_s`` is what the exchange asked for."""

    code = "rate_limited"
    title = "Too many requests for the exchange"
    outcome = "rate_limited"
    rotates = True


class BlockedError(ExchangeError):
    """This address is banned or refused (418, 403, 451, a challenge page)."""

    code = "blocked"
    title = "The exchange refuses this address"
    outcome = "blocked"
    rotates = True


class BadAnswerError(ExchangeError):
    """An answer that is no data: HTML, nothing, rows of nothing; it proves nothing."""

    code = "bad_response"
    title = "The exchange answered something else than data"
    outcome = "mismatch"


class RefusedError(PermanentError):
    """The exchange refuses the request for good."""

    code = "exchange_refused"
    title = "The exchange refuses the request"
    status: int | None = None


class NotAuthorisedError(RefusedError):
    """The exchange wants other credentials, or refuses ours."""

    code = "not_authorised"
    title = "The exchange refuses our credentials"


class UnknownSymbolError(RefusedError):
    """The exchange doesn't trade this."""

    code = "unknown_symbol"
    title = "The exchange doesn't know this market"


class UnknownExchangeError(RefusedError):
    """ccxt knows no such exchange."""

    code = "unknown_exchange"
    title = "There is no such exchange"
