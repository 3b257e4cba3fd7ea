"""One ``make_…`` function for each model: the plainest valid row, any field overridable."""

from itertools import count
from typing import Any, Final

from django.utils import timezone

from accounts.models import User
from analysis import strategies
from analysis.choices import Change, Outcome
from analysis.models import (
    Analysis,
    Batch,
    Checkpoint,
    Correction,
    Failure,
    GeocoderHost,
    Job,
    Lookup,
    Place,
    Strategy,
    Video,
)
from tests.factories import make_plan, make_run, make_subscription, make_user

_numbers: Final = count(1)


def make_unlimited_user(**fields: Any) -> User:
    """A plain user whose plan has no limits."""
    user = make_user(**fields)
    make_subscription(user=user, plan=make_plan(is_unlimited=True))
    return user


def make_strategy(**fields: Any) -> Strategy:
    """A strategy that works offline."""
    strategy = Strategy(**{"name": f"strategy-{next(_numbers)}", **fields})
    strategy.strategy_hash = strategies.hash_of(strategies.inputs_of(strategy))
    strategy.save()
    return strategy


def make_video(**fields: Any) -> Video:
    """A public video."""
    number = next(_numbers)
    video_id = fields.pop("video_id", f"video{number:06d}")
    defaults = {"url": f"https://www.youtube.com/watch?v={video_id}", "title": f"Video {number}"}
    return Video.objects.create(video_id=video_id, **{**defaults, **fields})


def make_analysis(**fields: Any) -> Analysis:
    """An analysis without a result, of a video of its own under a strategy of its own."""
    video = fields.pop("video", None) or make_video()
    strategy = fields.pop("strategy", None) or make_strategy()
    inputs = strategies.inputs_of(strategy)
    defaults: dict[str, Any] = {"strategy_hash": strategies.hash_of(inputs), "inputs": inputs}
    if fields.get("outcome", Outcome.NONE) != Outcome.NONE:
        defaults["finished_at"] = timezone.now()
    return Analysis.objects.create(video=video, strategy=strategy, **{**defaults, **fields})


def make_job(**fields: Any) -> Job:
    """A job whose run waits."""
    analysis = fields.pop("analysis", None) or make_analysis()
    if "run" not in fields:
        payload = {"analysis_id": analysis.pk}
        fields["run"] = make_run(kind="analysis.job", payload=payload)
        Analysis.objects.filter(pk=analysis.pk).update(run=fields["run"])
    return Job.objects.create(analysis=analysis, **fields)


def make_batch(**fields: Any) -> Batch:
    """A batch that waits, with one job."""
    if "run" not in fields:
        fields["run"] = make_run(kind="analysis.batch")
    batch = Batch.objects.create(**{"total": 1, **fields})
    make_job(batch=batch, owner=batch.owner)
    return batch


def make_checkpoint(**fields: Any) -> Checkpoint:
    """The compression of a video of its own."""
    defaults = {"phase": "compression", "key": f"{next(_numbers):016x}", "data": []}
    video = fields.pop("video", None) or make_video()
    return Checkpoint.objects.create(video=video, **{**defaults, **fields})


def make_place(**fields: Any) -> Place:
    """Taipei 101, of an analysis of its own."""
    analysis = fields.pop("analysis", None) or make_analysis(outcome=Outcome.DONE)
    defaults = {
        "n": analysis.places.count() + 1,
        "raw": "taipei 101",
        "name": "Taipei 101",
        "longitude": 121.5645,
        "latitude": 25.0339,
        "kind": "building",
        "marker": "building",
        "tags": ["building"],
        "start_ms": 61_000,
        "end_ms": 64_000,
    }
    return Place.objects.create(analysis=analysis, **{**defaults, **fields})


def make_failure(**fields: Any) -> Failure:
    """A place that nobody knows, of an analysis of its own."""
    analysis = fields.pop("analysis", None) or make_analysis(outcome=Outcome.PARTIAL)
    raw = fields.pop("raw", "atlantis")
    mention = {"raw": raw, "start_ms": 1000, "end_ms": 2000, "quote": f"we go to {raw}"}
    defaults = {
        "n": analysis.failures.count() + 100,
        "reason": "not found",
        "retryable": True,
        "mention": mention,
    }
    return Failure.objects.create(analysis=analysis, raw=raw, **{**defaults, **fields})


def make_correction(**fields: Any) -> Correction:
    """Taipei 101, moved."""
    video = fields.pop("video", None) or make_video()
    defaults = {
        "raw": "taipei 101",
        "change": Change.MOVE,
        "longitude": 121.5,
        "latitude": 25.0,
        "was_name": "Taipei 101",
        "was_longitude": 121.5645,
        "was_latitude": 25.0339,
    }
    return Correction.objects.create(video=video, **{**defaults, **fields})


def make_geocoder_host(**fields: Any) -> GeocoderHost:
    """A Nominatim server that may be asked."""
    return GeocoderHost.objects.create(**{"host": f"host-{next(_numbers)}", **fields})


def make_lookup(**fields: Any) -> Lookup:
    """A name that nothing bears."""
    number = next(_numbers)
    defaults = {"host": "nominatim", "question": f"{number:064x}", "name": "nowhere", "answer": []}
    return Lookup.objects.create(**{**defaults, **fields})
