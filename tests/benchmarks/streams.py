"""How late events reach 1,000 subscribers of one server process, beside a bare broadcast.

    python -m tests.benchmarks.streams --server daphne --protocol sse --of job --subscribers 1000

Starts its own installation in a temporary folder: one web process, one process that writes
events of one run (or of a job of analysis, which shows its run's under other names), and this one,
which holds all clients. Each event carries the moment it was
written; its lateness is measured when a client has read it whole. The bare broadcast is an
asyncio server that sends lines of the same length, as often, to as many clients.
"""

import argparse
import asyncio
import base64
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

Begin = Callable[[], Awaitable[int]]
ROOT = Path(__file__).resolve().parents[2]
TARGETS_MS = {
    ("daphne", "ws"): 250,
    ("uvicorn", "ws"): 250,
    ("daphne", "sse"): 500,
    ("uvicorn", "sse"): 300,
}

WRITER = """
import os, sys, time, django
django.setup()
from django.utils import timezone
from project.core import events
from project.core.choices import RunStatus
from project.core.models import Run
run = Run.objects.get(pk=sys.argv[1])
for number in range(int(sys.argv[2])):
    events.append(run, sys.argv[4], {"sent_s": time.time(), "pad": "x" * 80}, where={}, now=timezone.now())
    time.sleep(float(sys.argv[3]))
events.record(run, where={}, now=timezone.now(), changes={
    "status": RunStatus.DONE, "ended_at": timezone.now(), "claimed_until": None, "progress": 100})
"""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


#: What is asked for to be followed, and the event by which its news are told.
ASKS = {
    "run": "runs.submit(runs.Ask(kind='core.clean_up'), by=by, now=now)",
    "job": "submitting.of_transcript(submitting.Transcript('a.txt', b'to Taipei'), by=by, now=now).job",
}
NEWS = {"run": "tick", "job": "partial_locations"}


