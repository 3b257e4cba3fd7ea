"""How one proxy listens, dies, comes back and changes its manners."""

import asyncio
import socket
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from project.sandbox.proxies import http_front, socks_front
from project.sandbox.proxies.relaying import Uses
from project.sandbox.proxies.specs import Protocol, ProxyKind, ProxySpec
from project.sandbox.proxies.upstream import Network, Streams
from project.sandbox.serving import LOOPBACK


class ProxyServer:
    """One proxy on its own port; the port stays its own while it is dead."""

    def __init__(self, spec: ProxySpec, *, network: Network | None = None, port: int = 0) -> None:
        self.spec = spec
        self.uses = Uses()
        self.port = port
        self._network = network or Network()
        self._server: asyncio.Server | None = None
        self._held: socket.socket | None = None
        self._serving: set[asyncio.Task[Any]] = set()

    @property
    def endpoint(self) -> str:
        """``scheme://host:port``."""
        return f"{self.spec.protocol.value}://{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint with its credentials, escaped, as URL lists have it."""
        if self.spec.username is None:
            return self.endpoint
        user, password = quote(self.spec.username, ""), quote(self.spec.password or "", "")
        return f"{self.spec.protocol.value}://{user}:{password}@{LOOPBACK}:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether it accepts connections."""
        return self._server is not None

    async def start(self) -> None:
        """Take a port, and accept connections unless it is a refused one."""
        self._hold()
        if self.spec.kind is not ProxyKind.REFUSED:
            await self.revive()

    async def stop(self) -> None:
        """Drop all connections and give the port back."""
        await self.kill()
        if self._held is not None:
            self._held.close()
            self._held = None

    async def kill(self) -> None:
        """Refuse connections from now on and drop those that are open."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._hold()
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def revive(self) -> None:
        """Accept connections again, on the same port."""
        if self._server is not None:
            return
        listening = self._held or _bound(self.port)
        self._held = None
        listening.listen(512)
        self._server = await asyncio.start_server(self._accept, sock=listening)

    async def change(self, **new: Any) -> None:
        """Change fields of the spec; a change to or from ``refused`` kills or revives.

        Raises:
            TypeError: there is no such field.
            ValueError: the new spec makes no sense.
        """
        before = self.spec.kind
        self.spec = replace(self.spec, **new)
        if self.spec.kind is ProxyKind.REFUSED:
            await self.kill()
        elif before is ProxyKind.REFUSED:
            await self.revive()

    def _hold(self) -> None:
        """Keep the port without listening: who connects is refused."""
        self._held = _bound(self.port)
        self.port = int(self._held.getsockname()[1])

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        self.uses.connections += 1
        try:
            await self._serve((reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self.uses.failed += 1
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()

    async def _serve(self, client: Streams) -> None:
        spec = self.spec
        if spec.kind is ProxyKind.BLACK_HOLE:
            await _swallow(client[0])
            return
        if spec.delay_s:
            await asyncio.sleep(spec.delay_s)
        front = http_front if spec.protocol is Protocol.HTTP else socks_front
        await front.serve(client, spec=spec, network=self._network, uses=self.uses)


def _bound(port: int) -> socket.socket:
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((LOOPBACK, port))
    held.settimeout(0)
    return held


async def _swallow(reader: asyncio.StreamReader) -> None:
    """Read until the client gives up."""
    while await reader.read(65536):
        pass
