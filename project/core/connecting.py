"""How the installation connects to what people named: to the address that was checked, no other."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from project.core import addresses


class CheckedResolver(AbstractResolver):
    """Resolves names, and gives only an address that was checked: that one is connected to.

    aiohttp does not ask it for literal addresses: check those by ``addresses.require_allowed``.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the checked address of ``host``."""
        found = await addresses.resolve(host, port)
        is_v6 = ":" in found.address
        return [
            ResolveResult(
                hostname=host,
                host=found.address,
                port=port,
                family=socket.AF_INET6 if is_v6 else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""
