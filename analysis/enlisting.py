"""Asking for a list of videos: what is there already, what is shared, and what is new work.

One video is a list of one. What is new is made in a few statements for all, so that a long list
holds up other writers only for a moment. Locks are taken in one order everywhere: user (quota),
analyses, runs, jobs, batch; several of a sort by number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from accounts import quotas
from analysis import kinds, metrics, strategies
from analysis.choices import Outcome
from analysis.models import Analysis, Batch, Job, Strategy, Video
from project.core import requests, runs
from project.core.callers import Caller
from project.core.choices import UNENDED, RunStatus
from project.core.models import Run

_ENDED_AS: Final = {Outcome.DONE: RunStatus.DONE, Outcome.PARTIAL: RunStatus.PARTIAL}


@dataclass(frozen=True, slots=True)
class Asked:
    """A job that was asked for; ``is_new`` when it needs new work."""

    job: Job
    is_new: bool


@dataclass(frozen=True, slots=True)
class Roll:
    """Who asks, and how.

    Attributes:
        by: who asks.
        batch: the batch that the jobs belong to: it is one at work, whatever it holds.
        retry_of: the job that this one asks for again.
        not_before: when new work may begin at the latest, where its turn is told; None: at once.
        payload: what new work is told besides.
    """

    by: Caller
    batch: Batch | None = None
    retry_of: Job | None = None
    not_before: datetime | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


def videos_of(wanted: Sequence[Video]) -> list[Video]:
    """Return the videos that are meant, in their order; made known where they weren't.

    Args:
        wanted: not saved; all of one owner, or of none.
    """
    ids = [video.video_id for video in wanted]
    owner = wanted[0].owner_id

    def known() -> dict[str, Video]:
        rows = Video.objects.filter(video_id__in=ids, owner_id=owner).defer("upload")
        return {video.video_id: video for video in rows}

    found = known()
    missing = [video for video in wanted if video.video_id not in found]
    if missing:
        missing.sort(key=lambda video: video.video_id)
        Video.objects.bulk_create(missing, ignore_conflicts=True)  # a rival may be faster
        found = known()
    return [found[one] for one in ids]


def analyses_of(videos: Sequence[Video], strategy: Strategy, *, now: datetime) -> list[Analysis]:
    """Return the analyses that all share who ask for these videos under a strategy's inputs."""
    inputs = strategies.inputs_of(strategy)
    facts = {"strategy_hash": strategies.hash_of(inputs)}
    rows = Analysis.objects.filter(video__in=[video.pk for video in videos], **facts)
    found = {one.video_id: one for one in rows}
    missing = [
        Analysis(video=video, strategy=strategy, inputs=inputs, created_at=now, **facts)
        for video in sorted(videos, key=lambda one: one.pk)
        if video.pk not in found
    ]
    if missing:
        Analysis.objects.bulk_create(missing, ignore_conflicts=True)  # as above
        found = {one.video_id: one for one in rows.all()}
    for video in videos:
        found[video.pk].video = video
    return [found[video.pk] for video in videos]


def needs_work(analyses: Sequence[Analysis]) -> bool:
    """Say whether any has no result yet."""
    return any(one.outcome == Outcome.NONE for one in analyses)


def enlist(roll: Roll, analyses: Sequence[Analysis], *, now: datetime) -> list[Asked]:
    """Give the asker a job for each: done where there is a result, else on the work that all share.

    Turns come in the order of the list: each is asked for a microsecond after the one before.
    What is there already costs no quota and takes no lock.

    Raises:
        HeldQuotaError: as many are at work as the plan allows.
        DailyQuotaError: the day's are used up.
    """
    if not needs_work(analyses):
        return _counted(_jobs(roll, analyses, {}, set(), now=now))
    with transaction.atomic():
        waiting = [one for one in analyses if one.outcome == Outcome.NONE]
        quotas.require(quotas.JOBS_PER_DAY, user_id=roll.by.user_id, now=now, count=len(waiting))
        _lock(waiting)
        idle, work = _work(roll, [one for one in waiting if one.outcome == Outcome.NONE], now=now)
        made = _jobs(roll, analyses, work, idle, now=now)
    return _counted(made)


def _counted(made: list[Asked]) -> list[Asked]:
    there = sum(asked.job.cached for asked in made)
    metrics.CACHE.labels("hit").inc(there)
    metrics.CACHE.labels("miss").inc(len(made) - there)
    return made


