"""Asking for an analysis: what is there already, what is shared, and what is new work.

Locks are taken in one order everywhere: user (quota), analysis, run, jobs, batch.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import quotas
from analysis import kinds, metrics, strategies, subtitles
from analysis.adapters import videos
from analysis.choices import Outcome, VideoKind
from analysis.failures import Deterministic
from analysis.models import Analysis, Batch, Job, Strategy, Video
from project.core import requests, runs
from project.core.callers import Caller
from project.core.choices import UNENDED, RunStatus
from project.core.errors import FieldProblem, InvalidInputError
from project.core.models import Run

_ENDED_AS: Final = {Outcome.DONE: RunStatus.DONE, Outcome.PARTIAL: RunStatus.PARTIAL}


class BadVideoError(InvalidInputError):
    """The address is none of a video."""

    code = "bad_video"
    title = "This is no video"


class BadTranscriptError(InvalidInputError):
    """The file is no transcript."""

    code = "bad_transcript"
    title = "This is no transcript"


@dataclass(frozen=True, slots=True)
class Transcript:
    """A file that a user uploaded."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A job that was asked for; ``is_new`` when it needs new work."""

    job: Job
    is_new: bool


def of_url(url: str, *, strategy: str = "", by: Caller, now: datetime) -> Asked:
    """Ask for the analysis of a video by its address.

    Raises:
        BadVideoError: the address is none of a video.
        UnknownStrategyError: no strategy is called so.
        HeldQuotaError: as many are at work as the plan allows.
        DailyQuotaError: the day's are used up.
    """
    chosen = strategies.find(strategy)
    return ask(video_at(url, now=now), chosen, by=by, now=now)


def of_transcript(
    transcript: Transcript, *, strategy: str = "", by: Caller, now: datetime
) -> Asked:
    """Ask for the analysis of a transcript: the uploader's alone, and staff's.

    Raises:
        BadTranscriptError: it is empty, too large, or nothing that is read.
        UnknownStrategyError, HeldQuotaError, DailyQuotaError: as ``of_url``.
    """
    chosen = strategies.find(strategy)
    video = _uploaded(transcript, by=by, now=now)
    return ask(video, chosen, by=by, now=now)


def video_at(url: str, *, now: datetime) -> Video:
    """Return the video at an address; made known where it wasn't.

    Raises:
        BadVideoError: the address is none of a video.
    """
    video_id = video_id_of(url)
    found = Video.objects.filter(video_id=video_id, owner=None).first()
    return found or _made(Video(video_id=video_id, url=url.strip(), created_at=now))


def video_id_of(url: str) -> str:
    """Return how the API names the video at ``url``.

    Raises:
        BadVideoError: the address is none of a video.
    """
    try:
        found = videos.video_id_of(url.strip())
    except Deterministic as error:
        wrong = FieldProblem("url", error.code, str(error))
        raise BadVideoError(f"url: {error}", fields=(wrong,)) from error
    return found[:200]


def _uploaded(transcript: Transcript, *, by: Caller, now: datetime) -> Video:
    if by.user_id is None:
        raise BadTranscriptError("a transcript belongs to somebody")
    require_size(len(transcript.data))
    digest = hashlib.sha256(transcript.data).hexdigest()[:16]
    video_id = f"upload-{digest}"
    found = Video.objects.filter(video_id=video_id, owner_id=by.user_id).first()
    if found is not None:
        return found
    return _made(
        Video(
            video_id=video_id,
            kind=VideoKind.UPLOAD,
            owner_id=by.user_id,
            upload=transcript.data,
            file_name=transcript.name[:255],
            title=transcript.name[:500],
            created_at=now,
        )
    )


def require_size(size_bytes: int) -> None:
    """Refuse a transcript that is empty or too large, before it is read.

    Raises:
        BadTranscriptError: it is.
    """
    most = min(subtitles.MOST_BYTES, settings.TRANSCRIPT_MAX_BYTES)
    if not 0 < size_bytes <= most:
        raise _bad_file("size", f"a file of 1 to {most:,} bytes")


def _bad_file(code: str, expected: str) -> BadTranscriptError:
    wrong = FieldProblem("transcript", code, expected)
    return BadTranscriptError(f"transcript: {expected}", fields=(wrong,))


def _made(video: Video) -> Video:
    """Insert a video, or return the one that a rival was faster with."""
    try:
        with transaction.atomic():
            video.save(force_insert=True)
    except IntegrityError:
        return Video.objects.get(video_id=video.video_id, owner_id=video.owner_id)
    return video


def ask(
    video: Video, strategy: Strategy, *, by: Caller, now: datetime, retry_of: Job | None = None
) -> Asked:
    """Give ``by`` a job: done where there is a result, else on the work that all share.

    Raises:
        HeldQuotaError, DailyQuotaError: as ``of_url``.
    """
    analysis = analysis_of(video, strategy, now=now)
    if analysis.outcome == Outcome.NONE:
        found = _on_shared_work(analysis, by=by, now=now, retry_of=retry_of)
        if found is not None:
            return found
        analysis.refresh_from_db(fields=["outcome", "finished_at"])
    metrics.CACHE.labels("hit").inc()
    return Asked(_done(analysis, by=by, now=now, retry_of=retry_of), is_new=False)


