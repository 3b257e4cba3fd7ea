"""Redis killed under a job that runs: it ends all the same, health says so, answers stay right."""

from contextlib import ExitStack

import pytest
from django.core.cache import cache, caches
from django.utils import timezone

from analysis import caching, reading, submitting
from project.core import caching as cached
from project.core import health
from project.core.callers import Caller
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.test_pipeline import ask
from tests.services import guarded, valkey

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "https://youtu.be/aaaaaaaaaaa"


def codes() -> set[str]:
    return {issue["code"] for issue in health.summary(now=timezone.now())["issues"]}


def test_redis_killed_while_a_job_runs(
    outside: Outside, caller: Caller, monkeypatch: pytest.MonkeyPatch
):
    port = guarded.free_port()
    place = cached.Place(f"redis://127.0.0.1:{port}/0", watch=lambda _: None)
    monkeypatch.setattr(caches["default"], "place", place)
    monkeypatch.setitem(cached._places, "of this test", place)
    with ExitStack() as server:
        server.enter_context(valkey.running(port))
        before = doing.finish(ask(caller))
        right = reading.locations(before.analysis, by=caller)
        assert cache.get(caching.result_key(before.analysis))["value"]
        assert "cache_degraded" not in codes()
        outside.before_locate = lambda name: server.close() if name == "tainan" else None

        job = doing.finish(ask(caller, OTHER))

    assert (job.status, job.analysis.places.count()) == ("partial", 5)
    assert reading.locations(before.analysis, by=caller) == right
    assert place.is_degraded
    assert "cache_degraded" in codes()
    assert health.summary(now=timezone.now())["degraded"] is True
    first = reading.locations(job.analysis, by=caller)
    assert [one["location"] for one in first["routes"]][:2] == ["Taipei", "Jiufen"]
    assert cache.get(caching.result_key(job.analysis))["value"]  # in this process's memory
    assert submitting.of_url(OTHER, by=caller, now=timezone.now()).job.cached
    with valkey.running(port):
        assert place.look()
        assert reading.locations(job.analysis, by=caller) == first
        assert cache.get(caching.result_key(job.analysis))["value"]
        assert "cache_degraded" not in codes()
