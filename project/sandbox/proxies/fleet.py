"""All proxies of the sandbox together."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from project.sandbox.proxies.server import ProxyServer
from project.sandbox.proxies.specs import ProxyKind, ProxySpec
from project.sandbox.proxies.upstream import Network


class Fleet:
    """Proxies in the order of their specs."""

    def __init__(
        self, specs: Sequence[ProxySpec], *, network: Network | None = None, first_port: int = 0
    ) -> None:
        self._network = network
        self._servers = [
            ProxyServer(spec, network=network, port=first_port + number if first_port else 0)
            for number, spec in enumerate(specs)
        ]

    def __getitem__(self, number: int) -> ProxyServer:
        return self._servers[number]

    def __len__(self) -> int:
        return len(self._servers)

    def __iter__(self) -> Iterator[ProxyServer]:
        return iter(self._servers)

    async def start(self) -> None:
        """Start all."""
        for server in self._servers:
            await server.start()

    async def stop(self) -> None:
        """Stop all."""
        await asyncio.gather(*(server.stop() for server in self._servers))

    async def add(self, spec: ProxySpec) -> ProxyServer:
        """Start one more, on a free port."""
        server = ProxyServer(spec, network=self._network)
        await server.start()
        self._servers.append(server)
        return server

    def of_kind(self, *kinds: ProxyKind) -> list[ProxyServer]:
        """Return the proxies of some kinds."""
        return [each for each in self._servers if each.spec.kind in kinds]

    def as_json(self) -> list[dict[str, object]]:
        """Return each proxy with its number, state and uses."""
        return [
            {
                "number": number,
                "url": each.url,
                "endpoint": each.endpoint,
                "alive": each.alive,
                **asdict(each.spec),
                "uses": asdict(each.uses),
            }
            for number, each in enumerate(self._servers)
        ]
