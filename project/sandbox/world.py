"""What the whole sandbox consists of, and in which order it starts and stops."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from project.sandbox.certificates import TestAuthority
from project.sandbox.clock import MarketClock
from project.sandbox.control import body_of, refused
from project.sandbox.exchange.folder import FolderBook, UnreadableCandlesError, read_folder
from project.sandbox.exchange.generating import LISTED_MS, GeneratedBook
from project.sandbox.exchange.markets import Market
from project.sandbox.exchange.server import ExchangeServer
from project.sandbox.judge import JudgeServer
from project.sandbox.lists.server import ListServer
from project.sandbox.llm.server import ModelServer
from project.sandbox.nominatim.server import NominatimServer
from project.sandbox.proxies.fleet import Fleet
from project.sandbox.proxies.specs import ProxyKind, ProxySpec, mixed
from project.sandbox.proxies.upstream import Network, Target
from project.sandbox.serving import LOOPBACK, HttpServer, Ports
from project.sandbox.videos.server import VideoServer

T = TypeVar("T")

USUAL_SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
OUTSIDE_NAMES = {
    "exchange": ("api.binance.com", "www.okx.com"),
    "lists": ("lists.sandbox.test",),
    "judge": ("judge.sandbox.test",),
    "videos": ("videos.sandbox.test",),
    "llm": ("llm.sandbox.test",),
    "nominatim": ("nominatim.sandbox.test",),
}
"""Names of the outside world that the sandbox's proxies lead to its own servers."""

_FIRST_PROXY_OFFSET = 20


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """What a world is made of.

    Attributes:
        candles: folder of CSV files; its markets alone are traded, unless ``symbols`` names
            generated ones beside them.
        symbols: generated markets; the usual four where None and there is no folder.
        seed: of the generated markets.
        listed_ms: first midnight of the generated markets.
        proxies: specs, or a number of mixed ones.
        list_files: folder of published lists to serve besides.
        port: first port; any free ones where 0.
        clock_ms: freeze the markets' clock there; real time where None.
        clock_at_end: freeze it where the last candle of the folder closed.
    """

    candles: Path | None = None
    symbols: tuple[str, ...] | None = None
    seed: int = 1
    listed_ms: int = LISTED_MS
    proxies: int | Sequence[ProxySpec] = ()
    list_files: Path | None = None
    port: int = 0
    clock_ms: int | None = None
    clock_at_end: bool = False


def markets_of(plan: WorldPlan) -> list[Market]:
    """Return the markets of a plan; a folder's market wins over a generated one."""
    books = read_folder(plan.candles) if plan.candles is not None else {}
    usual = USUAL_SYMBOLS if plan.candles is None else ()
    symbols = usual if plan.symbols is None else plan.symbols
    read = [Market(symbol, book, book.prefix) for symbol, book in books.items()]
    made = [
        Market(symbol, GeneratedBook(symbol, seed=plan.seed, listed_ms=plan.listed_ms), "generated")
        for symbol in symbols
        if symbol not in books
    ]
    return read + made


def clock_of(plan: WorldPlan, markets: Sequence[Market]) -> MarketClock:
    """Return the clock of a plan.

    Raises:
        UnreadableCandlesError: it is to stand at the end of a folder, and there is no folder.
    """
    clock = MarketClock()
    if plan.clock_ms is not None:
        clock.freeze(plan.clock_ms)
    elif plan.clock_at_end:
        ends_ms = [each.book.end_ms for each in markets if isinstance(each.book, FolderBook)]
        if not ends_ms:
            raise UnreadableCandlesError("no candle folder whose end the clock could stand at")
        clock.freeze(max(ends_ms))
    return clock


@dataclass(slots=True)
class _Routes:
    """Where the outside world's names lead; filled when the servers have their ports."""

    targets: dict[Target, Target] = field(default_factory=dict)

    def lead(self, names: Sequence[str], server: HttpServer) -> None:
        """Let names lead to a server, over HTTP and HTTPS."""
        for name in names:
            self.targets[name, 80] = (LOOPBACK, _port(server.url))
            if server.tls_url:
                self.targets[name, 443] = (LOOPBACK, _port(server.tls_url))


