"""HTTP proxies of every kind, by a real client: aiohttp."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from project import sandbox
from project.sandbox import ProxyKind, ProxySpec, Wanted, World, WorldPlan
from project.sandbox.proxies.server import ProxyServer

pytestmark = pytest.mark.once

EXIT = "127.0.0.44"
WITHIN = aiohttp.ClientTimeout(total=5)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with sandbox.started(WorldPlan(clock_ms=1_700_000_000_000)) as running:
        yield running


async def add(world: World, **fields: Any) -> ProxyServer:
    return await world.proxies.add(ProxySpec(**{"exit_address": EXIT, **fields}))


async def ask(
    world: World,
    proxy: ProxyServer,
    url: str | None = None,
    *,
    verify: bool = True,
    within: aiohttp.ClientTimeout = WITHIN,
    **request: Any,
) -> tuple[int, Any]:
    """Ask the judge, or ``url``, through a proxy; return status and JSON, else text."""
    trusting = ssl.create_default_context(cafile=str(world.ca_bundle))
    async with (
        aiohttp.ClientSession(timeout=within) as session,
        session.request(
            request.pop("method", "GET"),
            url or f"{world.judge.judge_url}?nonce=n1",
            proxy=f"http://127.0.0.1:{proxy.port}",
            ssl=trusting if verify else False,
            **request,
        ) as answer,
    ):
        is_json = answer.content_type == "application/json"
        return answer.status, await (answer.json() if is_json else answer.text())


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (ProxyKind.ELITE, {}),
        (ProxyKind.ANONYMOUS, {"Via": "1.1 sandbox-proxy"}),
        (ProxyKind.TRANSPARENT, {"Via": "1.1 sandbox-proxy", "X-Forwarded-For": "127.0.0.1"}),
    ],
)
async def test_plain_request_leaves_from_the_exit_with_what_the_kind_tells(world, kind, told):
    proxy = await add(world, kind=kind)

    status, seen = await ask(world, proxy)

    assert (status, seen["nonce"], seen["method"], seen["remote"]) == (200, "n1", "GET", EXIT)
    names = ("Via", "X-Forwarded-For", "Forwarded", "Proxy-Connection", "Proxy-Authorization")
    assert {name: seen["headers"][name] for name in names if name in seen["headers"]} == told


@pytest.mark.parametrize("kind", [ProxyKind.ELITE, ProxyKind.TRANSPARENT])
async def test_tunnel_to_verified_tls_hides_what_the_kind_tells(world, kind):
    proxy = await add(world, kind=kind)

    status, seen = await ask(world, proxy, f"{world.judge.judge_tls_url}?nonce=n2")

    assert (status, seen["nonce"], seen["remote"]) == (200, "n2", EXIT)
    assert not {"Via", "X-Forwarded-For"} & set(seen["headers"])
    assert (proxy.uses.requests, proxy.uses.tunnels) == (1, 1)


async def test_body_and_large_answers_pass_whole(world):
    proxy = await add(world)
    fault = {"kind": "hang", "path": "/never", "client": "x" * 200_000}

    status, answer = await ask(
        world, proxy, f"{world.lists.url}/_control/faults", method="POST", json=fault
    )
    _, listed = await ask(world, proxy, f"{world.lists.url}/_control/faults")

    assert (status, answer) == (201, {"ids": [1]})
    assert listed["faults"][0]["client"] == "x" * 200_000
    assert proxy.uses.bytes_down > 200_000


async def test_outside_names_lead_into_the_sandbox_and_nowhere_else(world):
    proxy = await add(world)

    inside = await ask(world, proxy, "http://api.binance.com/api/v3/time")
    secure = await ask(world, proxy, "https://www.okx.com/api/v5/public/time")
    outside = await ask(world, proxy, "http://example.com/")

    assert inside == (200, {"serverTime": 1_700_000_000_000})
    assert secure[1]["data"] == [{"ts": "1700000000000"}]
    assert outside[0] == 502
    assert world.exchange.log.clients() == {EXIT}
    assert proxy.uses.targets == {
        "api.binance.com:80": 1,
        "www.okx.com:443": 1,
        "example.com:80": 1,
    }


async def test_credentials_are_wanted_and_do_not_go_on(world):
    proxy = await add(world, username="ann", password="p@ss:1")
    right = {"Proxy-Authorization": aiohttp.encode_basic_auth("ann", "p@ss:1")}
    wrong = {"Proxy-Authorization": aiohttp.encode_basic_auth("ann", "other")}

    without = await ask(world, proxy)
    refused = await ask(world, proxy, headers=wrong)
    status, seen = await ask(world, proxy, headers=right)

    assert [without[0], refused[0], status, proxy.uses.unauthorized] == [407, 407, 200, 2]
    assert "Proxy-Authorization" not in seen["headers"]
    assert proxy.url == f"http://ann:p%40ss%3A1@127.0.0.1:{proxy.port}"
    tls = await ask(world, proxy, world.judge.judge_tls_url, proxy_headers=right)
    assert tls[0] == 200


async def test_refused_proxy_refuses(world):
    proxy = await add(world, kind=ProxyKind.REFUSED)

    with pytest.raises(aiohttp.ClientProxyConnectionError):
        await ask(world, proxy)


async def test_black_hole_accepts_and_says_nothing(world):
    proxy = await add(world, kind=ProxyKind.BLACK_HOLE)

    with pytest.raises(TimeoutError):
        await ask(world, proxy, within=aiohttp.ClientTimeout(total=0.1))

    assert (proxy.uses.connections, proxy.uses.requests) == (1, 0)


async def test_slow_proxy_answers_after_its_delay(world):
    proxy = await add(world, kind=ProxyKind.SLOW, delay_s=0.3)
    loop = asyncio.get_running_loop()

    with pytest.raises(TimeoutError):
        await ask(world, proxy, within=aiohttp.ClientTimeout(total=0.1))
    began_s = loop.time()
    status, _ = await ask(world, proxy)

    assert status == 200
    assert loop.time() - began_s >= 0.3


async def test_lying_proxy_answers_its_own_page_to_everything(world):
    proxy = await add(world, kind=ProxyKind.LYING)

    status, page = await ask(world, proxy)

    assert (status, "It works!" in page) == (200, True)
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(world, proxy, world.judge.judge_tls_url)
    assert world.judge.log.entries() == []


async def test_bad_gateway_answers_502(world):
    proxy = await add(world, kind=ProxyKind.BAD_GATEWAY)

    assert (await ask(world, proxy))[0] == 502
    with pytest.raises(aiohttp.ClientHttpProxyError, match="502"):
        await ask(world, proxy, world.judge.judge_tls_url)


async def test_tls_interception_is_seen_by_who_verifies_and_reads_for_who_does_not(world):
    proxy = await add(world, kind=ProxyKind.TLS_INTERCEPTING)

    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await ask(world, proxy, world.judge.judge_tls_url)
    status, seen = await ask(world, proxy, f"{world.judge.judge_tls_url}?nonce=n3", verify=False)

    assert (status, seen["nonce"], seen["remote"]) == (200, "n3", EXIT)


async def test_banned_proxy_works_but_not_at_the_exchange(world):
    proxy = await add(world, kind=ProxyKind.BANNED)
    other = await add(world, exit_address="127.0.0.45")

    statuses = [
        (await ask(world, each, url))[0]
        for each in (proxy, other)
        for url in (f"{world.exchange.url}/api/v3/ping", world.judge.judge_url)
    ]

    assert statuses == [418, 200, 200, 200]
    assert world.exchange.log.clients(Wanted(status=418)) == {EXIT}


async def test_dead_target_is_502(world):
    proxy, dead = await add(world), await add(world, kind=ProxyKind.REFUSED)

    assert (await ask(world, proxy, f"http://127.0.0.1:{dead.port}/"))[0] == 502
    assert proxy.uses.failed == 1


@pytest.mark.parametrize("kind", [sandbox.FaultKind.DISCONNECT, sandbox.FaultKind.CUT_BODY])
@pytest.mark.parametrize("secure", [False, True])
async def test_target_that_breaks_off_breaks_off_for_the_client_too(world, kind, secure):
    proxy = await add(world)
    world.exchange.faults.add(sandbox.Fault(kind))
    url = world.exchange.tls_url if secure else world.exchange.url

    with pytest.raises(aiohttp.ClientError):
        await ask(world, proxy, f"{url}/api/v3/exchangeInfo")


async def test_proxy_dies_in_the_middle_and_comes_back_on_its_port(world):
    proxy = await add(world)
    world.judge.faults.add(sandbox.Fault(sandbox.FaultKind.HANG, times=1))
    port = proxy.port

    asking = asyncio.ensure_future(ask(world, proxy))
    await asyncio.to_thread(world.judge.log.wait_for, 1)
    await proxy.kill()
    with pytest.raises(aiohttp.ClientError):
        await asking
    with pytest.raises(aiohttp.ClientProxyConnectionError):
        await ask(world, proxy)
    assert (proxy.alive, proxy.port) == (False, port)
    await proxy.revive()

    assert (await ask(world, proxy))[0] == 200


async def test_proxy_changes_its_manners_while_it_runs(world):
    proxy = await add(world)

    await proxy.change(kind=ProxyKind.TRANSPARENT, exit_address="127.0.0.77")
    _, seen = await ask(world, proxy)
    await proxy.change(kind=ProxyKind.REFUSED)
    refused = proxy.alive
    await proxy.change(kind=ProxyKind.ELITE)

    assert (seen["remote"], "Via" in seen["headers"]) == ("127.0.0.77", True)
    assert (refused, proxy.alive) == (False, True)
    with pytest.raises(TypeError, match="nonsense"):
        await proxy.change(nonsense=1)


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\n\r\n", b"HELO\r\n\r\n", b"GET https://x/ HTTP/1.1\r\n\r\n"]
)
async def test_what_is_no_proxy_request_is_answered_and_hung_up(world, sent):
    proxy = await add(world)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)

    writer.write(sent)
    answer = await reader.read()
    writer.close()

    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 502"))
