"""Checking one proxy against judges: does it live, where does it leave, what does it tell?"""

import asyncio
import ipaddress
import json
import re
import secrets
import ssl
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from project.core.errors import PermanentError
from proxies.adapters import wire
from proxies.adapters.wire import CheckFailedError, Judge, Streams, Upstream
from proxies.choices import Anonymity, Scheme, Verdict

#: Headers by which a proxy gives itself away.
_REVEALING: Final = frozenset(
    {
        "via",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded",
        "x-real-ip",
        "x-client-ip",
        "client-ip",
        "true-client-ip",
        "x-cluster-client-ip",
        "x-originating-ip",
        "x-proxy-id",
        "x-proxy-connection",
        "proxy-connection",
        "proxy-authorization",
        "x-bluecoat-via",
        "x-squid-error",
        "xroxy-connection",
        "mt-proxy-id",
        "x-cache",
    }
)
_PORTS: Final = {"http": 80, "https": 443}
_TOKENS: Final = re.compile(r"[0-9A-Fa-f:.]+")
#: Wake-ups of the event loop in one check: each comes late by the loop's lag.
_WAKE_UPS: Final = 3
_LEAST_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a check may take, and how many are done at once.

    Attributes:
        connect_s: until the proxy, or what is behind it, accepts the connection.
        total_s: for the whole check.
        at_once: at most; fewer while the event loop lags.
        ca_file: an authority of the judges' own that is trusted besides the usual; PEM.
    """

    connect_s: float = 5.0
    total_s: float = 10.0
    at_once: int = 200
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """A proxy to be checked."""

    key: int
    scheme: str
    host: str
    port: int
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    key: int
    verdict: str
    detail: str = ""
    latency_ms: float | None = None
    connect_ms: float | None = None
    exit_ip: str = ""
    anonymity: str = ""
    tls_ok: bool | None = None


@dataclass(slots=True)
class Setting:
    """What all checks of a round share.

    Attributes:
        plain: a judge over plain HTTP, where there is one that answers.
        tls: a judge over TLS, likewise.
        own: the addresses from which we ask directly.
        context: how TLS is verified.
        lag_s: how late the event loop wakes up; taken off latencies.
    """

    limits: Limits
    plain: Judge | None = None
    tls: Judge | None = None
    own: frozenset[str] = frozenset()
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    lag_s: float = 0.0


def trusting(ca_file: str) -> ssl.SSLContext:
    """Return how TLS is verified: by the usual authorities, and that of ``ca_file`` if any.

    Raises:
        PermanentError: the file can't be read, or holds no certificate.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:  # ssl's own errors are OSErrors too
            raise PermanentError(f"JUDGE_CA_FILE {ca_file}: {error}") from error
    return context


