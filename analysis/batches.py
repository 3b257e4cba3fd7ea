"""Many videos asked for at once: a job each, a few at work at a time, one progress for all."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from accounts import quotas
from analysis import enlisting, jobs, kinds, strategies, submitting
from analysis.enlisting import Roll
from analysis.models import Batch, Job, Video
from project.core import events, runs
from project.core.callers import Caller
from project.core.choices import FINAL, UNENDED, RunStatus
from project.core.errors import ConflictError, FieldProblem, InvalidInputError, NotFoundError
from project.core.models import Run
from project.core.working import Work

MOST_VIDEOS: Final = 500
#: Videos of one batch that are worked at at once; others' work comes between.
AT_ONCE: Final = 4
#: A batch is looked at again after so long, should nobody have told it of an end.
LOOK_EVERY_S: Final = 30.0
#: The work of a batch's jobs waits for its turn; this long only if everything that wakes it fails.
AT_THE_LATEST: Final = timedelta(hours=6)


class BadBatchError(InvalidInputError):
    """The list of videos can't be taken."""

    code = "bad_batch"
    title = "Bad list of videos"


class BatchNotFoundError(NotFoundError):
    """There is no such batch, or it is a stranger's."""

    title = "No such batch"


class BatchEndedError(ConflictError):
    """The batch has ended: there is nothing left to cancel."""

    code = "batch_ended"
    title = "The batch has ended"


@dataclass(frozen=True, slots=True)
class Submitted:
    """A batch that was asked for, with its jobs in the order of the list."""

    batch: Batch
    jobs: list[Job]


def submit(urls: Sequence[str], *, strategy: str = "", by: Caller, now: datetime) -> Submitted:
    """Ask for many videos at once.

    Args:
        urls: addresses of videos, 1 to ``MOST_VIDEOS``; one that comes twice gets one job.
        strategy: name, hash or number; empty: the default.
        by: who asks: the whole batch counts as one at work, each video without a result as one
            of the day.
        now: the moment, UTC.

    Raises:
        BadBatchError: an address is none of a video: each is named.
        UnknownStrategyError: no strategy is called so.
        HeldQuotaError, DailyQuotaError: the plan allows no more.
    """
    chosen = strategies.find(strategy)
    wanted = _videos(urls, now=now)
    with transaction.atomic():
        videos = enlisting.videos_of(wanted)
        analyses = enlisting.analyses_of(videos, chosen, now=now)
        if enlisting.needs_work(analyses):
            quotas.require(quotas.JOBS_AT_ONCE, user_id=by.user_id, now=now)
        batch = Batch.objects.create(owner_id=by.user_id, total=len(videos), created_at=now)
        batch.run = _run_of(batch, by=by, now=now)
        batch.save(update_fields=["run"])
        roll = Roll(by, batch, not_before=now + AT_THE_LATEST)
        asked = enlisting.enlist(roll, analyses, now=now)
    settle(batch, now=now)
    return Submitted(batch, [one.job for one in asked])


def _videos(urls: Sequence[str], *, now: datetime) -> list[Video]:
    """Return the videos at the addresses, not looked for yet; each once, by its first address.

    Raises:
        BadBatchError: some are none.
    """
    if not 1 <= len(urls) <= MOST_VIDEOS:
        wrong = FieldProblem("urls", "size", f"1 to {MOST_VIDEOS} addresses")
        raise BadBatchError(f"urls: {wrong.detail}", fields=(wrong,))
    found: dict[str, Video] = {}
    problems: list[FieldProblem] = []
    for number, url in enumerate(urls):
        try:
            video = submitting.unsaved(url, now=now)
            found.setdefault(video.video_id, video)
        except submitting.BadVideoError as error:
            problems += [
                FieldProblem(f"urls.{number}", one.code, one.detail) for one in error.fields
            ]
    if problems:
        raise BadBatchError(f"{len(problems)} of the addresses are none", fields=tuple(problems))
    return list(found.values())


def _run_of(batch: Batch, *, by: Caller, now: datetime) -> Run:
    asked = runs.Ask(
        kind=kinds.BATCH.name,
        subject=str(batch),
        about=("analysis.batch", batch.pk),
        payload={"batch_id": str(batch.pk)},
        not_before=now + timedelta(seconds=LOOK_EVERY_S),
    )
    return runs.submit(asked, by=by, now=now)


def find(batch_id: uuid.UUID | str, *, by: Caller) -> Batch:
    """Return a batch of the caller's; any for staff.

    Raises:
        BatchNotFoundError: no such batch, or a stranger's.
    """
    found = Batch.objects.visible_to(by).select_related("run").filter(pk=batch_id).first()
    if found is None:
        raise BatchNotFoundError(f"no batch {batch_id}")
    return found


def counts_of(batch: Batch) -> dict[str, int]:
    """Return how many of a batch's jobs wait, work and have ended how."""
    mine = Job.objects.filter(batch=batch).order_by()
    ended = dict(mine.exclude(final_status="").values_list("final_status").annotate(Count("pk")))
    at_work = mine.filter(final_status="", run__status=RunStatus.RUNNING).count()
    counts = {str(status): ended.get(status, 0) for status in FINAL}
    waiting = batch.total - sum(counts.values()) - at_work
    return {"total": batch.total, "queued": waiting, "running": at_work, **counts}


