"""Checks of live proxies a second and core, beside a bare client doing the same (P-6).

    python -m tests.benchmarks.proxies_checks --checks 3000 --at-once 50

One process serves as proxy and judge on loopback, this one checks. Each kind is paired: plain HTTP
with aiohttp on uvloop (one session, the nonce compared, no more), CONNECT and TLS with aiohttp,
SOCKS5 with python-socks and an answer read to its end. The two take turns, three rounds, on the
same set with the same concurrency. ``per_core_s`` is checks by this process's processor time,
which a busy machine leaves alone. ``memory`` checks the set and five times the set.
"""

import argparse
import asyncio
import json
import os
import secrets
import ssl
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from python_socks.async_.asyncio import Proxy as SocksProxy

from project.sandbox.certificates import TestAuthority
from tests.benchmarks.streams import ROOT, free_port, wait_for

NAME = "judge.sandbox.test"

SERVER = r"""
import asyncio, json, re, ssl, sys, uvloop
NONCE = re.compile(rb"nonce=(\w+)")
tls = None
if sys.argv[2]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); tls.load_cert_chain(sys.argv[2])
class Proxy(asyncio.Protocol):
    def __init__(self, is_judge=False): self.is_judge, self.step = is_judge, 0
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data):
        if data[:1] == b"\x05" and self.step == 0 and not self.is_judge:
            self.step = 1; self.transport.write(b"\x05\x00"); return
        if self.step == 1:
            self.step = 2; self.transport.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"); return
        if data.startswith(b"CONNECT "):
            self.transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
            asyncio.get_running_loop().create_task(self.secure()); return
        found = NONCE.search(data)
        body = json.dumps({"nonce": found.group(1).decode(), "method": "GET", "remote": "198.51.100.7",
                           "headers": {"host": "x", "accept": "application/json"}}).encode()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                             + str(len(body)).encode() + b"\r\nConnection: close\r\n\r\n" + body)
    async def secure(self):
        judge = Proxy(is_judge=True)
        try:
            judge.transport = await asyncio.get_running_loop().start_tls(
                self.transport, judge, tls, server_side=True)
        except (OSError, ConnectionError): pass
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Proxy, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()
uvloop.run(main())
"""


@contextmanager
def serving(certificate: str) -> Iterator[int]:
    """Run the proxy and judge; yield its port."""
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port), certificate]
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(port)
        yield port
    finally:
        server.kill()
        server.wait()


async def ours(kind: str, port: int, args: argparse.Namespace, ca_file: str, count: int) -> None:
    """Check with the product's checker."""
    from proxies.adapters import checker, probe
    from proxies.adapters.probe import Limits, Subject

    scheme = {"plain": "http", "connect": "https", "socks": "socks5"}[kind]
    url = f"https://{NAME}/judge" if kind == "connect" else f"http://127.0.0.1:{port}/judge"
    subjects = [Subject(number, scheme, "127.0.0.1", port) for number in range(count)]
    limits = Limits(connect_s=5, total_s=10, at_once=args.at_once, ca_file=ca_file)
    good, bad = 0, None
    judges = [probe.judge_of(url)]
    look = checker.look
    if kind == "connect":  # its judge is behind the proxy alone
        checker.look = always(judges[0])  # type: ignore[assignment]
    async for batch in checker.check_all(subjects, judges, limits=limits):
        good += sum(found.verdict == "ok" for found in batch.findings)
        bad = next((found for found in batch.findings if found.verdict != "ok"), bad)
    checker.look = look
    if good != count:
        raise RuntimeError(f"{good} of {count}: {bad}")


def always(judge: Any) -> Callable[..., Awaitable[list[Any]]]:
    """Return a look at judges that finds this one well."""

    async def look(judges: Any, setting: Any) -> list[Any]:
        setting.plain, setting.tls = None, judge
        return [judge]

    return look