def analysis_of(video: Video, strategy: Strategy, *, now: datetime) -> Analysis:
    """Return the analysis that all share who ask for a video under a strategy's inputs."""
    inputs = strategies.inputs_of(strategy)
    strategy_hash = strategies.hash_of(inputs)
    mine = Analysis.objects.filter(video=video, strategy_hash=strategy_hash)
    if (found := mine.first()) is not None:
        return found
    made = Analysis(
        video=video,
        strategy=strategy,
        strategy_hash=strategy_hash,
        inputs=inputs,
        created_at=now,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:  # a rival asked for it at the same moment
        return mine.get()
    return made


def _done(analysis: Analysis, *, by: Caller, now: datetime, retry_of: Job | None) -> Job:
    return Job.objects.create(
        owner_id=by.user_id,
        analysis=analysis,
        retry_of=retry_of,
        request_id=requests.current_id(),
        created_at=now,
        **facts_of_result(analysis, now=now),
    )


def facts_of_result(analysis: Analysis, *, now: datetime) -> dict[str, Any]:
    """Return what of a job says that its result was there already."""
    status = _ENDED_AS[Outcome(analysis.outcome)]
    return {"cached": True, "final_status": status, "progress": 100.0, "ended_at": now}


def _on_shared_work(
    analysis: Analysis, *, by: Caller, now: datetime, retry_of: Job | None
) -> Asked | None:
    """Join the work that is on its way, or begin it; None when it has ended with a result."""
    with transaction.atomic():
        quotas.require(quotas.JOBS_PER_DAY, user_id=by.user_id, now=now)
        row = Analysis.objects.select_for_update(no_key=True).get(pk=analysis.pk)
        if row.outcome != Outcome.NONE:
            return None
        run = unended(row)
        is_new = run is None
        if run is None:
            quotas.require(quotas.JOBS_AT_ONCE, user_id=by.user_id, now=now)
            run = begin(row, by=by, now=now)
        else:
            _require_room(run, by=by, now=now)
            runs.wake(run, now=now)
        job = joined(row, run, by=by, now=now, retry_of=retry_of)
    metrics.CACHE.labels("miss").inc()
    return Asked(job, is_new=is_new)


def _require_room(run: Run, *, by: Caller, now: datetime) -> None:
    """Ask the quota for work that others began; none is needed where the caller is at it already."""
    if not Job.objects.open().filter(run=run, owner_id=by.user_id, batch=None).exists():
        quotas.require(quotas.JOBS_AT_ONCE, user_id=by.user_id, now=now)


def unended(analysis: Analysis) -> Run | None:
    """Return the work on its way at an analysis, locked; None where none is, or all have left."""
    if analysis.run_id is None:
        return None
    still = Run.objects.select_for_update(no_key=True).filter(
        pk=analysis.run_id, status__in=UNENDED, cancel_asked_at=None
    )
    return still.first()


def begin(
    analysis: Analysis,
    *,
    by: Caller,
    now: datetime,
    payload: dict[str, Any] | None = None,
) -> Run:
    """Start work at an analysis, which only one may be at: the database sees to it."""
    run = runs.submit(ask_of(analysis, payload=payload), by=by, now=now)
    Analysis.objects.filter(pk=analysis.pk).update(run=run)
    analysis.run = run
    return run


def ask_of(
    analysis: Analysis,
    *,
    payload: dict[str, Any] | None = None,
    not_before: datetime | None = None,
) -> runs.Ask:
    """Return the question for a run at an analysis."""
    return runs.Ask(
        kind=kinds.JOB.name,
        subject=str(analysis.video)[:200],
        about=("analysis.analysis", analysis.pk),
        payload={"analysis_id": analysis.pk, **(payload or {})},
        exclusive_key=f"analysis:{analysis.pk}",
        not_before=not_before,
    )


def joined(
    analysis: Analysis, run: Run, *, by: Caller, now: datetime, retry_of: Job | None = None
) -> Job:
    """Make a job on a run; the one that begins it has the run's own id."""
    is_first = not Job.objects.filter(pk=run.pk).exists()
    facts: dict[str, Any] = {"pk": run.pk} if is_first else {}
    return Job.objects.create(
        owner_id=by.user_id,
        analysis=analysis,
        run=run,
        retry_of=retry_of,
        request_id=requests.current_id(),
        created_at=now,
        **facts,
    )


def _at_once(user_id: int, now: datetime) -> int:
    """Count what of a user's is at work: jobs on one piece of work are one, a batch is one."""
    mine = Job.objects.open().filter(owner_id=user_id, batch=None)
    batches = Batch.objects.open().filter(owner_id=user_id)
    return mine.order_by().values("run").distinct().count() + batches.count()


def _today(user_id: int, now: datetime) -> int:
    """Count the jobs of a user since the day began; those that cost nothing don't count."""
    since = quotas.day_of(now)
    return Job.objects.filter(owner_id=user_id, created_at__gte=since, cached=False).count()


Count = Callable[[int, datetime], int]
quotas.register(quotas.JOBS_AT_ONCE, _at_once)
quotas.register(quotas.JOBS_PER_DAY, _today)
