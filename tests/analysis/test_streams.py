"""Streams of jobs and batches from a web process of its own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from analysis import jobs, submitting
from analysis.models import Job
from project.core.callers import Caller
from project.core.models import Run
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.factories import make_batch, make_unlimited_user
from tests.factories import make_key
from tests.project.servers import Server, Stream

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


@pytest.fixture(scope="module")
def server(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock():
        found = Server("daphne")
        found.start()
        yield found
        found.stop()


@pytest.fixture
def secret(caller: Caller) -> str:
    from accounts.models import User

    owner: Any = caller.user_id
    return make_key(User.objects.get(pk=owner)).secret


def ask(caller: Caller) -> Job:
    return submitting.of_url(URL, by=caller, now=timezone.now()).job


def open_stream(server: Server, path: str, secret: str, **headers: str) -> Stream:
    return Stream(server.port, path, Authorization=f"Api-Key {secret}", **headers)


def test_a_stream_tells_a_job_live_and_ends(server, caller, secret, outside: Outside):
    job = ask(caller)

    with open_stream(server, f"/api/jobs/{job.pk}/stream", secret) as stream:
        assert stream.answer.status == 200
        doing.finish(job)
        told = stream.rest()

    names = list(dict.fromkeys(event.event for event in told))
    assert names == ["phase_update", "partial_locations", "completed"]
    assert json.loads(told[-1].data) == {
        "job_id": str(job.pk),
        "status": "partial",
        "progress": 100,
    }
    numbers = [int(event.id) for event in told]
    assert numbers == sorted(set(numbers))
    for at in range(len(told)):
        path, last = f"/api/jobs/{job.pk}/stream", told[at].id
        with open_stream(server, path, secret, Last_Event_ID=last) as again:
            is_over = at == len(told) - 1
            assert again.answer.status == (204 if is_over else 200)
            assert is_over or again.rest() == told[at + 1 :]


def test_the_server_started_anew_in_mid_job(server, caller, secret, outside: Outside):
    job = ask(caller)
    path = f"/api/jobs/{job.pk}/stream"
    seen: list[Any] = []

    def restart(name: str) -> None:
        if name == "tainan":
            with open_stream(server, path, secret) as stream:
                seen.extend(stream.take(3))
            server.stop()
            server.start()

    outside.before_locate = restart
    doing.finish(job)

    with open_stream(server, path, secret, Last_Event_ID=seen[-1].id) as stream:
        seen += stream.rest()
    with open_stream(server, path, secret) as stream:
        assert stream.rest() == seen


def test_leaving_ends_the_stream_though_the_work_goes_on(server, caller, secret):
    job = ask(caller)
    ask(Caller(user_id=make_unlimited_user().pk))

    with open_stream(server, f"/api/jobs/{job.pk}/stream", secret) as stream:
        jobs.cancel(job, by=caller, now=timezone.now())
        told = stream.rest()

    assert [(event.id, event.event) for event in told] == [("2", "canceled")]
    assert Run.objects.get().status == "queued"
    with open_stream(server, f"/api/jobs/{job.pk}/stream", secret, Last_Event_ID="2") as stream:
        assert stream.answer.status == 204


def test_heartbeats_say_the_jobs_status(server, caller, secret):
    job = ask(caller)

    with open_stream(server, f"/api/jobs/{job.pk}/stream", secret) as stream:
        beat = stream.next()
        jobs.cancel(job, by=caller, now=timezone.now())
        stream.rest()

    assert beat is not None
    assert (beat.event, beat.id) == ("heartbeat", "")
    data = json.loads(beat.data)
    assert (data["job_id"], data["status"]) == (str(job.pk), "queued")
    assert set(data) == {"job_id", "status", "ts"}


@pytest.mark.parametrize("kind", ["jobs", "batches"])
def test_strangers_and_poor_keys_are_refused(kind, server, caller, secret):
    batch = make_batch(owner_id=caller.user_id)
    ident = batch.pk if kind == "batches" else batch.jobs.get().pk
    Job.objects.update(owner_id=caller.user_id)
    stranger = make_key(make_unlimited_user())
    poor = make_key(make_unlimited_user(), scopes=["markets:read"])
    path = f"/api/{kind}/{ident}/stream"

    found = []
    for key in (stranger.secret, poor.secret, "nonsense"):
        with open_stream(server, path, key) as stream:
            found.append(stream.answer.status)
    with open_stream(server, path, secret, Last_Event_ID="99") as stream:
        found.append(stream.answer.status)

    assert found == [404, 403, 401, 422]
