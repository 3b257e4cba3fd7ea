"""SOCKS proxies of every kind, by a real client: python-socks."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
from python_socks import ProxyError
from python_socks.async_.asyncio import Proxy

from project import sandbox
from project.sandbox import Protocol, ProxyKind, ProxySpec, World
from project.sandbox.proxies.server import ProxyServer

pytestmark = pytest.mark.once

EXIT = "127.0.0.55"
BOTH = pytest.mark.parametrize("protocol", [Protocol.SOCKS4, Protocol.SOCKS5])


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with sandbox.started() as running:
        yield running


async def add(world: World, protocol: Protocol, **fields: Any) -> ProxyServer:
    spec = ProxySpec(protocol=protocol, **{"exit_address": EXIT, **fields})
    return await world.proxies.add(spec)


async def ask(
    proxy: ProxyServer,
    target: tuple[str, int],
    *,
    url: str | None = None,
    tls: ssl.SSLContext | None = None,
    rdns: bool = True,
    within_s: float = 5.0,
) -> str:
    """Ask for ``/judge`` through a SOCKS proxy and return the whole answer."""
    client = Proxy.from_url(url or proxy.url, rdns=rdns)
    host, port = target
    connected = await client.connect(dest_host=host, dest_port=port, timeout=within_s)
    name = host if tls else None
    reader, writer = await asyncio.open_connection(sock=connected, ssl=tls, server_hostname=name)
    writer.write(b"GET /judge?nonce=n1 HTTP/1.1\r\nHost: judge\r\nConnection: close\r\n\r\n")
    try:
        async with asyncio.timeout(within_s):
            return (await reader.read()).decode()
    finally:
        writer.close()


def judge(world: World) -> tuple[str, int]:
    return "127.0.0.1", int(world.judge.url.rpartition(":")[2])


def body(answer: str) -> Any:
    return json.loads(answer.partition("\r\n\r\n")[2])


@BOTH
async def test_socks_connects_by_address_from_the_exit(world, protocol):
    proxy = await add(world, protocol)

    seen = body(await ask(proxy, judge(world)))

    assert (seen["nonce"], seen["remote"]) == ("n1", EXIT)
    assert (proxy.uses.connections, proxy.uses.tunnels) == (1, 1)


@BOTH
async def test_socks_looks_names_up_itself(world, protocol):
    proxy = await add(world, protocol)

    seen = body(await ask(proxy, ("judge.sandbox.test", 80)))

    assert seen["remote"] == EXIT
    assert proxy.uses.targets == {"judge.sandbox.test:80": 1}


@BOTH
async def test_socks_carries_verified_tls(world, protocol):
    proxy = await add(world, protocol)
    trusting = ssl.create_default_context(cafile=str(world.ca_bundle))

    seen = body(await ask(proxy, ("judge.sandbox.test", 443), tls=trusting))

    assert seen["remote"] == EXIT


@BOTH
async def test_socks_never_leaves_the_sandbox(world, protocol):
    proxy = await add(world, protocol)

    with pytest.raises(ProxyError):
        await ask(proxy, ("93.184.216.34", 80))


@BOTH
async def test_socks_says_when_nobody_answers(world, protocol):
    proxy, dead = await add(world, protocol), await add(world, protocol, kind=ProxyKind.REFUSED)

    with pytest.raises(ProxyError):
        await ask(proxy, ("127.0.0.1", dead.port))

    assert proxy.uses.failed == 1


async def test_socks5_wants_its_password(world):
    proxy = await add(world, Protocol.SOCKS5, username="ann", password="p@ss:1")
    plain = f"socks5://127.0.0.1:{proxy.port}"

    for wrong in (plain, plain.replace("//", "//ann:other@")):
        with pytest.raises(ProxyError):
            await ask(proxy, judge(world), url=wrong)
    right = body(await ask(proxy, judge(world)))

    assert (right["remote"], proxy.uses.unauthorized) == (EXIT, 2)


async def test_socks4_wants_its_user(world):
    proxy = await add(world, Protocol.SOCKS4, username="ann")

    with pytest.raises(ProxyError):
        await ask(proxy, judge(world), url=proxy.endpoint)
    right = body(await ask(proxy, judge(world), url=f"socks4://ann:@127.0.0.1:{proxy.port}"))

    assert (right["remote"], proxy.uses.unauthorized) == (EXIT, 1)


@BOTH
async def test_socks_lies_with_its_own_page(world, protocol):
    proxy = await add(world, protocol, kind=ProxyKind.LYING)

    answer = await ask(proxy, judge(world))

    assert answer.startswith("HTTP/1.1 200 OK")
    assert "It works!" in answer
    assert world.judge.log.entries() == []


@BOTH
async def test_socks_bad_gateway_grants_nothing(world, protocol):
    proxy = await add(world, protocol, kind=ProxyKind.BAD_GATEWAY)

    with pytest.raises(ProxyError):
        await ask(proxy, judge(world))


@BOTH
async def test_socks_black_hole_and_refused(world, protocol):
    hole = await add(world, protocol, kind=ProxyKind.BLACK_HOLE)
    refused = await add(world, protocol, kind=ProxyKind.REFUSED)

    with pytest.raises((TimeoutError, ProxyError)):
        await ask(hole, judge(world), within_s=0.1)
    with pytest.raises(OSError, match=r"refused|connect"):
        await ask(refused, judge(world))


async def test_socks5_refuses_other_commands_than_connect(world):
    proxy = await add(world, Protocol.SOCKS5)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)

    writer.write(b"\x05\x01\x00" + b"\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50")
    answer = await reader.read()
    writer.close()

    assert answer == b"\x05\x00" + b"\x05\x07\x00\x01" + bytes(6)


def test_socks_cannot_have_the_manners_of_http():
    with pytest.raises(ValueError, match="only an HTTP proxy"):
        ProxySpec(Protocol.SOCKS5, ProxyKind.TRANSPARENT)
