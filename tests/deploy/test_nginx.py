"""The deployment's nginx before a real web process: what it ends, passes on, hides and doesn't hold back."""

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from websockets.sync.client import ClientConnection, connect

from project.core import events
from project.core.choices import RunStatus
from project.core.models import Run
from tests.analysis.factories import make_job
from tests.deploy import tools
from tests.factories import make_key, make_run, make_user
from tests.project.servers import Server, Stream
from tests.services import nginx

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def front(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[nginx.Front]:
    """A web process and nginx before it, for the whole module."""
    program = tools.nginx()
    static: Path = tmp_path_factory.mktemp("static")
    (static / "main.css").write_text("a{}", encoding="utf-8")
    with django_db_blocker.unblock():
        web = Server("uvicorn")
        web.start()
        try:
            with nginx.running(program, webs=[web.port], static=static) as found:
                yield found
        finally:
            web.stop()


def ask(front: nginx.Front, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    trust = ssl.create_default_context(cafile=str(front.ca_file))
    connection = http.client.HTTPSConnection("localhost", front.tls_port, context=trust, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def write(run: Run, **data: Any) -> None:
    events.append(run, "tick", data, where={}, now=timezone.now())


def next_of(socket: ClientConnection, event: str) -> dict[str, Any]:
    while (found := json.loads(socket.recv(timeout=30)))["event"] != event:
        pass
    data: dict[str, Any] = found["data"]
    return data


def test_what_passes_through(front):
    status, headers, body = ask(front, "/health/live")
    assert status == 200
    assert headers["x-request-id"]
    assert json.loads(body)

    assert ask(front, "/static/main.css")[::2] == (200, b"a{}")
    assert ask(front, "/metrics")[0] == ask(front, "/health/metrics")[0] == 404

    plain = http.client.HTTPConnection("localhost", front.plain_port, timeout=30)
    plain.request("GET", "/api/health")
    moved = plain.getresponse()
    assert (moved.status, moved.headers["Location"]) == (308, "https://localhost/api/health")
    plain.close()


def test_a_jobs_stream_and_websocket_are_not_held_back(front):
    """The same of what the analysis calls its own: places come as they are found."""
    user = make_user()
    run = make_run(requested_by=user, status=RunStatus.RUNNING, kind="analysis.job")
    job = make_job(owner=user, run=run)
    trust = ssl.create_default_context(cafile=str(front.ca_file))
    who = {"Authorization": f"Api-Key {make_key(user).secret}"}
    stream = Stream(front.tls_port, f"/api/jobs/{job.pk}/stream", trust, **who)
    address = f"wss://localhost:{front.tls_port}/ws/jobs/{job.pk}/"
    with stream, connect(address, ssl=trust, additional_headers=who) as socket:
        for number in range(3):
            told = {"locations": [], "progress": 70.0 + number}
            events.append(run, "partial_locations", told, where={}, now=timezone.now())
            found = json.loads(stream.take(1)[0].data)
            assert (found["job_id"], found["progress"]) == (str(job.pk), 70.0 + number)
            assert next_of(socket, "partial_locations")["progress"] == 70.0 + number
        socket.send(json.dumps({"action": "nonsense"}))
        assert next_of(socket, "refused")["code"] == "bad_action"


def test_stream_and_websocket_are_not_held_back(front):
    """Each event is read before the next one is written: a buffer would never fill."""
    user = make_user()
    key = make_key(user).secret
    run = make_run(requested_by=user, status=RunStatus.RUNNING)
    trust = ssl.create_default_context(cafile=str(front.ca_file))
    who = {"Authorization": f"Api-Key {key}"}
    stream = Stream(front.tls_port, f"/api/runs/{run.pk}/stream", trust, **who)
    address = f"wss://localhost:{front.tls_port}/ws/runs/{run.pk}/"
    with stream, connect(address, ssl=trust, additional_headers=who) as socket:
        stream.take(1)
        for number in range(3):
            write(run, number=number)
            assert json.loads(stream.take(1)[0].data)["number"] == number
            assert next_of(socket, "tick")["number"] == number
