"""Reaching addresses that people gave: only those of the public internet, and the one checked."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from project.core import addresses
from project.core.errors import PermanentError


class ForbiddenPlaceError(PermanentError):
    """The address is none of the web, or lies inside a private network."""

    code = "forbidden_place"
    title = "This place may not be reached"


class CheckedResolver(AbstractResolver):
    """Resolves names, and gives only an address that was checked: that one is connected to."""

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


def require_web(url: URL) -> None:
    """Refuse what isn't the web, and addresses inside private networks; names are checked later.

    Raises:
        ForbiddenPlaceError: it may not be reached.
    """
    if url.scheme not in {"http", "https"} or not url.host:
        raise ForbiddenPlaceError("leads to what is no web address")
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in url.host else socket.AF_INET, url.host)
    except OSError:
        return
    try:
        addresses.require_allowed(url.host)
    except addresses.ForbiddenAddressError as error:
        raise ForbiddenPlaceError("leads into a private network") from error
