"""A scaled installation behind nginx: requests at a steady rate while hundreds of streams are open.

    python -m tests.benchmarks.deployment --rate 50 --seconds 60 --streams 300

Starts PostgreSQL and Redis (from the wheels of the tests), migrates, then two web processes, two
workers, beat, and nginx with ``deploy/nginx/millrace.conf`` before them, all in production settings.
Half of the streams are SSE, half websockets, each follows one of twenty runs that get an event a
second; requests are a mix of what clients ask, sent when they are due whether or not earlier ones
were answered, so that lateness is not left out. Prints JSON; exit status 1 when p95 is over 250 ms,
anything failed, or a stream missed an event.
"""

import argparse
import asyncio
import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import uvloop
from cryptography.fernet import Fernet

from tests.benchmarks.deployment_load import Load, ask_all
from tests.benchmarks.proxies_leases import FILL
from tests.benchmarks.streams import ROOT, wait_for
from tests.services import guarded, nginx, postgres, valkey

MOST_P95_MS = 250
WORLD = """
import json, sys, django
django.setup()
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from markets import storing
from markets.choices import Source
from project.core import events
from project.core.choices import RunStatus
from project.core.models import Run
from tests.benchmarks.markets_upsert import NOW, rows
from tests.markets.factories import make_series
series = make_series("BTC/USDT")
storing.upsert_candles(series_id=series.pk, rows=rows(0, 20_000), source=Source.COLLECT, now=NOW)
user, now = User.objects.get(email="bench@example.com"), timezone.now()
made = []
for number in range(20):
    run = Run(kind="core.clean_up", requested_by=user, created_at=now, started_at=now, attempt=1,
              status=RunStatus.RUNNING, worker="bench", heartbeat_at=now,
              claimed_until=now + timedelta(hours=1))
    first = events.first(run, now=now)
    run.save(force_insert=True)
    first.save(force_insert=True)
    made.append(str(run.pk))
print(json.dumps({"market": series.market_id, "runs": made}))
"""
TICKER = """
import itertools, json, sys, time, django
django.setup()
from django.utils import timezone
from project.core import events
from project.core.models import Run
runs = [Run.objects.get(pk=pk) for pk in json.loads(sys.argv[1])]
for number in itertools.count():
    began = time.time()
    for run in runs:
        data = {"number": number, "sent_s": time.time()}
        events.append(run, "tick", data, where={}, now=timezone.now())
    time.sleep(max(0.0, began + 1 - time.time()))
"""


def settings(folder: str, database: str, redis: str) -> dict[str, str]:
    """Return the environment that the processes of an installation share."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "ENVIRONMENT": "production",
        "PUBLIC_URL": "https://localhost",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "CELERY_BROKER_URL": redis[:-1] + "1",
        "TRUSTED_PROXIES": "127.0.0.1/32",
        "RATE_LIMIT_ENABLED": "false",  # one client plays hundreds
        "DATA_DIR": folder,
        "LOG_LEVEL": "WARNING",
    }


def run(words: list[str], env: dict[str, str]) -> str:
    """Run a command of the product to its end; return what it printed."""
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


class Installation:
    """All processes of an installation; ends them with itself."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        database = stack.enter_context(postgres.running())
        redis = stack.enter_context(valkey.running())
        self.env = settings(str(folder), database, redis)
        self.folder, self.stack = folder, stack
        run(["manage.py", "migrate", "-v0"], self.env)
        run(["manage.py", "collectstatic", "--noinput", "-v0"], self.env)
        self.key = run(["manage.py", "create_api_key", "bench@example.com"], self.env).split()[-1]
        run(["-c", FILL, "1000"], self.env)
        self.world: dict[str, Any] = json.loads(run(["-c", WORLD], self.env).splitlines()[-1])

    def start(self, words: list[str]) -> subprocess.Popen[bytes]:
        """Start one process."""
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=self.env, stdout=subprocess.DEVNULL
        )
        self.stack.callback(process.wait, 60)
        self.stack.callback(process.send_signal, signal.SIGTERM)
        return process

    def open(self) -> nginx.Front:
        """Start webs, workers, beat and nginx; return where nginx listens."""
        ports = [guarded.free_port() for _ in range(2)]
        for port in ports:
            self.start(["-m", "uvicorn", "project.asgi:application", "--port", str(port),
                        "--no-proxy-headers", "--log-level", "warning"])  # fmt: skip
        for number in range(2):
            self.start(["-m", "celery", "-A", "project", "worker", "-n", f"bench{number}@%h",
                        "--loglevel", "ERROR", "--concurrency", "4"])  # fmt: skip
        self.start(["-m", "celery", "-A", "project", "beat", "--loglevel", "ERROR"])
        for port in ports:
            wait_for(port)
        program = nginx.program()
        if program is None:
            raise SystemExit("nginx is not here: apt-get install nginx-light")
        running = nginx.running(program, webs=ports, static=self.folder / "static")
        return self.stack.enter_context(running)


def main() -> int:
    """Run it; the exit status is 1 when a target is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=50, help="requests per second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--streams", type=int, default=300)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        installation = Installation(Path(folder), stack)
        front = installation.open()
        ticker = subprocess.Popen(
            [sys.executable, "-c", TICKER, json.dumps(installation.world["runs"])],
            cwd=ROOT, env=installation.env, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(ticker.wait, 30)
        stack.callback(ticker.terminate)
        load = Load(
            port=front.tls_port,
            trust=ssl.create_default_context(cafile=str(front.ca_file)),
            key=installation.key,
            market=installation.world["market"],
            runs=tuple(installation.world["runs"]),
            rate=wanted.rate,
            seconds=wanted.seconds,
            streams=wanted.streams,
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(ask_all(load))
    found["target_p95_ms"] = MOST_P95_MS
    failed = found["errors"] or found["streams_lost"] or found["events_missed"]
    is_met = not failed and found["p95_ms"] < MOST_P95_MS
    found["met"] = is_met
    print(json.dumps(found, indent=2))
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