def judge_of(url: str) -> Judge:
    """Return the judge at ``url``.

    Raises:
        ValueError: this is no web address.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("a judge has an address that begins with http:// or https://")
    port = parts.port or _PORTS[parts.scheme]
    return Judge(url, parts.hostname, port, parts.path or "/", parts.scheme == "https")


async def check(subject: Subject, setting: Setting) -> Finding:
    """Check one proxy, within the time that the limits give."""
    try:
        async with asyncio.timeout(setting.limits.total_s):
            return await _check(subject, setting)
    except TimeoutError:
        return Finding(subject.key, Verdict.TIMEOUT)
    except CheckFailedError as failed:
        return Finding(subject.key, failed.verdict, failed.detail[:200])
    except (OSError, EOFError, ValueError) as error:  # whatever the other side comes up with
        return Finding(subject.key, Verdict.BAD_ANSWER, type(error).__name__)


async def _check(subject: Subject, setting: Setting) -> Finding:
    address = await wire.checked_address(subject.host, subject.port)
    upstream = Upstream(subject.scheme, address, subject.port, subject.username, subject.password)
    if setting.plain is None or subject.scheme == Scheme.HTTPS:
        return await _by_tunnel(subject, upstream, setting)
    found = await _by_plain_http(subject, upstream, setting)
    if setting.tls is None:
        return found
    return replace(found, tls_ok=await _reaches_tls(upstream, setting))


async def _by_plain_http(subject: Subject, upstream: Upstream, setting: Setting) -> Finding:
    judge = setting.plain
    assert judge is not None  # noqa: S101 -- the caller looked
    clock = asyncio.get_running_loop().time
    began_s = clock()
    limit_s = setting.limits.connect_s
    nonce = secrets.token_hex(16)
    if upstream.scheme == Scheme.HTTP:
        streams = await wire.connect(upstream.address, upstream.port, timeout_s=limit_s)
        connected_s = clock()
        body = await _closing(streams, wire.ask_plainly(streams, upstream, judge, nonce))
    else:
        streams = await wire.tunnel(upstream, judge, tls=None, timeout_s=limit_s)
        connected_s = clock()
        body = await _closing(streams, wire.ask_directly(streams, judge, nonce))
    answer = answer_of(body, nonce)
    return Finding(
        subject.key,
        Verdict.OK,
        latency_ms=_corrected_ms(clock() - began_s, setting, _WAKE_UPS),
        connect_ms=_corrected_ms(connected_s - began_s, setting, 1),
        exit_ip=exit_of(answer),
        anonymity=anonymity_of(answer, own=setting.own),
    )


async def _by_tunnel(subject: Subject, upstream: Upstream, setting: Setting) -> Finding:
    judge = setting.tls or setting.plain
    assert judge is not None  # noqa: S101 -- a round has judges
    clock = asyncio.get_running_loop().time
    began_s = clock()
    nonce = secrets.token_hex(16)
    context = setting.context if judge.is_tls else None
    limit_s = setting.limits.connect_s
    streams = await wire.tunnel(upstream, judge, tls=context, timeout_s=limit_s)
    connected_s = clock()
    answer = answer_of(await _closing(streams, wire.ask_directly(streams, judge, nonce)), nonce)
    return Finding(
        subject.key,
        Verdict.OK,
        latency_ms=_corrected_ms(clock() - began_s, setting, _WAKE_UPS),
        connect_ms=_corrected_ms(connected_s - began_s, setting, 1),
        exit_ip=exit_of(answer),
        anonymity=anonymity_of(answer, own=setting.own),
        tls_ok=True if judge.is_tls else None,
    )


async def _reaches_tls(upstream: Upstream, setting: Setting) -> bool:
    """Say whether TLS sites are reached unread.

    Raises:
        CheckFailedError: ``intercepted``: then nothing else counts.
    """
    judge = setting.tls
    assert judge is not None  # noqa: S101 -- the caller looked
    nonce = secrets.token_hex(16)
    limit_s = setting.limits.connect_s
    try:
        streams = await wire.tunnel(upstream, judge, tls=setting.context, timeout_s=limit_s)
        answer_of(await _closing(streams, wire.ask_directly(streams, judge, nonce)), nonce)
    except CheckFailedError as failed:
        if failed.verdict == Verdict.INTERCEPTED:
            raise
        return False
    except (OSError, EOFError, ValueError):
        return False
    return True


async def _closing(streams: Streams, asking: Any) -> bytes:
    """Await an answer, then drop the connection, whatever happened."""
    try:
        body: bytes = await asking
    finally:
        streams[1].transport.abort()
    return body


def _corrected_ms(took_s: float, setting: Setting, wake_ups: int) -> float:
    corrected = took_s - wake_ups * setting.lag_s
    return 1000 * max(corrected, took_s * _LEAST_SHARE)


async def ask_judge(judge: Judge, setting: Setting) -> dict[str, Any]:
    """Ask a judge without a proxy; return its answer.

    Raises:
        CheckFailedError: it doesn't answer as a judge does.
    """
    address = await wire.checked_address(judge.host, judge.port)
    nonce = secrets.token_hex(16)
    streams = await wire.connect(address, judge.port, timeout_s=setting.limits.connect_s)
    if judge.is_tls:
        await wire.start_tls(streams, judge, setting.context)
    return answer_of(await _closing(streams, wire.ask_directly(streams, judge, nonce)), nonce)


def answer_of(body: bytes, nonce: str) -> dict[str, Any]:
    """Return what a judge said.

    Raises:
        CheckFailedError: it isn't a judge's answer to this nonce.
    """
    try:
        found = json.loads(body)
    except ValueError as error:
        raise CheckFailedError(Verdict.MISMATCH, "the answer is not the judge's") from error
    if not isinstance(found, dict) or found.get("nonce") != nonce:
        raise CheckFailedError(Verdict.MISMATCH, "the nonce did not come back")
    return found


def exit_of(answer: dict[str, Any]) -> str:
    """Return the address that the judge saw; empty where it says none."""
    try:
        found = ipaddress.ip_address(str(answer.get("remote", "")))
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(found)


def anonymity_of(answer: dict[str, Any], *, own: frozenset[str]) -> str:
    """Return what the judge learned of us: our address, that there is a proxy, or nothing."""
    headers = answer.get("headers")
    if not isinstance(headers, dict):
        return ""
    told = {str(name).lower(): str(value) for name, value in headers.items()}
    told.pop("host", None)
    if any(own & set(_TOKENS.findall(value)) for value in told.values()):
        return Anonymity.TRANSPARENT
    if told.keys() & _REVEALING or any(name.startswith("x-proxy") for name in told):
        return Anonymity.ANONYMOUS
    return Anonymity.ELITE
