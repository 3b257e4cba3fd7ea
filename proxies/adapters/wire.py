"""Connecting through a proxy and asking one question: TCP, CONNECT, SOCKS, TLS, HTTP."""

import asyncio
import base64
import ipaddress
import ssl
from dataclasses import dataclass
from typing import Any, Final

import httptools

from project.core import addresses
from proxies.adapters import socks
from proxies.choices import Scheme, Verdict

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_BODY_BYTES: Final = 65536
_HEAD_BYTES: Final = 16384
_READ_BYTES: Final = 16384
_OK: Final = 200
_UNAUTHORIZED: Final = 407
_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
_SOCKS: Final = frozenset({Scheme.SOCKS4, Scheme.SOCKS5})


class CheckFailedError(Exception):
    """A check came to a verdict other than good."""

    def __init__(self, verdict: str, detail: str = "") -> None:
        super().__init__(detail or verdict)
        self.verdict = verdict
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Judge:
    """A server that answers what reached it."""

    url: str
    host: str
    port: int
    path: str
    is_tls: bool

    @property
    def authority(self) -> str:
        """``host:port`` as requests name it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A proxy as it is connected to: ``address`` was checked."""

    scheme: str
    address: str
    port: int
    username: str
    password: str

    @property
    def login(self) -> str:
        """The value of ``Proxy-Authorization``; empty without credentials."""
        if not self.username and not self.password:
            return ""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


async def checked_address(host: str, port: int) -> str:
    """Return the address to connect to for a proxy's host.

    Raises:
        CheckFailedError: it lies inside a private network, or there is none.
    """
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        return await _resolved(host, port)
    if not addresses.is_allowed(address):
        raise CheckFailedError(Verdict.FORBIDDEN)
    return address


async def _resolved(host: str, port: int) -> str:
    try:
        return (await addresses.resolve(host, port)).address
    except addresses.ForbiddenAddressError as error:
        raise CheckFailedError(Verdict.FORBIDDEN) from error
    except addresses.UnknownHostError as error:
        raise CheckFailedError(Verdict.REFUSED, "the host name has no address") from error


