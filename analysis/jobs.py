"""What becomes of jobs: leaving shared work, ending with it, trying again, another strategy."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts import quotas
from analysis import enlisting, kinds, strategies, submitting
from analysis.choices import Outcome
from analysis.correcting import fold
from analysis.enlisting import Asked, Roll
from analysis.models import Analysis, Failure, Job, Place
from project.core import events, runs
from project.core.callers import Caller
from project.core.choices import FINAL, UNENDED, RunStatus
from project.core.errors import ConflictError, InvalidInputError, NotFoundError
from project.core.models import Run

#: The event in the history of shared work that ends one job's view of it.
LEFT = "job_canceled"


class JobNotFoundError(NotFoundError):
    """There is no such job, or it is a stranger's."""

    title = "No such job"


class JobEndedError(ConflictError):
    """The job has ended: there is nothing left to cancel."""

    code = "job_ended"
    title = "The job has ended"


class JobNotEndedError(ConflictError):
    """The work still goes on: there is nothing to try again yet."""

    code = "job_not_ended"
    title = "The job has not ended"


class NothingToRetryError(ConflictError):
    """No place is missing on the map, or none of those named."""

    code = "nothing_to_retry"
    title = "Nothing to try again"


class UnknownPlacesError(InvalidInputError):
    """None of the list of failures is called so."""

    code = "unknown_places"
    title = "No such failures"


@dataclass(frozen=True, slots=True)
class Retried:
    """A retry that was asked for: its job, and how many places it tries."""

    job: Job
    places: int


def with_all(*, counted: bool = False) -> Any:
    """Return jobs with all that is shown of them; in lists with their places counted."""
    found = Job.objects.select_related(
        "run", "analysis__video", "analysis__strategy", "analysis__run"
    ).defer(
        "analysis__video__upload", "run__payload", "run__checkpoint", "analysis__run__checkpoint"
    )
    if not counted:
        return found
    mine = Place.objects.filter(analysis=OuterRef("analysis")).order_by().values("analysis")
    located = Coalesce(Subquery(mine.annotate(count=Count("pk")).values("count")), 0)
    return found.annotate(located=located)


def find(job_id: uuid.UUID | str, *, by: Caller) -> Job:
    """Return a job of the caller's; any for staff.

    Raises:
        JobNotFoundError: no such job, or a stranger's.
    """
    found: Job | None = with_all().visible_to(by).filter(pk=job_id).first()
    if found is None:
        raise JobNotFoundError(f"no job {job_id}")
    return found


def cancel(job: Job, *, by: Caller, now: datetime) -> Job:
    """Take an asker off the work, which stops with the last; canceling again changes nothing.

    Raises:
        JobEndedError: it ended before, otherwise than by cancelling.
    """
    with transaction.atomic():
        run = _locked(job)
        job.refresh_from_db()
        if not job.is_final and run is not None:
            _leave(job, run, by=by, now=now)
    if job.status != RunStatus.CANCELED:
        raise JobEndedError(f"the job ended {job.status}", job_id=str(job.pk))
    return job


def _locked(job: Job) -> Run | None:
    """Lock the analysis, then its run: the order of all who write both."""
    list(Analysis.objects.select_for_update(no_key=True).filter(pk=job.analysis_id).values("pk"))
    if job.run_id is None:
        return None
    return Run.objects.select_for_update(no_key=True).filter(pk=job.run_id).first()


def _leave(job: Job, run: Run, *, by: Caller, now: datetime) -> None:
    told = {"job_id": str(job.pk)}
    if not events.append(run, LEFT, told, where={"status__in": UNENDED}, now=now):
        return
    _end(Job.objects.filter(pk=job.pk), run, RunStatus.CANCELED, now)
    job.refresh_from_db()
    if not Job.objects.open().filter(run=run).exists():
        # whoever asks now begins anew, while this one comes to its safe point
        Run.objects.filter(pk=run.pk).update(exclusive_key="")
        run.refresh_from_db()
        runs.stop(run, by=by, now=now)


def _end(jobs: Any, run: Run, status: str, now: datetime) -> int:
    is_failed = status in (RunStatus.FAILED, RunStatus.PARTIAL)
    ended: int = jobs.update(
        final_status=status,
        ended_at=now,
        end_seq=run.event_seq,
        progress=100.0 if status in (RunStatus.DONE, RunStatus.PARTIAL) else run.progress,
        phase=run.phase,
        error_type=run.error_type if is_failed else "",
        error_message=run.error_message if is_failed else "",
    )
    return ended


def end_all(run: Run, now: datetime) -> None:
    """End the jobs of a run that has just ended, in the transaction that ended it."""
    _end(Job.objects.open().filter(run=run), run, run.status, now)


