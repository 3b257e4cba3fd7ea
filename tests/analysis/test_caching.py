from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from analysis import caching
from tests.analysis.factories import make_analysis, make_video
from tests.factories import make_user

AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty() -> None:
    cache.clear()


def reader(made: list[int]) -> Any:
    def make() -> int:
        made.append(1)
        return len(made)

    return make


def test_what_is_cached_is_not_made_again():
    made: list[int] = []

    found = [caching.read("k", AT, reader(made), for_s=60) for _ in range(3)]

    assert (found, len(made)) == ([1, 1, 1], 1)


def test_what_is_of_an_older_result_is_made_anew():
    made: list[int] = []
    caching.read("k", AT, reader(made), for_s=60)

    assert caching.read("k", AT + timedelta(milliseconds=1), reader(made), for_s=60) == 2


def test_what_has_no_result_yet_is_not_cached():
    made: list[int] = []

    assert [caching.read("k", None, reader(made), for_s=60) for _ in range(2)] == [1, 2]
    assert cache.get("k") is None


@pytest.mark.parametrize("nonsense", ["text", 7, [], {"value": 1}, {"of": "x", "value": 9}])
def test_nonsense_in_the_cache_is_passed_over(nonsense):
    cache.set("k", nonsense)

    assert caching.read("k", AT, lambda: 5, for_s=60) == 5


@pytest.mark.django_db
def test_names_are_those_of_the_contract_and_an_uploads_its_owners():
    analysis = make_analysis()
    user = make_user()
    upload = make_video(video_id="upload-1", kind="upload", owner=user, upload=b"x", url="")
    own = make_analysis(video=upload)

    video_id, strategy_hash = analysis.video.video_id, analysis.strategy_hash
    assert caching.result_key(analysis) == f"analysis:{video_id}:{strategy_hash}"
    assert caching.failures_key(analysis) == f"geocode_fail:{video_id}:{strategy_hash}"
    assert caching.job_key("x") == "job:x"
    assert caching.result_key(own) == f"analysis:upload-1@{user.pk}:{own.strategy_hash}"
