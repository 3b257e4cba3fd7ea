"""Acquire + release of proxies over REST, beside the raw driver running the same SQL (P-14).

    python -m tests.benchmarks.proxies_leases --servers daphne uvicorn --pools 100 1000 10000 \
        --connections 1 16 64 --seconds 4

Starts its own installation in a temporary folder (SQLite, or the database of ``--database``, which
it fills with proxies and empties again), one web process per server, and this process with the
clients. A pair is one lease acquired and released over a kept connection. ``cpu_us`` is what a
pair costs the web process: on a busy machine compare that. ``service`` calls the verbs in one
thread without a server; ``raw`` runs the statements that the service was heard to run, with fresh
values, by the driver alone (``proxies_leases_raw``); the two take turns, ``ratio`` is service over
raw. The three stand in one run; ``--servers`` without a name leaves out the servers.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

from tests.benchmarks.streams import ROOT, free_port, server_command, wait_for

FILL = """
import sys, uuid, django
django.setup()
from django.utils import timezone
from proxies.identity import endpoint_key
from proxies.models import Lease, LeaseSlot, Proxy, TargetState
count = int(sys.argv[1])
Lease.objects.all().delete(); TargetState.objects.all().delete()
LeaseSlot.objects.all().delete(); Proxy.objects.all().delete()
rows = []
for number in range(count):
    host = f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"
    proxy = Proxy(scheme="http", host=host, port=8080, state="healthy", pool="warm", score=60.0,
                  good_weight=1.0, total_weight=1.5, evidence_at=timezone.now())
    proxy.exclusive_key = endpoint_key(proxy.identity)
    rows.append(proxy)
Proxy.objects.bulk_create(rows, batch_size=500)
LeaseSlot.objects.bulk_create([LeaseSlot(exclusive_key=p.exclusive_key) for p in rows], batch_size=500)
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("ANALYZE")
"""


def run(code: str, *args: str, env: dict[str, str]) -> str:
    """Run a piece of Python beside the product; return what it prints."""
    command = [sys.executable, "-c", code, *args]
    done = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    return done.stdout


def prepare(env: dict[str, str]) -> str:
    """Migrate an installation; return a key of a plain user whose plan has no limits."""
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, env=env, check=True, capture_output=True)
    made = subprocess.run(
        [*manage, "create_api_key", "bench@example.com"],
        cwd=ROOT, env=env, check=True, capture_output=True, text=True,
    )  # fmt: skip
    run(
        "import django; django.setup()\n"
        "from accounts.models import Plan\n"
        "Plan.objects.filter(is_default=True).update(leases_at_once=1000)\n",
        env=env,
    )
    return made.stdout.split()[-1]


async def ask(streams: Any, path: str, body: dict[str, Any], key: str) -> tuple[int, Any]:
    """Post one request over a kept connection; return status and answer."""
    reader, writer = streams
    text = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Api-Key {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    writer.write(head.encode() + text)
    answer = await reader.readuntil(b"\r\n\r\n")
    low = answer.lower()
    at = low.index(b"content-length:") + 15
    size = int(low[at : low.index(b"\r\n", at)])
    return int(answer[9:12]), json.loads(await reader.readexactly(size))


async def client(port: int, key: str, wanted: dict[str, Any], until_s: float) -> list[float]:
    """Acquire and release until the time is over; return how long each acquire took."""
    streams = await asyncio.open_connection("127.0.0.1", port)
    took: list[float] = []
    while time.perf_counter() < until_s:
        began_s = time.perf_counter()
        status, lease = await ask(streams, "/api/proxies/leases", wanted, key)
        took.append(time.perf_counter() - began_s)
        if status != 201:
            raise RuntimeError(f"{status}: {lease}")
        body = {"token": lease["token"], "outcome": "ok", "latency_ms": 120.5}
        status, told = await ask(streams, f"/api/proxies/leases/{lease['id']}/release", body, key)
        if status != 200:
            raise RuntimeError(f"{status}: {told}")
    streams[1].close()
    return took


async def clients(
    port: int, key: str, wanted: dict[str, Any], *, connections: int, seconds: float
) -> tuple[list[float], float]:
    """Let so many clients work at once; return the times of all acquires, and the whole time."""
    began_s = time.perf_counter()
    all_of_them = (client(port, key, wanted, began_s + seconds) for _ in range(connections))
    took = await asyncio.gather(*all_of_them)
    return [one for found in took for one in found], time.perf_counter() - began_s


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(kind: str, env: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Run one web process; yield its port and process number."""
    port = free_port()
    server = subprocess.Popen(server_command(kind, port), cwd=ROOT, env=env)
    try:
        wait_for(port)
        yield port, server.pid
    finally:
        server.terminate()
        server.wait(20)


def over_rest(args: argparse.Namespace, env: dict[str, str], key: str, pool: int) -> None:
    """Measure each server with each number of connections, on one pool."""
    wanted = {"target": args.target} if args.target else {}
    for kind in args.servers:
        with serving(kind, env) as (port, pid):
            uvloop.run(clients(port, key, wanted, connections=4, seconds=1))
            for connections in args.connections:
                before_s = cpu_s(pid)
                work = clients(port, key, wanted, connections=connections, seconds=args.seconds)
                took, seconds = uvloop.run(work)
                used_s = cpu_s(pid) - before_s
                took.sort()
                tell(
                    what=kind, pool=pool, connections=connections,
                    pairs_per_s=round(len(took) / seconds),
                    p50_ms=round(1000 * took[len(took) // 2], 1),
                    p95_ms=round(1000 * took[int(len(took) * 0.95)], 1),
                    cpu_us_per_pair=round(1e6 * used_s / len(took)),
                )  # fmt: skip


def by_hand(args: argparse.Namespace, env: dict[str, str], pool: int) -> None:
    """Measure the verbs beside the driver alone, on one pool."""
    command = [sys.executable, "-m", "tests.benchmarks.proxies_leases_raw"]
    command += [args.target, str(args.seconds)]
    done = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True)
    tell(**{**json.loads(done.stdout.splitlines()[-1]), "pool": pool})


def tell(**facts: Any) -> None:
    """Print one line."""
    print(json.dumps(facts), flush=True)


def main() -> None:
    """Measure, and print one line of JSON for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", nargs="*", default=["daphne", "uvicorn"])
    parser.add_argument("--pools", nargs="*", type=int, default=[100, 1000, 10000])
    parser.add_argument("--connections", nargs="*", type=int, default=[1, 16, 64])
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--target", default="")
    parser.add_argument("--database", default="", help="URL; none: SQLite in a temporary folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "project.settings"}
        env["RATE_LIMIT_ENABLED"] = "false"  # a plain key asks sixty times a minute
        if args.database:
            env["DATABASE_URL"] = args.database
        key = prepare(env)
        for pool in args.pools:
            run(FILL, str(pool), env=env)
            by_hand(args, env, pool)
            over_rest(args, env, key, pool)


if __name__ == "__main__":
    main()
