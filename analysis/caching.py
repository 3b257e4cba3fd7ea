"""What lies in front of the database, and that it is never older than the result.

A value carries the moment of the result that it was made from; whoever reads it knows that moment
from the row that says who may read. So a cache that forgets, falls back to this process, or comes
back with old values never makes an answer wrong (``project/core/caching.py``).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.core.cache import cache

from analysis.models import Analysis, Video
from project.core.moments import stamp_or_none

WEEK_S: Final = 7 * 86_400
DAY_S: Final = 86_400


def name_of(video: Video) -> str:
    """Return what tells videos apart: an upload is its owner's."""
    return video.video_id if video.owner_id is None else f"{video.video_id}@{video.owner_id}"


def result_key(analysis: Analysis) -> str:
    """Return the name of a result: its places, as the geocoder said."""
    return f"analysis:{name_of(analysis.video)}:{analysis.strategy_hash}"


def failures_key(analysis: Analysis) -> str:
    """Return the name of a list of failures."""
    return f"geocode_fail:{name_of(analysis.video)}:{analysis.strategy_hash}"


def job_key(job_id: object) -> str:
    """Return the name of an ended job."""
    return f"job:{job_id}"


def read(key: str, made_at: datetime | None, make: Callable[[], Any], *, for_s: int) -> Any:
    """Return what is cached under ``key`` of the result of ``made_at``, else what ``make`` makes.

    Without a moment there is no final result yet: nothing is cached.
    """
    if made_at is None:
        return make()
    version = stamp_or_none(made_at)
    kept = cache.get(key)
    if isinstance(kept, dict) and kept.get("of") == version:
        return kept["value"]
    value = make()
    cache.set(key, {"of": version, "value": value}, for_s)
    return value
