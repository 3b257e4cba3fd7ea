"""How the exchanges' interfaces, limits, faults and control are put on one server."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from aiohttp import web

from project.sandbox import control
from project.sandbox.clock import MarketClock
from project.sandbox.exchange import binance, okx, refusals
from project.sandbox.exchange.binance import BinanceRest
from project.sandbox.exchange.control import exchange_routes
from project.sandbox.exchange.limiting import Limiter, RateLimit
from project.sandbox.exchange.markets import Exchange, Market
from project.sandbox.exchange.okx import OkxRest
from project.sandbox.faults import Facts, Fault, FaultKind
from project.sandbox.serving import HttpServer

Banned = Callable[[str], bool]
"""Says whether an address is banned at both exchanges."""


def _nobody(_address: str) -> bool:
    return False


class _Venues:
    """What the exchange adds to every request: venue, limit and weight."""

    def __init__(self, exchange: Exchange, limiter: Limiter, banned: Banned) -> None:
        self.binance = BinanceRest(exchange, limiter)
        self.okx = OkxRest(exchange)
        self._exchange = exchange
        self._limiter = limiter
        self._banned = banned

    def facts(self, request: web.Request) -> Facts:
        """Say which exchange, market and timeframe a request is for."""
        rest: BinanceRest | OkxRest = self.binance
        venue = binance.VENUE
        if request.path.startswith(okx.PREFIX):
            rest, venue = self.okx, okx.VENUE
        return Facts(
            path=request.path,
            client=request.remote or "",
            method=request.method,
            venue=venue,
            symbol=rest.symbol_of(request),
            timeframe=rest.timeframe_of(request),
        )

    def refuse(self, fault: Fault, facts: Facts) -> web.Response:
        """Answer with a status in the exchange's words."""
        return refusals.refuse(fault, facts)

    def admit(self, request: web.Request, facts: Facts) -> web.Response | None:
        """Count a request, and refuse it where it is one too many or its address is banned."""
        venue = facts.venue or binance.VENUE
        weight = binance.WEIGHTS.get(facts.path, 1)
        verdict = self._limiter.admit(venue, facts.client, weight=weight)
        if self._banned(facts.client):
            verdict = replace(verdict, status=418, retry_after_s=refusals.BANNED_S)
        if verdict.status is None:
            return None
        fault = Fault(FaultKind.STATUS, status=verdict.status, retry_after_s=verdict.retry_after_s)
        return refusals.refuse(fault, facts)

    def finish(self, response: web.StreamResponse, facts: Facts) -> None:
        """Tell the used weight, as Binance does."""
        if facts.venue == binance.VENUE:
            used = str(self._limiter.count(binance.VENUE, facts.client).window_weight)
            response.headers["X-MBX-USED-WEIGHT"] = used
            limit = self._limiter.limit_of(binance.VENUE)
            if limit is not None and limit.interval is not None:
                count, interval = limit.interval
                response.headers[f"X-MBX-USED-WEIGHT-{count}{interval[0]}"] = used

    def market_ms(self) -> int:
        """Return the markets' time."""
        return self._exchange.clock.now_ms()


class ExchangeServer(HttpServer):
    """Binance and OKX on one port: they share markets, clock and candles, not limits."""

    def __init__(
        self,
        markets: Iterable[Market],
        *,
        clock: MarketClock | None = None,
        banned: Banned = _nobody,
    ) -> None:
        self.clock = clock or MarketClock()
        self.candles = Exchange(markets, clock=self.clock)
        self.limiter = Limiter({binance.VENUE: binance.USUAL})
        venues = _Venues(self.candles, self.limiter, banned)
        super().__init__(behaviour=venues)
        self.app.add_routes([*venues.binance.routes(), *venues.okx.routes()])
        self.app.add_routes(control.routes(self.faults, self.log))
        self.app.add_routes(exchange_routes(self.candles, self.limiter))

    def limit(self, venue: str, limit: RateLimit | None) -> None:
        """Set what one address may ask of one exchange; None: the usual holds again."""
        self.limiter.set(venue, limit)

    def ban(self, client: str, *, venue: str | None = None, status: int = 418) -> int:
        """Refuse an address until the returned fault is removed."""
        return self.faults.add(
            Fault(FaultKind.STATUS, client=client, venue=venue, status=status, retry_after_s=120)
        )
