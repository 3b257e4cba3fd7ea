"""What the exchange's own control endpoints take: clock, outages, corrections, limits."""

from dataclasses import fields
from typing import Any

from aiohttp import web

from project.sandbox.clock import MarketClock
from project.sandbox.control import body_of, read
from project.sandbox.exchange.limiting import Limiter, RateLimit
from project.sandbox.exchange.markets import Correction, Exchange, Outage


def exchange_routes(exchange: Exchange, limiter: Limiter) -> list[web.RouteDef]:
    """Return the endpoints."""
    return [*_clock_routes(exchange.clock), *_candle_routes(exchange), *_limit_routes(limiter)]


def _clock_routes(clock: MarketClock) -> list[web.RouteDef]:
    async def show(_request: web.Request) -> web.Response:
        return web.json_response({"mode": clock.mode, "rate": clock.rate, "now_ms": clock.now_ms()})

    async def move(request: web.Request) -> web.Response:
        body = await body_of(request)
        read(lambda: _move(clock, body))
        return await show(request)

    return [web.get("/_control/clock", show), web.post("/_control/clock", move)]


def _move(clock: MarketClock, body: dict[str, Any]) -> None:
    unknown = set(body) - {"mode", "now_ms", "rate", "advance_ms"}
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    if body.get("mode", "real") != "real":
        raise ValueError("mode can only be set to real; set now_ms or rate instead")
    if "mode" in body:
        clock.follow_wall()
    if "now_ms" in body:
        clock.freeze(int(body["now_ms"]))
    if "rate" in body:
        clock.run(rate=float(body["rate"]))
    if "advance_ms" in body:
        clock.advance(int(body["advance_ms"]))


def _candle_routes(exchange: Exchange) -> list[web.RouteDef]:
    async def add_outage(request: web.Request) -> web.Response:
        body = await body_of(request)
        outage = read(lambda: _outage(body))
        return web.json_response({"id": exchange.add_outage(outage)}, status=201)

    async def list_outages(_request: web.Request) -> web.Response:
        return web.json_response({"outages": exchange.outages_as_json()})

    async def end_outages(request: web.Request) -> web.Response:
        number = request.query.get("id")
        exchange.end_outages(read(lambda: int(number)) if number is not None else None)
        return web.Response(status=204)

    async def correct(request: web.Request) -> web.Response:
        body = await body_of(request)
        read(lambda: exchange.correct(_correction(body)))
        return web.Response(status=201)

    async def list_corrections(_request: web.Request) -> web.Response:
        return web.json_response({"corrections": exchange.corrections_as_json()})

    async def forget_corrections(_request: web.Request) -> web.Response:
        exchange.forget_corrections()
        return web.Response(status=204)

    async def markets(_request: web.Request) -> web.Response:
        return web.json_response({"markets": exchange.markets_as_json()})

    return [
        web.post("/_control/outage", add_outage),
        web.get("/_control/outage", list_outages),
        web.delete("/_control/outage", end_outages),
        web.post("/_control/corrections", correct),
        web.get("/_control/corrections", list_corrections),
        web.delete("/_control/corrections", forget_corrections),
        web.get("/_control/markets", markets),
    ]


def _outage(body: dict[str, Any]) -> Outage:
    known = {**body, "start_ms": int(body["start_ms"]), "end_ms": int(body["end_ms"])}
    return Outage(**known)


def _correction(body: dict[str, Any]) -> Correction:
    values = {"open", "high", "low", "close", "volume"}
    known: dict[str, Any] = {
        name: str(value) if name in values and value is not None else value
        for name, value in body.items()
    }
    return Correction(**{**known, "open_ms": int(body["open_ms"])})


def _limit_routes(limiter: Limiter) -> list[web.RouteDef]:
    async def set_limit(request: web.Request) -> web.Response:
        body = await body_of(request)
        venue, limit = read(lambda: _limit(body))
        limiter.set(venue, limit)
        return web.Response(status=204)

    async def counts(_request: web.Request) -> web.Response:
        return web.json_response({"counts": limiter.as_json()})

    async def forget_counts(_request: web.Request) -> web.Response:
        limiter.reset()
        return web.Response(status=204)

    return [
        web.post("/_control/limits", set_limit),
        web.get("/_control/counts", counts),
        web.delete("/_control/counts", forget_counts),
    ]


def _limit(body: dict[str, Any]) -> tuple[str, RateLimit | None]:
    known = {each.name for each in fields(RateLimit)}
    unknown = set(body) - known - {"venue"}
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    if "venue" not in body:
        raise ValueError("a limit needs its venue")
    if "units" not in body:
        return str(body["venue"]), None
    return str(body["venue"]), RateLimit(**{k: v for k, v in body.items() if k in known})
