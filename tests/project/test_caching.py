import socket
import threading
import time
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches

from project.core import caching, issues
from project.core.caching import FallbackCache, Place, SharedCache
from tests.project.rivals import rivals
from tests.services import guarded, valkey

ABSENT = "redis://127.0.0.1:1/0"


def cache_in(place: Place, kind: type[SharedCache] = FallbackCache) -> Any:
    """A cache that lies in ``place``."""
    found = kind("", {"NAME": "test"})
    found.place = place
    return found


def absent() -> Place:
    return Place(ABSENT, watch=lambda _: None)


@pytest.fixture(params=["nowhere", "away", "redis"])
def cache(request) -> Any:
    """A cache where there never was a Redis, where it is away, and in Redis."""
    if request.param == "redis":
        if not settings.REDIS_URL:
            pytest.skip("needs redis: see `make test`")
        found = cache_in(Place(settings.REDIS_URL))
        found.clear()
        return found
    return cache_in(Place("") if request.param == "nowhere" else absent())


def test_cache_does_what_caches_do(cache):
    cache.set("word", {"a": [1, None, "ß"]}, 60)
    cache.set("number", 5, 60)

    assert cache.get("word") == {"a": [1, None, "ß"]}
    assert (cache.add("word", "other"), cache.add("new", "first")) == (False, True)
    assert (cache.incr("number", 3), cache.get("number")) == (8, 8)
    assert cache.get_many(["word", "new", "absent"]) == {
        "word": {"a": [1, None, "ß"]},
        "new": "first",
    }
    assert (cache.has_key("new"), "absent" in cache) == (True, False)
    assert (cache.touch("new", 30), cache.touch("absent", 30)) == (True, False)
    assert (cache.delete("new"), cache.delete("new"), cache.get("new", "gone")) == (
        True,
        False,
        "gone",
    )
    cache.set("ended", 1, 0)
    assert cache.get("ended") is None
    cache.clear()
    assert cache.get_many(["word", "number"]) == {}


def test_what_comes_back_is_the_same_wherever_it_lay(cache):
    cache.set("pair", (1, 2.5), 60)

    assert cache.get("pair") == [1, 2.5]
    with pytest.raises(TypeError):
        cache.set("object", object(), 60)
    with pytest.raises(ValueError, match=r"nothing|not found"):
        cache.incr("absent")


@pytest.mark.redis
def test_clearing_leaves_the_rest_of_redis_alone():
    place = Place(settings.REDIS_URL)
    redis = place.client.get_client(write=True)  # type: ignore[union-attr]
    redis.set("somebody's", "own", ex=60)
    mine, other = cache_in(place), FallbackCache("", {"NAME": "other"})
    other.place = place
    mine.set("a", 1, 60)
    other.set("a", 2, 60)

    mine.clear()

    assert (mine.get("a"), other.get("a"), redis.get("somebody's")) == (None, 2, b"own")


def test_shared_cache_keeps_nothing_while_redis_is_away():
    cache = cache_in(absent(), SharedCache)

    cache.set("a", 1, 60)

    assert cache.get("a") is None
    assert not cache.add("a", 1, 60)
    assert not cache.place.is_shared
    with pytest.raises(ValueError, match="nothing is kept"):
        cache.incr("a")


def test_absence_is_an_issue_and_a_metric(monkeypatch, now):
    place = absent()
    monkeypatch.setattr(caching, "_places", {ABSENT: place})
    before = caching.FALLBACKS._value.get()
    assert "cache_degraded" not in [issue.code for issue in issues.current(now=now)]

    cache_in(place).get("a")
    cache_in(place).get("a")

    assert "cache_degraded" in [issue.code for issue in issues.current(now=now)]
    assert caching.FALLBACKS._value.get() == before + 1
    assert caching.DEGRADED._value.get() == 1