def settle(batch: Batch, *, now: datetime) -> bool:
    """Bring a batch up to date: its progress, whose turn it is, and its end.

    Returns:
        Whether it has ended.
    """
    if batch.run_id is None:
        return True
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).filter(pk=batch.run_id).first()
        if run is None or run.status in FINAL:
            return True
        counts = counts_of(batch)
        ended = sum(counts[status] for status in FINAL)
        changes: dict[str, Any] = {
            "progress": max(run.progress, 100.0 * ended / batch.total),
            "counts": counts,
        }
        if ended >= batch.total:
            changes |= {"status": _final_status(counts), "ended_at": now, "progress": 100.0}
            changes |= {"claimed_until": None, "next_try_at": None}
        if changes != {"progress": run.progress, "counts": run.counts}:
            events.record(run, where={"status__in": UNENDED}, changes=changes, now=now)
    if ended < batch.total:
        _wake(batch, now=now)
    return ended >= batch.total


def _final_status(counts: dict[str, int]) -> RunStatus:
    """Return how a batch ended whose jobs have all ended.

    Done when all are; canceled when every one that is not done was; failed when none came to
    anything; else partial.
    """
    total, done, canceled = counts["total"], counts["done"], counts["canceled"]
    if done == total:
        return RunStatus.DONE
    if canceled and canceled + done + counts["partial"] == total:
        return RunStatus.CANCELED
    return RunStatus.FAILED if counts["failed"] == total else RunStatus.PARTIAL


def _wake(batch: Batch, *, now: datetime) -> None:
    """Let the next jobs of a batch begin, as far as there is room."""
    open_jobs = Job.objects.open().filter(batch=batch, run__status__in=UNENDED)
    waits = {"run__status": RunStatus.QUEUED, "run__next_try_at__gt": now, "run__attempt": 0}
    room = AT_ONCE - open_jobs.exclude(**waits).count()
    if room <= 0:
        return
    for job in open_jobs.filter(**waits).select_related("run").order_by("created_at", "pk")[:room]:
        if job.run is not None:
            runs.wake(job.run, now=now)


def run(work: Work) -> None:
    """Look after a batch, should nobody have told it of the ends of its jobs."""
    batch = Batch.objects.filter(pk=work.payload["batch_id"]).first()
    if batch is None or settle(batch, now=timezone.now()):
        work.check()
        return
    work.put_off(after_s=LOOK_EVERY_S)


def cancel(batch: Batch, *, by: Caller, now: datetime) -> Batch:
    """Cancel all jobs of a batch that have not ended; doing it again changes nothing.

    Raises:
        BatchEndedError: it ended before, otherwise than by cancelling.
    """
    if batch.final_status and batch.final_status != RunStatus.CANCELED:
        raise BatchEndedError(f"the batch ended {batch.final_status}", batch_id=str(batch.pk))
    Batch.objects.filter(pk=batch.pk, cancel_asked_at=None).update(cancel_asked_at=now)
    waiting = Job.objects.open().filter(batch=batch).select_related("run", "analysis")
    for job in waiting.order_by("run__started_at", "-created_at"):
        try:
            jobs.cancel(job, by=by, now=now)
        except jobs.JobEndedError:  # meanwhile
            continue
    settle(batch, now=now)
    batch.refresh_from_db()
    return batch


def cancel_run(run: Run, *, by: Caller, now: datetime) -> Run:
    """Cancel the batch of a run.

    Raises:
        BatchEndedError: it ended before, otherwise than by cancelling.
    """
    batch = Batch.objects.get(run=run)
    cancel(batch, by=by, now=now)
    run.refresh_from_db()
    return run


def retry_run(run: Run, *, by: Caller, now: datetime) -> Run:
    """Ask again for the videos of a batch that came to nothing, as a batch of their own.

    Raises:
        NothingToRetryError: all have a result.
    """
    failed = Job.objects.filter(
        batch__run=run, final_status__in=[RunStatus.FAILED, RunStatus.CANCELED]
    )
    rows = failed.order_by("created_at").values_list(
        "analysis__video__url", "analysis__strategy__name"
    )
    if not rows:
        raise jobs.NothingToRetryError("every video of the batch has a result")
    made = submit([url for url, _ in rows], strategy=rows[0][1], by=by, now=now)
    if made.batch.run is None:
        raise jobs.NothingToRetryError("the batch has no run")
    return made.batch.run


def _job_ended(run: Run, now: datetime) -> None:
    """End the jobs of a run with it; their batches hear of it once that is committed."""
    jobs.end_all(run, now)
    for batch_id in jobs.batches_of(run):
        transaction.on_commit(partial(_settle_later, batch_id), robust=True)


def _settle_later(batch_id: uuid.UUID) -> None:
    settle(Batch.objects.get(pk=batch_id), now=timezone.now())


def _batch_ended(run: Run, now: datetime) -> None:
    Batch.objects.filter(run=run).update(final_status=run.status, ended_at=now)


events.when_ended(kinds.JOB.name, _job_ended)
events.when_ended(kinds.BATCH.name, _batch_ended)
runs.steer(kinds.BATCH.name, runs.Steering(cancel=cancel_run, retry=retry_run))