class World:
    """Every server of the sandbox, started together.

    Attributes:
        exchange: Binance and OKX.
        judge: tells a proxy checker what arrived.
        proxies: the forward proxies.
        lists: publishes them.
        videos: shows films with subtitles.
        llm: a model's endpoint, as OpenAI's.
        nominatim: finds places by name.
    """

    def __init__(self, plan: WorldPlan | None = None) -> None:
        self.plan = plan or WorldPlan()
        names = [name for names in OUTSIDE_NAMES.values() for name in names]
        self._authority = TestAuthority(["localhost", LOOPBACK, *names])
        self._routes = _Routes()
        markets = markets_of(self.plan)
        self.clock = clock_of(self.plan, markets)
        self.exchange = ExchangeServer(markets, clock=self.clock, banned=self._banned)
        self.judge = JudgeServer()
        self.videos = VideoServer()
        self.llm = ModelServer()
        self.nominatim = NominatimServer()
        asked = self.plan.proxies
        self.proxies = Fleet(
            mixed(asked) if isinstance(asked, int) else asked,
            network=Network(self._routes.targets, self._authority.forged),
            first_port=self.plan.port + _FIRST_PROXY_OFFSET if self.plan.port else 0,
        )
        self.lists = ListServer(self.proxies, folder=self.plan.list_files)
        self.exchange.app.add_routes(
            [
                web.get("/_world", self._show),
                web.get("/_control/proxies", self._show_proxies),
                web.post(r"/_control/proxies/{number:\d+}", self._change_proxy),
            ]
        )
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def ca_bundle(self) -> Path:
        """File with the authority that signed the TLS servers' certificate."""
        return self._authority.ca_bundle

    async def start(self) -> None:
        """Start everything; what has started is stopped again when a later part can't."""
        self._loop = asyncio.get_running_loop()
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything and drop what is open."""
        await self.proxies.stop()
        await asyncio.gather(*(server.stop() for server in self._servers()))
        self._authority.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the world's loop, from another thread, and return its result."""
        if self._loop is None:
            raise RuntimeError("the world has not started")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def addresses(self) -> dict[str, object]:
        """Return where everything is, as JSON."""
        return {
            "exchange": {"http": self.exchange.url, "https": self.exchange.tls_url},
            "judge": {"http": self.judge.judge_url, "https": self.judge.judge_tls_url},
            "lists": {"http": self.lists.url, "urls": self.lists.list_url()},
            "videos": {
                "http": self.videos.url,
                "films": [self.videos.watch_url(name) for name in self.videos.films],
            },
            "llm": {"http": self.llm.url, "base_url": self.llm.base_url},
            "nominatim": {"http": self.nominatim.url},
            "proxies": [
                {
                    "number": number,
                    "url": each.url,
                    "kind": each.spec.kind.value,
                    "exit_address": each.spec.exit_address,
                }
                for number, each in enumerate(self.proxies)
            ],
            "markets": [each.symbol for each in self.exchange.candles.markets.values()],
            "ca_bundle": str(self.ca_bundle),
            "control": f"{self.exchange.url}/_control",
        }

    def _servers(self) -> tuple[HttpServer, ...]:
        """Return the HTTP servers in the order of ``OUTSIDE_NAMES``, which is that of their ports."""
        return (
            self.exchange, self.lists, self.judge, self.videos, self.llm, self.nominatim,
        )  # fmt: skip

    async def _start(self) -> None:
        self._authority.open()
        for number, (name, server) in enumerate(zip(OUTSIDE_NAMES, self._servers(), strict=True)):
            first = self.plan.port + 2 * number if self.plan.port else 0
            await server.start(Ports(first, first + 1 if first else 0), tls=self._authority.server)
            self._routes.lead(OUTSIDE_NAMES[name], server)
        await self.proxies.start()

    def _banned(self, address: str) -> bool:
        """Say whether a proxy that exchanges ban leaves from an address."""
        banned = self.proxies.of_kind(ProxyKind.BANNED)
        return any(each.spec.exit_address == address for each in banned)

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(self.addresses())

    async def _show_proxies(self, _request: web.Request) -> web.Response:
        return web.json_response({"proxies": self.proxies.as_json()})

    async def _change_proxy(self, request: web.Request) -> web.Response:
        """Kill or revive a proxy (``alive``), or change fields of its spec."""
        number = int(request.match_info["number"])
        if number >= len(self.proxies):
            raise web.HTTPNotFound
        proxy, body = self.proxies[number], await body_of(request)
        alive = body.pop("alive", None)
        if "kind" in body:
            body["kind"] = _kind(body["kind"])
        try:
            await proxy.change(**body)
        except (TypeError, ValueError) as wrong:
            raise refused(str(wrong)) from wrong
        if alive is not None:
            await (proxy.revive() if alive else proxy.kill())
        return web.json_response(self.proxies.as_json()[number])


def _kind(name: object) -> ProxyKind:
    try:
        return ProxyKind(str(name))
    except ValueError as wrong:
        raise refused(str(wrong)) from wrong


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