async def connect(address: str, port: int, *, timeout_s: float) -> Streams:
    """Open a TCP connection.

    Raises:
        CheckFailedError: refused, or not in time.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await _opened(address, port)
    except TimeoutError as error:
        raise CheckFailedError(Verdict.TIMEOUT, "connecting") from error
    except OSError as error:
        raise CheckFailedError(Verdict.REFUSED, type(error).__name__) from error


async def _opened(address: str, port: int) -> Streams:
    return await asyncio.open_connection(address, port, limit=_HEAD_BYTES)


async def ask_plainly(streams: Streams, upstream: Upstream, judge: Judge, nonce: str) -> Any:
    """Ask a judge in absolute form, which shows what the proxy adds; return the answer."""
    target = f"http://{judge.authority}{judge.path}?nonce={nonce}"
    return await _ask(streams, target, judge, login=upstream.login)


async def ask_directly(streams: Streams, judge: Judge, nonce: str) -> Any:
    """Ask a judge over a connection, or tunnel, that leads to it; return the answer."""
    return await _ask(streams, f"{judge.path}?nonce={nonce}", judge, login="")


async def _ask(streams: Streams, target: str, judge: Judge, *, login: str) -> Any:
    headers = [
        ("Host", judge.authority),
        ("User-Agent", _AGENT),
        ("Accept", "application/json"),
        ("Connection", "close"),
    ]
    if login:
        headers.append(("Proxy-Authorization", login))
    return await _exchange(streams, target, headers)


async def _exchange(streams: Streams, target: str, headers: list[tuple[str, str]]) -> Any:
    reader, writer = streams
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    answer = _Answer()
    while not answer.is_whole:
        chunk = await reader.read(_READ_BYTES)
        if not chunk:
            return answer.ended()
        answer.feed(chunk)
    return bytes(answer.body)


class _Answer:
    """An HTTP answer as its bytes come in."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.is_whole = False
        self._parser = httptools.HttpResponseParser(self)
        self._head_bytes: int | None = 0  # None: the head is over
        self._says_its_end = False

    def feed(self, chunk: bytes) -> None:
        """Take in more.

        Raises:
            CheckFailedError: this is no good HTTP answer, or too long a one.
        """
        if self._head_bytes is not None:
            self._head_bytes += len(chunk)
        try:
            self._parser.feed_data(chunk)
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, CheckFailedError):
                raise error.__context__ from None
            raise
        except httptools.HttpParserError as error:
            raise CheckFailedError(Verdict.BAD_ANSWER, "no whole HTTP answer") from error
        if self._head_bytes is not None and self._head_bytes > _HEAD_BYTES:
            raise CheckFailedError(Verdict.BAD_ANSWER, "the head is far too long")

    def ended(self) -> bytes:
        """Return the body, where the connection's end may be its end, too.

        Raises:
            CheckFailedError: the other side hung up before.
        """
        if self._head_bytes is None and not self._says_its_end:
            return bytes(self.body)
        raise CheckFailedError(Verdict.REFUSED, "hung up")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note whether the body says where it ends."""
        if name.lower() in {b"content-length", b"transfer-encoding"}:
            self._says_its_end = True

    def on_headers_complete(self) -> None:
        """Look at the status."""
        status = self._parser.get_status_code()
        if status >= _OK:  # below that another head follows
            self._head_bytes = None
            _require_good(status)

    def on_body(self, part: bytes) -> None:
        """Take in a part of the body."""
        self.body += part
        _require_small(self.body)

    def on_message_complete(self) -> None:
        """Note the end, unless it was that of an interim answer."""
        self.is_whole = self._head_bytes is None


def _require_good(status: int) -> None:
    if status == _UNAUTHORIZED:
        raise CheckFailedError(Verdict.UNAUTHORIZED, "407")
    if status != _OK:
        raise CheckFailedError(Verdict.BAD_ANSWER, f"answered {status}")


def _require_small(body: bytearray) -> None:
    if len(body) > _BODY_BYTES:
        raise CheckFailedError(Verdict.MISMATCH, "the answer is far too long")


async def tunnel(
    upstream: Upstream, judge: Judge, *, tls: ssl.SSLContext | None, timeout_s: float
) -> Streams:
    """Open a tunnel through a proxy to a judge, with verified TLS where ``tls`` is given.

    Raises:
        CheckFailedError: no tunnel; or ``intercepted``: somebody reads along.
    """
    if upstream.scheme in _SOCKS:
        streams = await _through_socks(upstream, judge, timeout_s=timeout_s)
    else:
        streams = await connect(upstream.address, upstream.port, timeout_s=timeout_s)
        await _connect_method(streams, upstream, judge)
    if tls is not None:
        await start_tls(streams, judge, tls)
    return streams


async def _connect_method(streams: Streams, upstream: Upstream, judge: Judge) -> None:
    reader, writer = streams
    lines = [f"CONNECT {judge.authority} HTTP/1.1", f"Host: {judge.authority}"]
    if upstream.login:
        lines.append(f"Proxy-Authorization: {upstream.login}")
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        writer.transport.abort()
        raise CheckFailedError(Verdict.REFUSED, "hung up at CONNECT") from error
    words = head.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or not words[1].isdigit():  # noqa: PLR2004 -- protocol and status
        writer.transport.abort()
        raise CheckFailedError(Verdict.BAD_ANSWER, "no HTTP answer to CONNECT")
    try:
        _require_good(int(words[1]))
    except CheckFailedError:
        writer.transport.abort()
        raise


async def start_tls(streams: Streams, judge: Judge, tls: ssl.SSLContext) -> None:
    """Begin verified TLS with a judge over a connection that leads to it.

    Raises:
        CheckFailedError: ``intercepted`` where its certificate is not the judge's.
    """
    writer = streams[1]
    try:
        await writer.start_tls(tls, server_hostname=judge.host)
    except ssl.SSLCertVerificationError as error:
        writer.transport.abort()
        raise CheckFailedError(Verdict.INTERCEPTED, error.verify_message) from error
    except (OSError, EOFError) as error:  # ssl.SSLError is an OSError
        writer.transport.abort()
        raise CheckFailedError(Verdict.BAD_ANSWER, f"TLS: {type(error).__name__}") from error


async def _through_socks(upstream: Upstream, judge: Judge, *, timeout_s: float) -> Streams:
    streams: Streams | None = None
    try:
        async with asyncio.timeout(timeout_s):
            streams = await _opened(upstream.address, upstream.port)
            await _ask_socks(streams, upstream, judge)
    except BaseException as error:
        if streams is not None:
            streams[1].transport.abort()
        _explain_socks(error)
        raise
    return streams


async def _ask_socks(streams: Streams, upstream: Upstream, judge: Judge) -> None:
    who = {"username": upstream.username}
    if upstream.scheme == Scheme.SOCKS4:
        await socks.open_4(streams, judge.host, judge.port, **who)
    else:
        who["password"] = upstream.password
        await socks.open_5(streams, judge.host, judge.port, **who)


def _explain_socks(error: BaseException) -> None:
    """Raise what a failure means; nothing for one that is ours."""
    if isinstance(error, TimeoutError):
        raise CheckFailedError(Verdict.TIMEOUT, "connecting") from error
    if isinstance(error, socks.SocksError):
        verdict = Verdict.UNAUTHORIZED if error.is_login else Verdict.BAD_ANSWER
        raise CheckFailedError(verdict, str(error)) from error
    if isinstance(error, EOFError):
        raise CheckFailedError(Verdict.BAD_ANSWER, "hung up") from error
    if isinstance(error, OSError):
        raise CheckFailedError(Verdict.REFUSED, type(error).__name__) from error
