"""The whole installation, as `make run` starts it: on SQLite, or on the round's servers."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from project.core.pids import incarnation
from tests.project import sinks
from tests.services import guarded, postgres

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 60.0
#: Settings of the test process that must not reach an installation of its own.
NOT_INHERITED = {
    *("DJANGO_SETTINGS_MODULE", "PROMETHEUS_MULTIPROC_DIR", "SECRET_KEY", "FIELD_KEYS"),
    "MILLRACE_ROUND",
}


class Installation:
    """One run of ``manage.py up``."""

    def __init__(self, data_dir: Path, port: int, more: dict[str, str]) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.log = data_dir.with_suffix(".log")
        kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        self.environment = {**kept, **more, "DATA_DIR": str(data_dir), "PORT": str(port)}
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        """Return everything that was said so far."""
        return self.log.read_text()

    def wait_said(self, text: str) -> None:
        """Wait until ``text`` was said."""
        until = time.monotonic() + WITHIN_S
        while text not in self.said():
            assert time.monotonic() < until, self.said()
            assert self.process.poll() is None, self.said()
            time.sleep(0.05)

    def get(self, path: str, **headers: str) -> Any:
        """Return what the installation answers, as JSON."""
        asked = urllib.request.Request(self.address + path, headers=headers)
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.load(answer)

    def post(self, path: str, **headers: str) -> Any:
        """Return what the installation answers to an empty object, as JSON."""
        named = {"Content-Type": "application/json", **headers}
        asked = urllib.request.Request(self.address + path, b"{}", named)
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.load(answer)

    def key(self) -> str:
        """Return a key that may do what staff may."""
        words = ["manage.py", "create_api_key", "admin@localhost", "--scope", "admin"]
        made = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return made.stdout.split()[-1]

    def children(self) -> dict[str, int]:
        """Return the process numbers of the children by role."""
        pid = self.process.pid
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        names = {Path(f"/proc/{pid}/comm").read_text().strip(): int(pid) for pid in pids}
        return {name.removeprefix("millrace-"): pid for name, pid in names.items()}

    def wait_children_gone(self, pids: list[int]) -> None:
        """Wait until none of ``pids`` lives."""
        until = time.monotonic() + WITHIN_S
        while any(incarnation(pid) for pid in pids):
            assert time.monotonic() < until
            time.sleep(0.02)


@pytest.fixture
def database() -> Iterator[dict[str, str]]:
    """An empty database of the round's kind, as environment."""
    url = os.environ.get("DATABASE_URL")
    if url is None:
        yield {}
        return
    with postgres.fresh_database(url) as fresh:
        yield {"DATABASE_URL": fresh}


@pytest.fixture
def port() -> int:
    """Where the installation listens."""
    return guarded.free_port()


@pytest.fixture
def start(tmp_path: Path, port: int, database: dict[str, str]) -> Iterator[Any]:
    started: list[Installation] = []

    def begin(name: str = "data", **more: str) -> Installation:
        started.append(Installation(tmp_path / name, port, {**database, **more}))
        return started[-1]

    yield begin
    for installation in started:
        if installation.process.poll() is None:
            installation.process.terminate()
            installation.process.wait(WITHIN_S)


def test_up_runs_restarts_refuses_a_second_and_stops(start, tmp_path, record_property):
    began_at = time.monotonic()
    first = start()
    first.wait_said("Ctrl-C stops everything.")
    record_property("s of a first start", round(time.monotonic() - began_at, 1))

    assert first.get("/health/live")
    assert "threads run before the fork" not in first.said()
    password = (tmp_path / "data" / "admin-password").read_text().strip()
    assert first.said().count(password) == 1
    before = first.children()
    assert sorted(before) == ["beat", "web", "worker"]

    second = start()
    assert second.process.wait(WITHIN_S) == 1
    assert f"is in use by process {first.process.pid} ({first.address}/)" in second.said()

    for role in ("web", "worker"):
        os.kill(before[role], signal.SIGKILL)
    assert first.get("/health/live")  # waits for the new web process instead of being refused
    first.wait_said("worker runs again")

    asked_at = time.monotonic()
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(WITHIN_S) == 0
    took_s = time.monotonic() - asked_at
    record_property("s to stop", round(took_s, 1))
    assert took_s < 10
    assert re.search(r"Stopped in \d\.\d s\.\n$", first.said())


def test_up_starts_again_after_kill_9_without_a_new_password(start, tmp_path, record_property):
    first = start()
    first.wait_said("Ctrl-C stops everything.")
    password = (tmp_path / "data" / "admin-password").read_text().strip()
    children = list(first.children().values())

    first.process.kill()
    first.process.wait()
    began_at = time.monotonic()
    second = start()
    second.wait_said("staff user ... is there")
    first.wait_children_gone(children)

    assert second.get("/health/live")
    record_property("s of a start after kill -9", round(time.monotonic() - began_at, 1))
    assert second.said().count(password) == 1  # both wrote to one log: the first start's word
    assert "static files . unchanged" in second.said()


def test_up_says_that_the_port_is_taken_before_anything_starts(start, port):
    with socket.create_server(("127.0.0.1", port)):
        installation = start()
        assert installation.process.wait(WITHIN_S) == 1

    assert f"port {port} of 127.0.0.1 is taken by another program" in installation.said()
    assert "database" not in installation.said()


def test_web_broker_and_worker_are_one_trace(start):
    with sinks.running() as sink:
        up = start(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{sink.port}",
            OTEL_BSP_SCHEDULE_DELAY="200",
        )
        up.wait_said("Ctrl-C stops everything.")
        who = {"Authorization": f"Api-Key {up.key()}"}
        run_id = up.post("/api/proxies/fetch", **who)["run_id"]
        children = up.children()

        wanted = {"POST /api/proxies/fetch": "web", "run proxies.fetch": "worker"}
        until = time.monotonic() + WITHIN_S
        while set(found := told(sink, run_id)) != set(wanted):
            assert time.monotonic() < until, (found, up.said())
            time.sleep(0.1)

    asked, worked = (found[name] for name in wanted)
    assert {name: span["pid"] for name, span in found.items()} == {
        name: children[role] for name, role in wanted.items()
    }
    assert worked["trace"] == asked["trace"]
    assert worked["parent"] == asked["id"]
    assert worked["request.id"] == asked["request.id"]


def told(sink: sinks.Sink, run_id: str) -> dict[str, dict[str, Any]]:
    """Return the spans about a run that came so far, by name: ids, process, attributes."""
    found = {}
    for _, body in list(sink.taken):
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {one.key: one.value for one in resource.resource.attributes}
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                said = {one.key: one.value.string_value for one in span.attributes}
                if said.get("run.id") == run_id or span.name.startswith("POST "):
                    found[span.name] = {
                        **said,
                        "trace": span.trace_id,
                        "id": span.span_id,
                        "parent": span.parent_span_id,
                        "pid": about["process.pid"].int_value,
                    }
    return found
