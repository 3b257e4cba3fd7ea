"""Which hosts and ports a proxy may have."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from django.conf import settings

from project.core import addresses
from proxies.parsing.found import RefusedError

_MAX_PORT: Final = 65535
_MAX_HOST: Final = 253
_NUMERIC: Final = re.compile(r"[\d.]+")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_OCTETS: Final = 4
#: A network larger than this is refused rather than expanded.
MAX_NETWORK: Final = 256


def port_of(text: str) -> int:
    """Return the port that ``text`` says.

    Raises:
        RefusedError: ``no_port``, ``bad_port``, or ``not_a_proxy`` where it isn't a number.
    """
    if not text:
        raise RefusedError("no_port")
    if not (text.isascii() and text.isdigit()):
        raise RefusedError("not_a_proxy")
    if text.startswith("0") or len(text) > len(str(_MAX_PORT)) or int(text) > _MAX_PORT:
        raise RefusedError("bad_port")
    return int(text)


def host_of(text: str, *, is_url: bool = False) -> str:
    """Return the host that ``text`` says, in its one spelling.

    Args:
        text: an IPv4 address, an IPv6 address in brackets, or a name.
        is_url: it stood in a URL, where a name without a dot is a name, too.

    Raises:
        RefusedError: ``bad_address``, ``leading_zeros``, ``private_address``, ``bad_host`` or
            ``not_a_proxy``.
    """
    if text.startswith("["):
        return _public(_ipv6(text))
    if _NUMERIC.fullmatch(text):
        return _public(_ipv4(text))
    return _name(text, is_url=is_url)


def _public(address: str) -> str:
    if not addresses.is_allowed(address):
        raise RefusedError("private_address")
    return address


def _ipv4(text: str) -> str:
    octets = text.split(".")
    if len(octets) == 1:
        raise RefusedError("not_a_proxy")
    if len(octets) == _OCTETS and any(len(octet) > 1 and octet[0] == "0" for octet in octets):
        raise RefusedError("leading_zeros")
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise RefusedError("bad_address") from error


def _ipv6(text: str) -> str:
    if "%" in text:  # a zone means something on one machine alone
        raise RefusedError("bad_address")
    try:
        found = ipaddress.IPv6Address(text.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise RefusedError("bad_address") from error
    return str(found)


def _name(text: str, *, is_url: bool) -> str:
    try:
        name = text.rstrip(".").encode("idna").decode().lower()
    except UnicodeError as error:
        raise RefusedError("not_a_proxy") from error
    labels = name.split(".")
    if len(labels) == 1 and not is_url:
        raise RefusedError("private_address" if name == "localhost" else "not_a_proxy")
    if len(name) > _MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise RefusedError("bad_host" if is_url else "not_a_proxy")
    if labels[-1].isdigit():
        raise RefusedError("bad_address")
    return _outside(name, is_bare=len(labels) == 1)


def _outside(name: str, *, is_bare: bool) -> str:
    """Refuse names that can only lead inside; others are looked up when they are used."""
    is_inside = is_bare or name.endswith((".localhost", ".local", ".internal"))
    if is_inside and not settings.ALLOW_PRIVATE_NETWORKS:
        raise RefusedError("private_address")
    return name


def network_hosts(text: str) -> Iterator[str]:
    """Yield the addresses of a network, e.g. of ``203.0.113.0/29``.

    Raises:
        RefusedError: ``bad_address``, or ``network_too_large``.
    """
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise RefusedError("bad_address") from error
    if network.num_addresses > MAX_NETWORK:
        raise RefusedError("network_too_large")
    return (str(address) for address in network.hosts())
