"""Two hundred real proxies of every kind at once: every verdict right, within the time that is asked."""

import asyncio
import contextlib
import time
from collections import Counter
from urllib.parse import unquote, urlsplit

import pytest

from project import sandbox
from project.sandbox import Protocol, ProxyKind, ProxySpec
from project.sandbox.proxies.specs import exit_addresses
from proxies.adapters import checker, loops, probe
from proxies.adapters.probe import Limits, Subject
from proxies.choices import Anonymity, Verdict

#: Generous for each good one, so that a busy machine blames nobody; a black hole takes all of it.
LIMITS = Limits(connect_s=4.0, total_s=5.0)
SLOW_S = 0.6
LOGIN = {"username": "ann-session_7", "password": "p@ss:w/ör%d"}

#: How many, as what the list names them, what they are, and what is to be said of them.
MIX = [
    (45, "http", ProxyKind.ELITE, Verdict.OK),
    (20, "http", ProxyKind.ANONYMOUS, Verdict.OK),
    (16, "http", ProxyKind.TRANSPARENT, Verdict.OK),
    (15, "https", ProxyKind.ELITE, Verdict.OK),
    (12, "socks4", ProxyKind.ELITE, Verdict.OK),
    (12, "socks5", ProxyKind.ELITE, Verdict.OK),
    (7, "http", ProxyKind.SLOW, Verdict.OK),
    (3, "https", ProxyKind.SLOW, Verdict.OK),
    (4, "socks5", ProxyKind.SLOW, Verdict.OK),
    (12, "http", ProxyKind.REFUSED, Verdict.REFUSED),
    (2, "https", ProxyKind.REFUSED, Verdict.REFUSED),
    (3, "socks4", ProxyKind.REFUSED, Verdict.REFUSED),
    (3, "socks5", ProxyKind.REFUSED, Verdict.REFUSED),
    (6, "http", ProxyKind.BLACK_HOLE, Verdict.TIMEOUT),
    (2, "https", ProxyKind.BLACK_HOLE, Verdict.TIMEOUT),
    (2, "socks4", ProxyKind.BLACK_HOLE, Verdict.TIMEOUT),
    (2, "socks5", ProxyKind.BLACK_HOLE, Verdict.TIMEOUT),
    (6, "http", ProxyKind.LYING, Verdict.MISMATCH),
    (2, "https", ProxyKind.LYING, Verdict.BAD_ANSWER),  # its page comes where TLS should begin
    (2, "socks4", ProxyKind.LYING, Verdict.MISMATCH),
    (2, "socks5", ProxyKind.LYING, Verdict.MISMATCH),
    (6, "http", ProxyKind.BAD_GATEWAY, Verdict.BAD_ANSWER),
    (2, "https", ProxyKind.BAD_GATEWAY, Verdict.BAD_ANSWER),
    (2, "socks4", ProxyKind.BAD_GATEWAY, Verdict.BAD_ANSWER),
    (2, "socks5", ProxyKind.BAD_GATEWAY, Verdict.BAD_ANSWER),
    (7, "http", ProxyKind.TLS_INTERCEPTING, Verdict.INTERCEPTED),
    (3, "https", ProxyKind.TLS_INTERCEPTING, Verdict.INTERCEPTED),
]
ROWS = [(scheme, kind, verdict) for count, scheme, kind, verdict in MIX for _ in range(count)]
ANONYMITY = {
    ProxyKind.ANONYMOUS: Anonymity.ANONYMOUS,
    ProxyKind.TRANSPARENT: Anonymity.TRANSPARENT,
}


def specs():
    """Return the proxies, each leaving from an address of its own; every fourth wants a login."""
    return [
        ProxySpec(
            Protocol("http" if scheme == "https" else scheme),
            kind,
            exit_address=exit_address,
            delay_s=SLOW_S if kind is ProxyKind.SLOW else 0.0,
            **(LOGIN if number % 4 == 3 and scheme != "socks4" else {}),
        )
        for number, ((scheme, kind, _), exit_address) in enumerate(
            zip(ROWS, exit_addresses(), strict=False)
        )
    ]


def subject(number, proxy):
    """Return a proxy as the pool has it."""
    url = urlsplit(proxy.url)
    return Subject(
        key=number,
        scheme=ROWS[number][0],
        host=url.hostname,
        port=url.port,
        username=unquote(url.username or ""),
        password=unquote(url.password or ""),
    )


async def ask_all_barely(subjects, judge_url):
    """Ask all with a client that only asks and waits: what this machine can do now."""

    async def ask(one):
        request = f"GET {judge_url}?nonce=bare HTTP/1.1\r\nHost: judge\r\n\r\n"
        with contextlib.suppress(OSError):  # a TimeoutError is one
            async with asyncio.timeout(LIMITS.total_s):
                reader, writer = await asyncio.open_connection(one.host, one.port)
                writer.write(request.encode())
                await reader.read()
                writer.transport.abort()

    await asyncio.gather(*map(ask, subjects))
    yield len(subjects)


def timed(work):
    """Return what ``work`` gives, and its seconds by the clock."""
    began_s = time.monotonic()
    found = list(loops.iterate(work))
    return found, time.monotonic() - began_s


@pytest.fixture(scope="module")
def world():
    with sandbox.running(sandbox.WorldPlan(proxies=specs(), symbols=())) as found:
        yield found


@pytest.mark.once
def test_all_verdicts_of_200_are_right_in_the_total_time_out_and_a_second(
    world, private_networks, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(world.ca_bundle))
    judges = [probe.judge_of(url) for url in (world.judge.judge_url, world.judge.judge_tls_url)]
    subjects = [subject(number, proxy) for number, proxy in enumerate(world.proxies)]

    batches, took_s = timed(lambda: checker.check_all(subjects, judges, limits=LIMITS))

    found = sorted((each for batch in batches for each in batch.findings), key=lambda one: one.key)
    assert [each.key for each in found] == list(range(200))
    told = Counter((*ROWS[each.key][:2], Verdict(each.verdict)) for each in found)
    assert told == Counter(ROWS)
    for each in found:
        if each.verdict == Verdict.OK:
            require_right(world.proxies[each.key].spec, each)
    if took_s >= LIMITS.total_s + 1:  # too busy a machine? a bare client is to say so
        _, bare_s = timed(lambda: ask_all_barely(subjects, world.judge.judge_url))
        assert took_s < bare_s + 1


def require_right(spec, found):
    """Compare what is told of a good proxy with what it is."""
    anonymity = ANONYMITY.get(spec.kind, Anonymity.ELITE)
    assert (found.exit_ip, found.tls_ok, found.anonymity) == (spec.exit_address, True, anonymity)
    assert found.connect_ms > 0  # both are corrected by the lag of a loop that is busy
    assert found.latency_ms > 0