def prepare(env: dict[str, str], of: str) -> tuple[str, str]:
    """Migrate a fresh installation; return an API key and the id of a run or job to follow."""
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, env=env, check=True, capture_output=True)
    made = subprocess.run(
        [*manage, "create_api_key", "bench@example.com"],
        cwd=ROOT,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    code = (
        "import django; django.setup()\n"
        "from django.utils import timezone\n"
        "from accounts.models import User\n"
        "from project.core.callers import Caller\n"
        "from project.core import runs\n"
        "from analysis import submitting\n"
        "by = Caller(user_id=User.objects.get(email='bench@example.com').pk)\n"
        "now = timezone.now()\n"
        f"print({ASKS[of]}.pk)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )
    return made.stdout.split()[-1], run.stdout.split()[-1]


def server_command(kind: str, port: int) -> list[str]:
    """Return how to start one web process."""
    app = "project.asgi:application"
    if kind == "daphne":
        return [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0", app]
    return [
        sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port),
        "--log-level", "warning", "--loop", "uvloop",
    ]  # fmt: skip


def wait_for(port: int) -> None:
    """Return when the port answers."""
    for _ in range(2400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


def request_of(protocol: str, run_id: str, key: str, of: str = "run") -> bytes:
    """Return the bytes that open one stream."""
    if protocol == "bare":
        return b"\n"
    head = ["Host: 127.0.0.1", f"Authorization: Api-Key {key}"]
    if protocol == "sse":
        lines = [f"GET /api/{of}s/{run_id}/stream HTTP/1.1", *head]
    else:
        nonce = base64.b64encode(os.urandom(16)).decode()
        upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        lines = [
            f"GET /ws/{of}s/{run_id}/ HTTP/1.1",
            *head,
            *upgrade,
            f"Sec-WebSocket-Key: {nonce}",
        ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def follow(port: int, opening: bytes, late_ms: list[float], ready: asyncio.Semaphore) -> int:
    """Open one stream and note how late each event is; return how many came."""
    async with ready:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(opening)
        await writer.drain()
        await reader.read(64)
    rest, count = b"", 0
    while chunk := await reader.read(65536):
        now = time.time()
        rest += chunk
        while (at := rest.find(b'"sent_s":')) >= 0:
            end = rest.find(b",", at)
            if end < 0:
                break
            late_ms.append((now - float(rest[at + 9 : end])) * 1000)
            rest, count = rest[end:], count + 1
        rest = rest[-400:] if b'"sent_s":' not in rest else rest
    writer.close()
    return count


async def measure(port: int, opening: bytes, subscribers: int, begin: Begin) -> dict[str, float]:
    """Hold all clients, call ``begin`` when they are in, return the figures."""
    late_ms: list[float] = []
    ready = asyncio.Semaphore(50)
    began = time.perf_counter()
    clients = [
        asyncio.create_task(follow(port, opening, late_ms, ready)) for _ in range(subscribers)
    ]
    await asyncio.wait(clients, timeout=subscribers / 250 + 2, return_when=asyncio.FIRST_COMPLETED)
    opened_s = time.perf_counter() - began
    await asyncio.sleep(2)
    late_ms.clear()
    done = await begin()
    await asyncio.wait(clients, timeout=30)
    failed = sum(not client.done() or bool(client.exception()) for client in clients)
    for client in clients:
        client.cancel()
    cuts = statistics.quantiles(late_ms, n=100)
    return {
        "opened_s": round(opened_s, 1), "events_sent": done, "events_read": len(late_ms),
        "p50_ms": round(cuts[49], 1), "p95_ms": round(cuts[94], 1), "p99_ms": round(cuts[98], 1),
        "clients_not_ended": failed,
    }  # fmt: skip


async def product(args: argparse.Namespace) -> dict[str, float]:
    """Measure the product."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "project.settings"}
        env["RATE_LIMIT_ENABLED"] = "false"  # a plain key opens five streams a minute
        key, run_id = prepare(env, args.of)
        port = free_port()
        server = subprocess.Popen(server_command(args.server, port), cwd=ROOT, env=env)
        try:
            wait_for(port)

            async def begin() -> int:
                command = [
                    sys.executable,
                    "-c",
                    WRITER,
                    run_id,
                    str(args.events),
                    str(args.every_s),
                    NEWS[args.of],
                ]
                writer = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=env)
                await writer.wait()
                return int(args.events)

            opening = request_of(args.protocol, run_id, key, args.of)
            return await measure(port, opening, args.subscribers, begin)
        finally:
            server.terminate()
            server.wait(10)


BARE = """
import asyncio, json, sys, time
clients = []
async def handle(reader, writer):
    writer.write(b"hello\\n"); clients.append(writer)
async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", int(sys.argv[1]), backlog=2000)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.readline)
    for _ in range(int(sys.argv[2])):
        line = json.dumps({"sent_s": time.time(), "pad": "x" * 80}).encode() + b"\\n\\n"
        for client in clients: client.write(line)
        await asyncio.sleep(float(sys.argv[3]))
    for client in clients: client.close()
asyncio.run(main())
"""


async def bare(args: argparse.Namespace) -> dict[str, float]:
    """Measure the bare broadcast."""
    port = free_port()
    command = [sys.executable, "-c", BARE, str(port), str(args.events), str(args.every_s)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        wait_for(port)

        async def begin() -> int:
            assert server.stdin is not None
            server.stdin.write(b"go\n")
            server.stdin.flush()
            await asyncio.sleep(args.events * args.every_s)
            return int(args.events)

        return await measure(port, request_of("bare", "", ""), args.subscribers, begin)
    finally:
        server.kill()
        server.wait()


def main() -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")
    parser.add_argument("--protocol", choices=["sse", "ws"], default="sse")
    parser.add_argument("--of", choices=sorted(ASKS), default="run")
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument("--every-s", type=float, default=0.2)
    args = parser.parse_args()
    ours, raw = asyncio.run(product(args)), asyncio.run(bare(args))
    target = TARGETS_MS[args.server, args.protocol]
    print(json.dumps({"ours": ours, "bare": raw, "p95_ratio": round(ours["p95_ms"] / raw["p95_ms"], 1),
                      "target_p95_ms": target, "met": ours["p95_ms"] <= target}, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