def test_hits_and_misses_are_counted():
    def counted() -> list[float]:
        return [
            caching.REQUESTS.labels("memory", result)._value.get() for result in ("hit", "miss")
        ]

    cache = cache_in(Place(""))
    before = counted()
    cache.set("a", 1, 60)

    cache.get_many(["a", "b", "c"])

    assert [now - then for now, then in zip(counted(), before, strict=True)] == [1, 2]


def test_hung_redis_costs_little_once():
    with socket.create_server(("127.0.0.1", 0), backlog=300) as server:
        server.settimeout(None)
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        watched: list[Place] = []
        cache = cache_in(Place(url, watch=watched.append))
        began_at = time.monotonic()
        cache.set("a", 1, 60)
        for _ in range(100):
            assert cache.get("a") == 1
        took_s = time.monotonic() - began_at

    assert watched == [cache.place]
    assert took_s < 4 * caching.REDIS_WITHIN_S


def test_watch_looks_until_redis_is_back(monkeypatch):
    monkeypatch.setattr(caching, "LOOK_EVERY_S", 0.001)
    looked, answers = threading.Event(), iter([False, False, True])
    place = Place(ABSENT)

    def look() -> bool:
        found = next(answers)
        if found:
            looked.set()
        return found

    monkeypatch.setattr(place, "look", look)
    cache_in(place).get("a")

    assert looked.wait(30)
    assert not absent().look()


@pytest.mark.redis
def test_what_changed_meanwhile_is_gone_from_redis_when_it_is_back(monkeypatch):
    place = Place(settings.REDIS_URL, watch=lambda _: None)
    cache = cache_in(place)
    cache.clear()
    cache.set_many({"kept": 1, "deleted": 1, "changed": 1}, 60)

    place._degrade(OSError("pulled the cable"))
    cache.delete("deleted")
    cache.set("changed", 2, 60)
    assert (cache.get("changed"), cache.get("kept")) == (2, None)
    assert place.look()

    assert cache.get_many(["kept", "deleted", "changed"]) == {"kept": 1}
    assert (place.is_degraded, place.is_shared) == (False, True)


@pytest.mark.redis
def test_too_many_changes_drop_everything(monkeypatch):
    monkeypatch.setattr(caching, "MOST_OWED", 3)
    place = Place(settings.REDIS_URL, watch=lambda _: None)
    cache = cache_in(place)
    cache.set("kept", 1, 60)

    place._degrade(OSError("pulled the cable"))
    for number in range(5):
        cache.delete(f"n{number}")
    assert place.look()

    assert cache.get("kept") is None


def test_redis_stopped_under_load_costs_no_answer():  # noqa: PLR0915 -- one story
    """Threads read and write while Redis dies; a later one at its port hears what it missed."""
    port = guarded.free_port()
    stop, ended = threading.Event(), threading.Event()
    place = Place(f"redis://127.0.0.1:{port}/0", watch=lambda _: None)
    cache = cache_in(place)

    def work(number: int) -> set[str]:
        wrong, left, round_ = set(), 50, 0
        while left:
            left -= stop.is_set()
            round_ += 1
            was_degraded = place.is_degraded
            cache.set(f"own {number}", round_, 60)
            found = cache.get(f"own {number}")
            if found != round_ and not (found is None and place.is_degraded and not was_degraded):
                wrong.add(f"{found} instead of {round_}")
            if number == 0 and round_ == 100:
                ended.set()
        return wrong

    def kill(server: ExitStack) -> set[str]:
        assert ended.wait(60)
        server.close()
        stop.set()
        return set()

    server = ExitStack()
    server.enter_context(valkey.running(port))
    with server:
        found = rivals(7, lambda number: work(number) if number < 6 else kill(server))
    assert found == [set()] * 7
    assert place.is_degraded
    with valkey.running(port):
        place.client.get_client(write=True).set("cache:test:1:own 0", 1)  # type: ignore[union-attr]
        assert place.look()
        assert cache.get("own 0") is None


def test_installation_has_both():
    assert isinstance(caches["default"], FallbackCache)
    assert type(caches["shared"]) is SharedCache
    assert caches["shared"].place is caches["default"].place