async def bare(kind: str, port: int, args: argparse.Namespace, ca_file: str, count: int) -> None:
    """Check with a client that does nothing else."""
    numbers = iter(range(count))
    if kind == "socks":
        await asyncio.gather(*(by_socks(port, numbers) for _ in range(args.at_once)))
        return
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=ca_file)
    url = f"https://{NAME}/judge" if kind == "connect" else f"http://127.0.0.1:{port}/judge"
    how = {"proxy": f"http://127.0.0.1:{port}", "ssl": context}
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    timeout = aiohttp.ClientTimeout(total=10, connect=5)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        workers = (by_aiohttp(session, url, how, numbers) for _ in range(args.at_once))
        await asyncio.gather(*workers)


async def by_aiohttp(session: Any, url: str, how: dict[str, Any], numbers: Iterator[int]) -> None:
    """Ask the judge until there is no number left."""
    for _ in numbers:
        nonce = secrets.token_hex(16)
        async with session.get(f"{url}?nonce={nonce}", **how) as answer:
            require(await answer.read(), nonce)


async def by_socks(port: int, numbers: Iterator[int]) -> None:
    """Ask the judge by SOCKS5 until there is no number left."""
    for _ in numbers:
        nonce = secrets.token_hex(16)
        proxy = SocksProxy.from_url(f"socks5://127.0.0.1:{port}")
        sock = await proxy.connect("127.0.0.1", port, timeout=5)
        reader, writer = await asyncio.open_connection(sock=sock)
        writer.write(f"GET /judge?nonce={nonce} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        require(await reader.readexactly(size), nonce)
        writer.close()


def require(body: bytes, nonce: str) -> None:
    """Refuse an answer to another question."""
    if json.loads(body)["nonce"] != nonce:
        raise RuntimeError("another nonce")


def measure(way: Any, *given: Any) -> tuple[float, float]:
    """Return checks per second of processor time, and of the clock."""
    began_s, clock_s = time.process_time(), time.perf_counter()
    uvloop.run(way(*given))
    return given[-1] / (time.process_time() - began_s), given[-1] / (time.perf_counter() - clock_s)


def memory(kind: str, port: int, args: argparse.Namespace, ca_file: str) -> dict[str, int]:
    """Return the peak of allocated kB for the set, and for five times the set, without the set."""
    peaks = {}
    for times in (1, 5):
        tracemalloc.start()
        uvloop.run(ours(kind, port, args, ca_file, times * args.checks))
        peaks[f"peak_kb_x{times}"] = tracemalloc.get_traced_memory()[1] // 1024
        tracemalloc.stop()
    return peaks


def main() -> None:
    """Measure, and print one line of JSON for each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=3000)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", default=["plain", "connect", "socks"])
    parser.add_argument("--memory", action="store_true")
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    os.environ["ALLOW_PRIVATE_NETWORKS"] = "true"
    import django

    django.setup()
    authority = TestAuthority([NAME])
    authority.open()
    folder = Path(authority.ca_bundle).parent
    certificate = folder / "judge.pem"
    certificate.write_bytes(authority.server_pem)
    try:
        with serving(str(certificate)) as port:
            for kind in args.kinds:
                told = pair(kind, port, args, str(authority.ca_bundle))
                if args.memory and kind == "plain":
                    told |= memory(kind, port, args, str(authority.ca_bundle))
                print(json.dumps(told), flush=True)
    finally:
        authority.close()


def pair(kind: str, port: int, args: argparse.Namespace, ca_file: str) -> dict[str, Any]:
    """Let both take turns; return the medians and their ratio."""
    count = args.checks if kind == "plain" else args.checks // 3
    found: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
    for _ in range(args.rounds):
        for name, way in (("ours", ours), ("bare", bare)):
            found[name].append(measure(way, kind, port, args, ca_file, count))
    told: dict[str, Any] = {"kind": kind}
    for name, rounds in found.items():
        told[f"{name}_per_core_s"] = round(statistics.median(one[0] for one in rounds))
        told[f"{name}_per_s"] = round(statistics.median(one[1] for one in rounds))
    told["ratio"] = round(told["ours_per_core_s"] / told["bare_per_core_s"], 2)
    return told


if __name__ == "__main__":
    main()
