"""How every HTTP server of the sandbox listens, logs, fails on request and stops."""

import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from project.sandbox import breaking
from project.sandbox.clock import wall_ms
from project.sandbox.faults import ROW_KINDS, Facts, Fault, FaultBoard
from project.sandbox.requestlog import KEPT_HEADERS, LogEntry, RequestLog

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOPBACK = "127.0.0.1"
STOP_WITHIN_S = 0.1

ENTRY = web.RequestKey("entry", LogEntry)
FAULT = web.RequestKey("fault", Fault)


class Behaviour(Protocol):
    """What a server adds to the common handling of requests."""

    def facts(self, request: web.Request) -> Facts:
        """Say what faults can be aimed at."""

    def refuse(self, fault: Fault, facts: Facts) -> web.Response:
        """Answer with the status of a fault."""

    def admit(self, request: web.Request, facts: Facts) -> web.Response | None:
        """Return a refusal, or None to let the request in."""

    def finish(self, response: web.StreamResponse, facts: Facts) -> None:
        """Add what every answer carries."""

    def market_ms(self) -> int | None:
        """Return the markets' time, where there is one."""


class PlainBehaviour:
    """A server that adds nothing."""

    def facts(self, request: web.Request) -> Facts:
        """Say what faults can be aimed at: path, method and client."""
        return Facts(path=request.path, client=request.remote or "", method=request.method)

    def refuse(self, fault: Fault, facts: Facts) -> web.Response:
        """Answer with the status of a fault."""
        return breaking.refuse_plainly(fault, facts)

    def admit(self, request: web.Request, facts: Facts) -> web.Response | None:
        """Let every request in."""
        return None

    def finish(self, response: web.StreamResponse, facts: Facts) -> None:
        """Add nothing."""

    def market_ms(self) -> int | None:
        """Return None: no markets here."""
        return None


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a server listens; 0 is any free port. TLS only where there is a certificate."""

    plain: int = 0
    tls: int = 0


FREE_PORTS = Ports()


class HttpServer:
    """One aiohttp application on loopback, with faults and a log."""

    def __init__(self, *, behaviour: Behaviour | None = None) -> None:
        self.faults = FaultBoard()
        self.log = RequestLog()
        self.url = ""
        self.tls_url = ""
        self._behaviour: Behaviour = behaviour or PlainBehaviour()
        self.app = web.Application(middlewares=[self._watch])
        self._runner: web.AppRunner | None = None

    async def start(self, ports: Ports = FREE_PORTS, *, tls: ssl.SSLContext | None = None) -> None:
        """Listen on ``ports``, over TLS too where there is a context."""
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=STOP_WITHIN_S)
        self._runner = runner
        await runner.setup()
        self.url = f"http://{LOOPBACK}:{await _listen(runner, ports.plain)}"
        if tls is not None:
            self.tls_url = f"https://{LOOPBACK}:{await _listen(runner, ports.tls, tls)}"

    async def stop(self) -> None:
        """Stop listening and drop what is open."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Log a request, let it in or refuse it, and break it where a fault says so."""
        if request.path.startswith("/_"):
            return await handler(request)
        facts = self._behaviour.facts(request)
        entry = self._noted(request, facts)
        request[ENTRY] = entry
        refusal = self._behaviour.admit(request, facts)
        response = refusal or await self._answered(request, handler, facts)
        entry.status = response.status
        if not response.prepared:
            self._behaviour.finish(response, facts)
        return response

    async def _answered(
        self, request: web.Request, handler: Handler, facts: Facts
    ) -> web.StreamResponse:
        fault = self.faults.pick(facts)
        if fault is None:
            return await handled(request, handler)
        request[ENTRY].fault = fault.kind.value
        if fault.kind in ROW_KINDS:
            request[FAULT] = fault
        refusal = self._behaviour.refuse(fault, facts)
        return await breaking.answer_broken(
            request,
            fault,
            response_for_status=refusal,
            answer=lambda: handled(request, handler),
        )

    def _noted(self, request: web.Request, facts: Facts) -> LogEntry:
        entry = LogEntry(
            number=self.log.next_number(),
            at_ms=wall_ms(),
            market_ms=self._behaviour.market_ms(),
            method=request.method,
            path=request.path,
            query=dict(request.query),
            client=facts.client,
            venue=facts.venue,
            symbol=facts.symbol,
            timeframe=facts.timeframe,
            headers={k: v for k, v in request.headers.items() if k.lower() in KEPT_HEADERS},
            secure=request.secure,
        )
        self.log.add(entry)
        return entry


async def handled(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Return the handler's answer, also where it is an error that aiohttp raises."""
    try:
        return await handler(request)
    except web.HTTPException as raised:
        return web.Response(status=raised.status, text=raised.text, headers=raised.headers)


async def _listen(runner: web.AppRunner, port: int, tls: ssl.SSLContext | None = None) -> int:
    """Listen on a port and return its number."""
    listening = socket.create_server((LOOPBACK, port), backlog=1024)
    bound = int(listening.getsockname()[1])
    await web.SockSite(runner, listening, ssl_context=tls).start()
    return bound
