"""What is known of a video: its places and failures, as one caller sees them."""

from typing import Any, Final

from django.db.models import Case, IntegerField, Q, Value, When

from analysis import caching, correcting, progressing, routes
from analysis.choices import Outcome
from analysis.models import Analysis, Job, Place
from project.core.callers import Caller
from project.core.choices import UNENDED
from project.core.errors import NotFoundError
from project.core.moments import stamp_or_none

_PLACE: Final = (
    *("n", "raw", "name", "longitude", "latitude", "description", "tags", "kind", "marker"),
    *("country", "authority", "quote", "start_ms", "end_ms", "confidence"),
)


class VideoNotFoundError(NotFoundError):
    """There is no such video, or the caller has not asked for it."""

    title = "No such video"


def analysis_of(video_id: str, *, strategy: str = "", by: Caller) -> Analysis:
    """Return the analysis of a video that ``by`` may see.

    Args:
        video_id: as the API names it.
        strategy: hash or name; empty: the latest that has a result, else the latest.
        by: who asks; of an upload that several own, their own one.

    Raises:
        VideoNotFoundError: there is none.
    """
    found = Analysis.objects.visible_to(by).filter(video__video_id=video_id)
    found = found.select_related("video", "strategy")
    if strategy:
        found = found.filter(Q(strategy_hash=strategy) | Q(strategy__name=strategy))
    has_result = Case(
        When(outcome=Outcome.NONE, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    own = Case(
        When(video__owner_id=by.user_id, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    analysis = found.order_by(own.desc(), has_result.desc(), "-finished_at", "-created_at").first()
    if analysis is None:
        raise VideoNotFoundError(f"no analysis of {video_id}")
    return analysis


def places_of(analysis: Analysis) -> list[Place]:
    """Return the places as the geocoder located them, in the order spoken."""
    made_at = None if analysis.outcome == Outcome.NONE else analysis.finished_at
    key = caching.result_key(analysis)

    def make() -> list[dict[str, Any]]:
        return list(analysis.places.order_by("start_ms", "n").values(*_PLACE))

    rows = caching.read(key, made_at, make, for_s=caching.WEEK_S)
    return [Place(analysis=analysis, **row) for row in rows]


def shown(analysis: Analysis, *, by: Caller) -> list[correcting.Shown]:
    """Return the places on the map of ``by``: with corrections applied."""
    places = places_of(analysis)
    missing = _names(_failures_of(analysis)) if analysis.outcome != Outcome.DONE else []
    names = [*(place.raw for place in places), *missing]
    known = correcting.known(analysis.video, names, by=by)
    if told := correcting.told(analysis, missing, known):
        places = sorted([*places, *told], key=lambda one: (one.start_ms, one.n))
    return correcting.applied(places, known)


def locations(analysis: Analysis, *, by: Caller) -> dict[str, Any]:
    """Return the places of a video; while it is worked at, those found so far."""
    return {
        "video_id": analysis.video.video_id,
        "routes": [routes.of(one) for one in shown(analysis, by=by)],
    }


def failures(analysis: Analysis, *, by: Caller) -> dict[str, Any]:
    """Return the places that are not on the map of ``by``, and whether trying again may help."""
    found = _failures_of(analysis)
    names = _names(found)
    known = correcting.known(analysis.video, names, by=by) if names else None
    told = {raw for raw in names if known is not None and known.spot_of(raw) is not None}
    if not told:
        return found
    return {
        **found,
        "failed": [one for one in found["failed"] if one["raw"] not in told],
        "retryable": analysis.failures.exclude(raw__in=told).filter(retryable=True).exists(),
    }


def _failures_of(analysis: Analysis) -> dict[str, Any]:
    """Return the places that the geocoder could not locate."""
    made_at = None if analysis.outcome == Outcome.NONE else analysis.failures_at

    def make() -> dict[str, Any]:
        rows = list(analysis.failures.order_by("n").values("raw", "reason", "retryable"))
        return {
            "failed": [{"raw": row["raw"], "reason": row["reason"]} for row in rows],
            "retryable": any(row["retryable"] for row in rows),
            "last_updated": stamp_or_none(analysis.failures_at),
        }

    found = caching.read(caching.failures_key(analysis), made_at, make, for_s=caching.WEEK_S)
    return dict(found)


def _names(failed: dict[str, Any]) -> list[str]:
    return [one["raw"] for one in failed["failed"]]


def job_state(job: Job) -> dict[str, Any]:
    """Return a job as the API shows it."""
    made_at = job.analysis.finished_at or job.ended_at if job.is_final else None
    is_settled = job.is_final and not _is_worked_at(job)

    def make() -> dict[str, Any]:
        return _job_state(job, job.analysis.places.count())

    if not is_settled:
        return make()
    return dict(caching.read(caching.job_key(job.pk), made_at, make, for_s=caching.DAY_S))


def listed_job(job: Any) -> dict[str, Any]:
    """Return a job as the API shows it, of a list whose places are counted."""
    return _job_state(job, job.located)


def _is_worked_at(job: Job) -> bool:
    """Say whether somebody still works at the job's analysis, whose figures then still change."""
    run = job.analysis.run
    return run is not None and run.status in UNENDED


def _job_state(job: Job, located: int) -> dict[str, Any]:
    analysis, run = job.analysis, job.run
    is_live = run is not None and not job.is_final
    progress = run.progress if run is not None and is_live else job.progress
    counts = run.counts if run is not None and is_live else {}
    updated_at = job.ended_at or (run.heartbeat_at if run else None) or job.created_at
    return {
        "job_id": str(job.pk),
        "video_id": analysis.video.video_id,
        "status": job.status,
        "phase": (run.phase if run is not None and is_live else job.phase) or None,
        "progress": round(progress, 2),
        "created_at": stamp_or_none(job.created_at),
        "updated_at": stamp_or_none(updated_at),
        "strategy_version": analysis.strategy.name,
        "metrics": {
            "tokens_in": analysis.tokens_in,
            "tokens_out": analysis.tokens_out,
            "locations_found": located,
            "strategy_hash": analysis.strategy_hash,
        },
        "stats": {
            "segments": counts.get("segments", analysis.segments) or 0,
            "chunks": counts.get("chunks", analysis.chunks) or 0,
            "places_total": analysis.places_total,
            "places_located": located,
            "cache": "hit" if job.cached else "miss",
        },
        "waiting": progressing.waiting(counts),
        "error": _error(job),
        "retry_of": str(job.retry_of_id) if job.retry_of_id else None,
        "batch_id": str(job.batch_id) if job.batch_id else None,
        "shrunk_by": job.shrunk_by,
        "title": analysis.video.title,
    }


def _error(job: Job) -> dict[str, str] | None:
    source: Any = job if job.is_final or job.run is None else job.run
    if not source.error_type:
        return None
    return {"type": source.error_type, "message": source.error_message}
