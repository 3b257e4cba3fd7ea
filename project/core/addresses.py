"""Which addresses the installation may reach by itself: none inside private networks.

Guards every place that connects to a name or address that a user or a published list gave.
Source: notes on Python 3.11's ``is_global``, which lets NAT64, 6to4 and multicast through.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from project.core.errors import InvalidInputError, TransientError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
RESOLVE_WITHIN_S: Final = 5.0
#: Reachable in the view of ``is_global``, yet leading inside, nowhere, or to many.
_DENIED: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "64:ff9b::/96",  # NAT64: embeds any IPv4 address, loopback too
        "64:ff9b:1::/48",
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "192.88.99.0/24",  # 6to4 relays
        "5f00::/16",  # segment routing
        "100.64.0.0/10",  # carrier-grade NAT
        "fec0::/10",  # site-local
    )
)


class ForbiddenAddressError(InvalidInputError):
    """The address lies inside a private network, or is none that may be connected to."""

    code = "forbidden_address"
    title = "This address may not be reached"


class UnknownHostError(TransientError):
    """The name could not be resolved now."""

    code = "unknown_host"
    title = "The host name could not be resolved"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that was checked; connect to this one, not to the name again."""

    host: str
    address: str
    port: int


def is_allowed(address: str | IPAddress) -> bool:
    """Say whether ``address`` is one of the public internet, or private ones are allowed."""
    if settings.ALLOW_PRIVATE_NETWORKS:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if any(found.version == net.version and found in net for net in _DENIED):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def require_allowed(address: str) -> None:
    """Refuse an address that may not be reached.

    Raises:
        ForbiddenAddressError: it lies inside a private network.
    """
    if not is_allowed(address):
        raise ForbiddenAddressError(f"{address} is not a public address")


async def resolve(host: str, port: int) -> Endpoint:
    """Return the address to connect to for ``host``; all of its addresses are checked.

    Raises:
        UnknownHostError: it has no address now.
        ForbiddenAddressError: one of its addresses lies inside a private network.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_WITHIN_S):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a time-out is an OSError, too
        raise UnknownHostError(f"{host} has no address") from error
    known = [str(info[4][0]) for info in found]
    for address in known:
        require_allowed(address.partition("%")[0])
    return Endpoint(host=host, address=known[0], port=port)
