import asyncio
import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core import addresses
from project.core.errors import InvalidInputError, TransientError

PRIVATE_NETWORKS = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/29",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "::/96",  # IPv4-compatible
    "::ffff:0:0:0/96",  # IPv4-translated
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)


def inside(network: str) -> st.SearchStrategy[str]:
    return st.ip_addresses(network=network).map(str)


@given(st.sampled_from(PRIVATE_NETWORKS).flatmap(inside))
def test_no_address_inside_a_private_network_is_allowed(address):
    assert not addresses.is_allowed(address)
    with pytest.raises(addresses.ForbiddenAddressError, match="not a public address"):
        addresses.require_allowed(address)


@given(st.ip_addresses(v=4))
def test_ipv4_in_ipv6_clothes_is_judged_as_ipv4(address):
    mapped = ipaddress.ip_address(f"::ffff:{address}")

    assert addresses.is_allowed(mapped) == addresses.is_allowed(address)
    assert not addresses.is_allowed(f"64:ff9b::{address}")


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1"]
)
def test_public_addresses_are_allowed(address):
    assert addresses.is_allowed(address)
    addresses.require_allowed(address)


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "1.2.3.4.5", "0x7f000001", "::g"])
def test_text_that_is_no_address_is_refused(text):
    with pytest.raises(addresses.ForbiddenAddressError):
        addresses.require_allowed(text)


def test_private_networks_can_be_opened(settings):
    settings.ALLOW_PRIVATE_NETWORKS = True

    assert addresses.is_allowed("127.0.0.1")


def test_errors_belong_to_their_families():
    assert issubclass(addresses.ForbiddenAddressError, InvalidInputError)
    assert issubclass(addresses.UnknownHostError, TransientError)


class Resolver:
    """Answers like ``loop.getaddrinfo``."""

    def __init__(self, *found: str) -> None:
        self.found = found

    async def getaddrinfo(self, host, port, *, family=0, type=0, proto=0, flags=0):  # noqa: A002
        assert type == socket.SOCK_STREAM
        if not self.found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                type,
                6,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in self.found
        ]


@pytest.fixture
def resolver(monkeypatch):
    def answer(*found: str) -> None:
        monkeypatch.setattr(asyncio, "get_running_loop", lambda: Resolver(*found))

    return answer


async def test_resolve_gives_the_address_to_connect_to(resolver):
    resolver("93.184.216.34", "2606:4700::1111")

    found = await addresses.resolve("example.com", 443)

    assert found == addresses.Endpoint("example.com", "93.184.216.34", 443)


@pytest.mark.parametrize(
    "found",
    [
        ("127.0.0.1",),
        ("93.184.216.34", "10.0.0.7"),  # one bad address of several
        ("fe80::1%eth0",),
        ("::ffff:169.254.169.254",),
    ],
)
async def test_resolve_refuses_a_name_that_leads_inside(found, resolver):
    resolver(*found)

    with pytest.raises(addresses.ForbiddenAddressError):
        await addresses.resolve("rebound.example.com", 80)


async def test_resolve_of_an_unknown_name_may_succeed_later(resolver):
    resolver()

    with pytest.raises(addresses.UnknownHostError, match=r"nowhere\.invalid"):
        await addresses.resolve("nowhere.invalid", 80)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "::1"])
async def test_resolve_sees_through_every_spelling_of_the_loopback(host):
    with pytest.raises(addresses.ForbiddenAddressError):
        await addresses.resolve(host, 80)


@pytest.mark.parametrize("host", ["a" * 64 + ".com", "a..b", "\udcff"])
async def test_resolve_of_an_impossible_name_is_an_expected_error(host):
    with pytest.raises(addresses.UnknownHostError):
        await addresses.resolve(host, 80)


async def test_resolve_has_a_deadline(monkeypatch):
    class Slow(Resolver):
        async def getaddrinfo(self, host, port, **_):
            await asyncio.Event().wait()

    loop = asyncio.get_running_loop()
    slow = Slow()
    slow.time, slow.call_at = loop.time, loop.call_at  # type: ignore[attr-defined]
    monkeypatch.setattr(addresses, "RESOLVE_WITHIN_S", 0.01)
    monkeypatch.setattr(loop, "getaddrinfo", slow.getaddrinfo)

    with pytest.raises(addresses.UnknownHostError):
        await addresses.resolve("slow.example.com", 80)
