"""What an HTTP proxy does with a request: forward it, tunnel, or misbehave."""

import asyncio
import base64
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from project.sandbox.proxies.relaying import Uses, relay
from project.sandbox.proxies.specs import ProxyKind, ProxySpec
from project.sandbox.proxies.upstream import Network, NotAllowedError, Streams, Target

VIA = "1.1 sandbox-proxy"
LYING_PAGE = "<html><head><title>Welcome</title></head><body>It works!</body></html>"

_HOP_BY_HOP = frozenset({"proxy-connection", "proxy-authorization", "connection", "keep-alive"})


class _BadRequestError(Exception):
    """The client doesn't speak HTTP to a proxy."""


@dataclass(frozen=True, slots=True)
class _Head:
    """The first lines of a request."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str | None:
        """Return a header's value, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name), None)


async def serve(client: Streams, *, spec: ProxySpec, network: Network, uses: Uses) -> None:
    """Serve one connection of a client, which carries one request."""
    writer = client[1]
    try:
        head = _parsed(await client[0].readuntil(b"\r\n\r\n"))
    except _BadRequestError:
        writer.write(_answer("400 Bad Request", "Bad Request"))
        return
    uses.requests += 1
    early = _early_answer(head, spec, uses)
    if early is not None:
        writer.write(early)
        return
    try:
        if head.method == "CONNECT":
            await _tunnel(client, _host_port(head.target, 443), spec, network, uses)
        else:
            await _forward(client, head, spec, network, uses)
    except (NotAllowedError, OSError, _BadRequestError):
        uses.failed += 1
        writer.write(_answer("502 Bad Gateway", "Bad Gateway"))


def _early_answer(head: _Head, spec: ProxySpec, uses: Uses) -> bytes | None:
    """Return what a proxy answers without asking anybody."""
    if spec.username is not None and head.get("proxy-authorization") != _basic(spec):
        uses.unauthorized += 1
        realm = 'Proxy-Authenticate: Basic realm="sandbox"\r\n'
        return _answer("407 Proxy Authentication Required", "Who are you?", realm)
    if spec.kind is ProxyKind.LYING:
        return _answer("200 OK", LYING_PAGE)
    if spec.kind is ProxyKind.BAD_GATEWAY:
        return _answer("502 Bad Gateway", "Bad Gateway")
    return None


def _basic(spec: ProxySpec) -> str:
    pair = f"{spec.username}:{spec.password or ''}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _parsed(head: bytes) -> _Head:
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004
        raise _BadRequestError(lines[0])
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    return _Head(words[0], words[1], headers)


def _host_port(text: str, usual_port: int) -> Target:
    """Read ``host:port``, ``[v6]:port`` or a host alone."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError as wrong:
        raise _BadRequestError(text) from wrong
    if not host:
        raise _BadRequestError(text)
    return host, port or usual_port


async def _tunnel(
    client: Streams, target: Target, spec: ProxySpec, network: Network, uses: Uses
) -> None:
    uses.tunnels += 1
    uses.aimed(*target)
    if spec.kind is ProxyKind.TLS_INTERCEPTING:
        await _intercept(client, target, spec, network, uses)
        return
    upstream = await network.connected(target, exit_address=spec.exit_address)
    client[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await relay(client, upstream, uses)


async def _intercept(
    client: Streams, target: Target, spec: ProxySpec, network: Network, uses: Uses
) -> None:
    """Read along: TLS with the client under our own certificate, TLS with the target."""
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    upstream = await network.connected(target, exit_address=spec.exit_address, tls=blind)
    client[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    try:
        await client[1].start_tls(network.forged_context())
    except (OSError, asyncio.CancelledError):
        upstream[1].close()
        raise
    await relay(client, upstream, uses)


async def _forward(
    client: Streams, head: _Head, spec: ProxySpec, network: Network, uses: Uses
) -> None:
    """Ask the target in the client's name; one request per connection."""
    url = urlsplit(head.target)
    if url.scheme != "http":
        raise _BadRequestError(head.target)
    host, port = _host_port(url.netloc.rpartition("@")[2], 80)
    uses.aimed(host, port)
    upstream = await network.connected((host, port), exit_address=spec.exit_address)
    path = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
    peer = str(client[1].get_extra_info("peername")[0])
    lines = [f"{head.method} {path} HTTP/1.1", *_onward(head, spec, peer)]
    upstream[1].write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    await relay(client, upstream, uses)


def _onward(head: _Head, spec: ProxySpec, peer: str) -> list[str]:
    """Return the headers that go on: the client's own, and what the proxy tells about it."""
    kept = [f"{name}: {value}" for name, value in head.headers if name.lower() not in _HOP_BY_HOP]
    if spec.kind in (ProxyKind.ANONYMOUS, ProxyKind.TRANSPARENT):
        kept.append(f"Via: {VIA}")
    if spec.kind is ProxyKind.TRANSPARENT:
        kept.append(f"X-Forwarded-For: {peer}")
    return [*kept, "Connection: close"]


def _answer(status: str, body: str, more: str = "") -> bytes:
    text = body.encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(text)}\r\n"
        f"{more}Connection: close\r\n\r\n"
    ).encode() + text
