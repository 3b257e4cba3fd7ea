"""How long an answer that is there already takes, over HTTP, with other clients at work.

    python -m tests.benchmarks.analysis_cached --requests 1000 --beside 3

Starts its own installation in a temporary folder: one web process (daphne, SQLite), one video with
a result, and this process, which asks for the video again and again (`POST /api/videos/analyze`
and `GET …/locations`), alone and while others ask the same without a pause. Redis is used where
`REDIS_URL` names one. The bare answer is the same server's `/health/live`, asked as often.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable

from tests.benchmarks.streams import ROOT, free_port, server_command, wait_for

TARGET_P95_MS = 20.0
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
SEED = f"""
import django; django.setup()
from django.utils import timezone
from accounts import keys
from accounts.models import User
from analysis import enlisting, strategies, submitting
from analysis.models import Analysis, Job, Place
now = timezone.now()
user = User.objects.get(email="bench@example.com")
videos = enlisting.videos_of([submitting.unsaved({URL!r}, now=now)])
(analysis,) = enlisting.analyses_of(videos, strategies.find(), now=now)
Analysis.objects.filter(pk=analysis.pk).update(outcome="done", finished_at=now, places_total=20)
Place.objects.bulk_create([
    Place(analysis=analysis, n=n, raw=f"place {{n}}", name=f"Place {{n}}", longitude=n, latitude=n,
          kind="city", marker="city", tags=["city"], start_ms=n * 1000, end_ms=n * 1000 + 900)
    for n in range(1, 21)
])
"""


def prepare(env: dict[str, str]) -> str:
    """Migrate a fresh installation with one result; return an API key."""
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, env=env, check=True, capture_output=True)
    words = [*manage, "create_api_key", "bench@example.com"]
    made = subprocess.run(words, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    subprocess.run([sys.executable, "-c", SEED], cwd=ROOT, env=env, check=True)
    return made.stdout.split()[-1]


class Client:
    """One client with a connection of its own."""

    def __init__(self, port: int, key: str) -> None:
        self._to = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._head = {"Authorization": f"Api-Key {key}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: str | None = None) -> float:
        """Send one request; return the milliseconds until its answer was read whole."""
        began = time.perf_counter()
        self._to.request(method, path, body=body, headers=self._head)
        answer = self._to.getresponse()
        text = answer.read()
        took_ms = (time.perf_counter() - began) * 1000
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{answer.status} {text[:200]!r}")
        return took_ms

    def analyze(self) -> float:
        """Ask for the video whose result is there."""
        return self.ask("POST", "/api/videos/analyze", json.dumps({"url": URL}))

    def locations(self) -> float:
        """Ask for its places."""
        return self.ask("GET", "/api/videos/dQw4w9WgXcQ/locations")

    def live(self) -> float:
        """Ask for what costs nothing."""
        return self.ask("GET", "/health/live")


def figures(deed: Callable[[], float], count: int) -> dict[str, float]:
    """Do ``deed`` ``count`` times; return p50 and p95."""
    for _ in range(20):
        deed()
    cuts = statistics.quantiles([deed() for _ in range(count)], n=100)
    return {"p50_ms": round(cuts[49], 1), "p95_ms": round(cuts[94], 1)}


def beside(port: int, key: str, stop: threading.Event) -> threading.Thread:
    """Start another client that asks without a pause."""

    def run() -> None:
        client = Client(port, key)
        while not stop.is_set():
            client.analyze()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def measure(port: int, key: str, args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Ask alone, then with others beside."""
    client, stop = Client(port, key), threading.Event()
    found = {
        "bare": figures(client.live, args.requests),
        "analyze": figures(client.analyze, args.requests),
        "locations": figures(client.locations, args.requests),
    }
    others = [beside(port, key, stop) for _ in range(args.beside)]
    found[f"analyze_beside_{args.beside}"] = figures(client.analyze, args.requests)
    stop.set()
    for other in others:
        other.join(30)
    return found


def main() -> None:
    """Measure, and say whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--beside", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "project.settings"}
        env |= {"RATE_LIMIT_ENABLED": "false", "LOG_LEVEL": "WARNING"}
        key, port = prepare(env), free_port()
        server = subprocess.Popen(server_command("daphne", port), cwd=ROOT, env=env)
        try:
            wait_for(port)
            found = measure(port, key, args)
        finally:
            server.terminate()
            server.wait(10)
    met = found["analyze"]["p95_ms"] <= TARGET_P95_MS
    print(json.dumps({**found, "target_p95_ms": TARGET_P95_MS, "met_alone": met}, indent=2))


if __name__ == "__main__":
    main()
