"""Where a proxy of the sandbox may connect to, and from which address."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from project.sandbox.serving import LOOPBACK

CONNECT_WITHIN_S = 10.0

Target = tuple[str, int]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NotAllowedError(Exception):
    """The target is outside the sandbox; its proxies never leave loopback."""


@dataclass(frozen=True, slots=True)
class Network:
    """The world as the proxies see it.

    Attributes:
        routes: names of the outside world and the sandbox's server that stands for each.
        forged: how an intercepting proxy presents itself; None where there is none.
    """

    routes: Mapping[Target, Target] = field(default_factory=dict)
    forged: ssl.SSLContext | None = None

    def forged_context(self) -> ssl.SSLContext:
        """Return how an intercepting proxy presents itself.

        Raises:
            NotAllowedError: the sandbox was started without.
        """
        if self.forged is None:
            raise NotAllowedError("no certificate to intercept with")
        return self.forged

    def resolved(self, target: Target) -> Target:
        """Return the loopback address of a target.

        Raises:
            NotAllowedError: it isn't in the sandbox.
        """
        host, port = self.routes.get(target, target)
        if host == "localhost":
            return LOOPBACK, port
        try:
            inside = ip_address(host).is_loopback
        except ValueError:
            inside = False
        if not inside:
            raise NotAllowedError(f"{host} is outside the sandbox")
        return host, port

    async def connected(
        self, target: Target, *, exit_address: str | None, tls: ssl.SSLContext | None = None
    ) -> Streams:
        """Connect to a target from an exit address.

        Raises:
            NotAllowedError: the target isn't in the sandbox.
            OSError: nobody answers there; a time-out is one too.
        """
        host, port = self.resolved(target)
        async with asyncio.timeout(CONNECT_WITHIN_S):
            return await asyncio.open_connection(
                host,
                port,
                ssl=tls,
                local_addr=(exit_address, 0) if exit_address else None,
            )
