"""The handshake with a SOCKS proxy: versions 4, 4a and 5, over streams that lead to it."""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from typing import Final

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_V5: Final = 5
_V4: Final = 4
_CONNECT: Final = 1
_NO_LOGIN: Final = 0
_LOGIN: Final = 2
_NONE_WILL_DO: Final = 0xFF
_IPV4: Final = 1
_NAME: Final = 3
_IPV6: Final = 4
_LONGEST: Final = 255
#: Bytes of an address by its kind; that of a name is told by its first one.
_LENGTHS: Final[Mapping[int, int]] = {_IPV4: 4, _IPV6: 16}
_GRANTED_4: Final = 0x5A
_WHY_5: Final[Mapping[int, str]] = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
    7: "command not supported",
    8: "kind of address not supported",
}
_WHY_4: Final[Mapping[int, str]] = {0x5B: "rejected or failed", 0x5C: "no identd", 0x5D: "identd"}
#: Refusals of version 4 that are about who asks.
_STRANGER_4: Final = frozenset({0x5C, 0x5D})


class SocksError(Exception):
    """The proxy did not open a way; ``is_login`` where it wants to know who asks."""

    def __init__(self, why: str, *, is_login: bool = False) -> None:
        super().__init__(why)
        self.is_login = is_login


async def open_5(streams: Streams, host: str, port: int, *, username: str, password: str) -> None:
    """Let a SOCKS5 proxy connect to ``host``, a name or an address, which it resolves itself.

    Raises:
        SocksError: it does not.
        EOFError: it hung up.
    """
    reader, writer = streams
    has_login = bool(username or password)
    writer.write(bytes([_V5, 2, _NO_LOGIN, _LOGIN] if has_login else [_V5, 1, _NO_LOGIN]))
    version, method = await reader.readexactly(2)
    if version != _V5:
        raise SocksError("no SOCKS5 answer")
    if method == _NONE_WILL_DO or (method == _LOGIN and not has_login):
        raise SocksError("it wants a login", is_login=True)
    if method == _LOGIN:
        await _log_in(streams, username, password)
    elif method != _NO_LOGIN:
        raise SocksError(f"it wants to be asked in a way we lack: {method}")
    writer.write(bytes([_V5, _CONNECT, 0]) + _address_5(host) + port.to_bytes(2, "big"))
    version, reply, _, kind = await reader.readexactly(4)
    if version != _V5:
        raise SocksError("no SOCKS5 answer")
    if reply:
        raise SocksError(_WHY_5.get(reply, f"refused: {reply}"))
    length = (await reader.readexactly(1))[0] if kind == _NAME else _LENGTHS.get(kind)
    if length is None:
        raise SocksError("no SOCKS5 answer")
    await reader.readexactly(length + 2)


async def _log_in(streams: Streams, username: str, password: str) -> None:
    reader, writer = streams
    writer.write(b"\x01" + b"".join(_short(text.encode()) for text in (username, password)))
    _, status = await reader.readexactly(2)
    if status:
        raise SocksError("wrong login", is_login=True)


def _short(text: bytes) -> bytes:
    if len(text) > _LONGEST:
        raise SocksError("more than a SOCKS5 proxy can be told")
    return bytes([len(text)]) + text


def _address_5(host: str) -> bytes:
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return bytes([_NAME]) + _short(host.encode("idna"))
    return bytes([_IPV4 if found.version == _V4 else _IPV6]) + found.packed


async def open_4(streams: Streams, host: str, port: int, *, username: str) -> None:
    """Let a SOCKS4 proxy connect to ``host``; a name is resolved here, since few know 4a.

    Where it can't be resolved here the proxy is asked to, as 4a has it.

    Raises:
        SocksError: it does not.
        EOFError: it hung up.
    """
    reader, writer = streams
    address, name = await _address_4(host, port)
    user = username.encode() + b"\x00"
    head = bytes([_V4, _CONNECT]) + port.to_bytes(2, "big")
    writer.write(head + address + user + (name + b"\x00" if name else b""))
    version, reply, *_ = await reader.readexactly(8)
    if version != 0:
        raise SocksError("no SOCKS4 answer")
    if reply != _GRANTED_4:
        why = _WHY_4.get(reply, f"refused: {reply}")
        raise SocksError(why, is_login=reply in _STRANGER_4)


async def _address_4(host: str, port: int) -> tuple[bytes, bytes]:
    """Return an IPv4 address; or one that means a name, and the name."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        loop = asyncio.get_running_loop()
        try:
            known = await loop.getaddrinfo(host, port, family=socket.AF_INET)
        except OSError:
            return bytes([0, 0, 0, 1]), host.encode("idna")
        return socket.inet_aton(str(known[0][4][0])), b""
    if found.version != _V4:
        raise SocksError("SOCKS4 knows no IPv6")
    return found.packed, b""
