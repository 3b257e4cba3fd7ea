"""What a SOCKS proxy does with a connection: agree on a method, connect, relay."""

import asyncio
import struct
from ipaddress import IPv4Address, IPv6Address

from project.sandbox.proxies.http_front import LYING_PAGE
from project.sandbox.proxies.relaying import Uses, relay
from project.sandbox.proxies.specs import Protocol, ProxyKind, ProxySpec
from project.sandbox.proxies.upstream import Network, NotAllowedError, Streams, Target

_CONNECT = 1
_NO_METHOD = 0xFF
_NO_AUTHENTICATION, _BY_PASSWORD = 0, 2
_IPV4, _NAME, _IPV6 = 1, 3, 4
_GRANTED_4, _REJECTED_4, _WRONG_USER_4 = 0x5A, 0x5B, 0x5D
_FAILURE, _NOT_ALLOWED, _REFUSED, _NO_SUCH_COMMAND = 1, 2, 5, 7


class _BadRequestError(Exception):
    """The client speaks something else, or may not enter; ``answer`` is sent first."""

    def __init__(self, answer: bytes = b"") -> None:
        super().__init__("not served")
        self.answer = answer


async def serve(client: Streams, *, spec: ProxySpec, network: Network, uses: Uses) -> None:
    """Serve one connection of a client."""
    dialect = _Socks4 if spec.protocol is Protocol.SOCKS4 else _Socks5
    try:
        target = await dialect.asked(client, spec, uses)
    except _BadRequestError as wrong:
        client[1].write(wrong.answer)
        return
    uses.requests += 1
    uses.tunnels += 1
    uses.aimed(*target)
    if spec.kind is ProxyKind.BAD_GATEWAY:
        client[1].write(dialect.answer(_FAILURE))
        return
    if spec.kind is ProxyKind.LYING:
        await _lie(client, dialect.answer(0))
        return
    try:
        upstream = await network.connected(target, exit_address=spec.exit_address)
    except (NotAllowedError, OSError) as failed:
        uses.failed += 1
        client[1].write(dialect.answer(_reason(failed)))
        return
    client[1].write(dialect.answer(0))
    await relay(client, upstream, uses)


def _reason(failed: Exception) -> int:
    if isinstance(failed, NotAllowedError):
        return _NOT_ALLOWED
    return _REFUSED if isinstance(failed, ConnectionRefusedError) else _FAILURE


async def _lie(client: Streams, granted: bytes) -> None:
    """Pretend to be connected, and answer whatever comes with an own page."""
    client[1].write(granted)
    if await client[0].read(1):
        page = LYING_PAGE.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n"
        client[1].write(f"{head}Connection: close\r\n\r\n".encode() + page)


class _Socks4:
    """SOCKS4, and 4a, where the proxy looks the name up."""

    @staticmethod
    async def asked(client: Streams, spec: ProxySpec, uses: Uses) -> Target:
        reader = client[0]
        version, command, port = struct.unpack(">BBH", await reader.readexactly(4))
        address = await reader.readexactly(4)
        user = await _text_until_zero(reader)
        if (version, command) != (4, _CONNECT):
            raise _BadRequestError(_Socks4.answer(_FAILURE))
        host = str(IPv4Address(address))
        if address[:3] == b"\0\0\0" and address[3]:
            host = await _text_until_zero(reader)
        if spec.username is not None and user != spec.username:
            uses.unauthorized += 1
            raise _BadRequestError(bytes((0, _WRONG_USER_4)) + bytes(6))
        return host, port

    @staticmethod
    def answer(reason: int) -> bytes:
        return bytes((0, _REJECTED_4 if reason else _GRANTED_4)) + bytes(6)


class _Socks5:
    """SOCKS5, with user and password where the proxy wants them."""

    @staticmethod
    async def asked(client: Streams, spec: ProxySpec, uses: Uses) -> Target:
        reader, writer = client
        version, count = await reader.readexactly(2)
        if version != 5:  # noqa: PLR2004 -- the protocol's own number
            raise _BadRequestError
        methods = await reader.readexactly(count)
        wanted = _NO_AUTHENTICATION if spec.username is None else _BY_PASSWORD
        if wanted not in methods:
            uses.unauthorized += 1
            raise _BadRequestError(bytes((5, _NO_METHOD)))
        writer.write(bytes((5, wanted)))
        if wanted == _BY_PASSWORD:
            await _check_password(client, spec, uses)
        _, command, _, kind = await reader.readexactly(4)
        target = await _target(reader, kind)
        if command != _CONNECT:
            raise _BadRequestError(_Socks5.answer(_NO_SUCH_COMMAND))
        return target

    @staticmethod
    def answer(reason: int) -> bytes:
        return bytes((5, reason, 0, _IPV4)) + bytes(6)


async def _check_password(client: Streams, spec: ProxySpec, uses: Uses) -> None:
    reader, writer = client
    await reader.readexactly(1)
    username = (await _counted(reader)).decode(errors="replace")
    password = (await _counted(reader)).decode(errors="replace")
    if (username, password) != (spec.username, spec.password or ""):
        uses.unauthorized += 1
        raise _BadRequestError(bytes((1, 1)))
    writer.write(bytes((1, 0)))


async def _target(reader: asyncio.StreamReader, kind: int) -> Target:
    if kind == _IPV4:
        host = str(IPv4Address(await reader.readexactly(4)))
    elif kind == _IPV6:
        host = str(IPv6Address(await reader.readexactly(16)))
    elif kind == _NAME:
        host = (await _counted(reader)).decode("latin-1")
    else:
        raise _BadRequestError(_Socks5.answer(_FAILURE))
    return host, int.from_bytes(await reader.readexactly(2), "big")


async def _counted(reader: asyncio.StreamReader) -> bytes:
    (count,) = await reader.readexactly(1)
    return await reader.readexactly(count)


async def _text_until_zero(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\0"))[:-1].decode("latin-1")