def cancel_run(run: Run, *, by: Caller, now: datetime) -> Run:
    """Cancel work as a person does who sees its run: staff for all, others for themselves.

    Raises:
        RunEndedError: it ended before, otherwise than by cancelling.
    """
    if by.is_staff:
        return runs.stop(run, by=by, now=now)
    for job in Job.objects.open().filter(run=run, owner_id=by.user_id):
        cancel(job, by=by, now=now)
    run.refresh_from_db()
    if run.status in FINAL and run.status != RunStatus.CANCELED:
        raise runs.RunEndedError(f"the run ended {run.status}", run_id=str(run.pk))
    return run


def retry_run(run: Run, *, by: Caller, now: datetime) -> Run:
    """Try again what a run did, for ``by``.

    Raises:
        JobNotFoundError: nobody's job is left of it.
        NothingToRetryError: it has a result that lacks nothing.
    """
    job = with_all().filter(run=run).order_by("created_at").first()
    if job is None:
        raise JobNotFoundError(f"no job of run {run.pk}")
    asked = retry(job, by=by, now=now)
    return asked.run if asked.run is not None else run


def retry(job: Job, *, by: Caller, now: datetime) -> Job:
    """Ask for the same again, as a job of its own: the failures of a result, else all of it.

    What earlier attempts have finished is used again.

    Raises:
        JobNotEndedError: it still waits or works.
        NothingToRetryError: it has a result that lacks nothing.
    """
    if not job.is_final:
        raise JobNotEndedError(f"the job is {job.status}", job_id=str(job.pk))
    if job.analysis.outcome == Outcome.NONE:
        analysis = job.analysis
        asked = submitting.ask(analysis.video, analysis.strategy, by=by, now=now, retry_of=job)
        return asked.job
    return retry_geocode(job.analysis, by=by, now=now, retry_of=job).job


def retry_geocode(
    analysis: Analysis,
    *,
    names: Sequence[str] = (),
    by: Caller,
    now: datetime,
    retry_of: Job | None = None,
) -> Retried:
    """Try places again that are not on the map: those named, else all.

    Raises:
        NothingToRetryError: none is missing.
        UnknownPlacesError: some that are named are not missing.
        AlreadyRunningError: somebody tries them already.
        HeldQuotaError, DailyQuotaError: the plan allows no more.
    """
    with transaction.atomic():
        quotas.require(quotas.JOBS_PER_DAY, user_id=by.user_id, now=now)
        quotas.require(quotas.JOBS_AT_ONCE, user_id=by.user_id, now=now)
        row = Analysis.objects.select_for_update(no_key=True).get(pk=analysis.pk)
        row.video = analysis.video
        numbers = _numbers(row, names)
        roll = Roll(by, retry_of=retry_of or _last_job(row, by=by), payload={"retry": numbers})
        job = enlisting.begun(roll, row, now=now)
    return Retried(job, len(numbers))


def _numbers(analysis: Analysis, names: Sequence[str]) -> list[int]:
    failures = list(Failure.objects.filter(analysis=analysis).order_by("n").values_list("n", "raw"))
    if not failures:
        raise NothingToRetryError("no place is missing on the map")
    if not names:
        return [n for n, _ in failures]
    wanted = {fold(name) for name in names}
    if unknown := wanted - {fold(raw) for _, raw in failures}:
        raise UnknownPlacesError(f"raw: not in the list of failures: {', '.join(sorted(unknown))}")
    return [n for n, raw in failures if fold(raw) in wanted]


def _last_job(analysis: Analysis, *, by: Caller) -> Job | None:
    """Return the job whose failures a retry replaces: the caller's own last one, else the last."""
    found = Job.objects.filter(analysis=analysis).order_by("-created_at")
    return found.filter(Q(owner_id=by.user_id)).first() or found.first()


def with_strategy(job: Job, strategy: str, *, by: Caller, now: datetime) -> Asked:
    """Ask for the video of a job under another strategy; phases with the same inputs are reused.

    Raises:
        UnknownStrategyError: no strategy is called so.
        HeldQuotaError, DailyQuotaError: the plan allows no more.
    """
    chosen = strategies.find(strategy)
    return submitting.ask(job.analysis.video, chosen, by=by, now=now)


def batches_of(run: Run) -> list[uuid.UUID]:
    """Return the batches with a job on a run, in the order in which they are locked."""
    found = Job.objects.filter(run=run, batch__isnull=False).order_by("batch_id")
    return list(found.values_list("batch_id", flat=True).distinct())


runs.steer(kinds.JOB.name, runs.Steering(cancel=cancel_run, retry=retry_run))