def _lock(analyses: Sequence[Analysis]) -> None:
    """Lock analyses and bring them up to date: work may have ended meanwhile."""
    names = ("pk", "outcome", "finished_at", "run_id")
    rows = Analysis.objects.select_for_update(no_key=True).filter(pk__in=[a.pk for a in analyses])
    by_key = {one.pk: one for one in analyses}
    for row in rows.order_by("pk").values(*names):
        for name in names[1:]:
            setattr(by_key[row["pk"]], name, row[name])


def _work(
    roll: Roll, analyses: Sequence[Analysis], *, now: datetime
) -> tuple[set[int], dict[int, Run]]:
    """Return whose work is new, and the work at each: what is on its way, else what is begun."""
    on_its_way = Run.objects.select_for_update(no_key=True).filter(
        pk__in=[one.run_id for one in analyses if one.run_id is not None],
        status__in=UNENDED,
        cancel_asked_at=None,
    )
    by_key = {run.pk: run for run in on_its_way.order_by("pk")}
    found = {one.pk: by_key[one.run_id] for one in analyses if one.run_id in by_key}
    idle = [one for one in analyses if one.pk not in found]
    if roll.batch is None:
        _require_room(roll, list(found.values()), len(idle), now=now)
        for run in found.values():
            if not run.attempt:  # it waits for its turn in somebody's batch, not for a site
                runs.wake(run, now=now)
    for analysis, run in zip(idle, begin(roll, idle, now=now), strict=True):
        found[analysis.pk] = run
    return {one.pk for one in idle}, found


def _require_room(roll: Roll, joined: Sequence[Run], new: int, *, now: datetime) -> None:
    """Ask the quota for what is new to the asker: work that they are at already costs nothing."""
    mine = Job.objects.open().filter(run__in=joined, owner_id=roll.by.user_id, batch=None)
    more = new + len(joined) - mine.order_by().values("run").distinct().count()
    if more:
        quotas.require(quotas.JOBS_AT_ONCE, user_id=roll.by.user_id, now=now, count=more)


def begin(roll: Roll, analyses: Sequence[Analysis], *, now: datetime) -> list[Run]:
    """Start work at analyses, at which only one may be each: the database sees to it."""
    made = runs.submit_all([_ask_of(roll, one) for one in analyses], by=roll.by, now=now)
    for analysis, run in zip(analyses, made, strict=True):
        analysis.run = run
    Analysis.objects.bulk_update(analyses, ["run"])
    return made


def _ask_of(roll: Roll, analysis: Analysis) -> runs.Ask:
    return runs.Ask(
        kind=kinds.JOB.name,
        subject=str(analysis.video)[:200],
        about=("analysis.analysis", analysis.pk),
        payload={"analysis_id": analysis.pk, **roll.payload},
        exclusive_key=f"analysis:{analysis.pk}",
        not_before=roll.not_before,
    )


def begun(roll: Roll, analysis: Analysis, *, now: datetime) -> Job:
    """Start work at an analysis, whatever result it has; return the job that began it."""
    (run,) = begin(roll, [analysis], now=now)
    return _jobs(roll, [analysis], {analysis.pk: run}, {analysis.pk}, now=now)[0].job


def _jobs(
    roll: Roll,
    analyses: Sequence[Analysis],
    work: Mapping[int, Run],
    idle: set[int],
    *,
    now: datetime,
) -> list[Asked]:
    """Make the jobs, in the order of their analyses."""
    made = [
        Asked(_job(roll, one, work.get(one.pk), now=now), is_new=one.pk in idle) for one in analyses
    ]
    for at, asked in enumerate(made):
        asked.job.created_at += timedelta(microseconds=at)
        if asked.is_new:  # the one that begins the work has its id
            asked.job.pk = asked.job.run_id
    if len(made) == 1:  # as most are: without the statements of a transaction round it
        made[0].job.save(force_insert=True)
    else:
        Job.objects.bulk_create([asked.job for asked in made])
    return made


def _job(roll: Roll, analysis: Analysis, run: Run | None, *, now: datetime) -> Job:
    facts: dict[str, Any] = {"run": run}
    if run is None:
        status = _ENDED_AS[Outcome(analysis.outcome)]
        facts = {"cached": True, "final_status": status, "progress": 100.0, "ended_at": now}
    return Job(
        owner_id=roll.by.user_id,
        analysis=analysis,
        batch=roll.batch,
        retry_of=roll.retry_of,
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
