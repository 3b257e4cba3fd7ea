"""Asking for many videos at once: what ``submitting`` does for one, in a few statements for all.

So a batch is taken whole or not at all, and holds up other writers only for a moment. Locks come in
the order of all who take them: analyses, then runs, each by number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from analysis import metrics, strategies, submitting
from analysis.choices import Outcome
from analysis.models import Analysis, Batch, Job, Strategy, Video
from project.core import requests, runs
from project.core.callers import Caller
from project.core.choices import UNENDED
from project.core.models import Run


@dataclass(frozen=True, slots=True)
class Roll:
    """Who asks for what.

    Attributes:
        batch: the batch that the jobs belong to.
        strategy: how they are analysed.
        by: who asks.
        not_before: when new work may begin at the latest; whose turn it is, is woken earlier.
    """

    batch: Batch
    strategy: Strategy
    by: Caller
    not_before: datetime


def enlist(roll: Roll, addresses: Mapping[str, str], moments: Mapping[str, datetime]) -> list[Job]:
    """Give the asker a job for each video: done where there is a result, else on shared work.

    Args:
        roll: who asks for what.
        addresses: where each video is, by its id.
        moments: when each is asked for, by its id: their turns come in this order.

    Returns:
        The jobs in the order of ``moments``.
    """
    with transaction.atomic():
        videos = _videos(addresses, moments)
        analyses = _analyses(videos, roll.strategy, moments)
        runs_of = _work(roll, [one for one in analyses if one.outcome == Outcome.NONE], moments)
        begun = set(
            Job.objects.filter(pk__in=[run.pk for run in runs_of.values()]).values_list(
                "pk", flat=True
            )
        )
        jobs = []
        for analysis in sorted(analyses, key=lambda one: moments[one.video.video_id]):
            run, now = runs_of.get(analysis.pk), moments[analysis.video.video_id]
            job = _job(roll, analysis, run, now=now)
            if run is not None and run.pk not in begun:
                job.pk = run.pk
            jobs.append(job)
        Job.objects.bulk_create(jobs)
    metrics.CACHE.labels("hit").inc(len(jobs) - len(runs_of))
    metrics.CACHE.labels("miss").inc(len(runs_of))
    return jobs


def _videos(addresses: Mapping[str, str], moments: Mapping[str, datetime]) -> dict[str, Video]:
    """Return the videos, made known where they weren't."""

    def known() -> dict[str, Video]:
        rows = Video.objects.filter(video_id__in=addresses, owner=None)
        return {video.video_id: video for video in rows.defer("upload")}

    found = known()
    missing = [
        Video(video_id=video_id, url=url, created_at=moments[video_id])
        for video_id, url in sorted(addresses.items())
        if video_id not in found
    ]
    if not missing:
        return found
    Video.objects.bulk_create(missing, ignore_conflicts=True)  # a rival may be faster
    return known()


def _analyses(
    videos: Mapping[str, Video], strategy: Strategy, moments: Mapping[str, datetime]
) -> list[Analysis]:
    """Return the analyses that all share who ask for these videos so, locked."""
    inputs = strategies.inputs_of(strategy)
    facts = {"strategy_hash": strategies.hash_of(inputs)}
    rows = Analysis.objects.filter(video__in=list(videos.values()), **facts)
    known = set(rows.values_list("video_id", flat=True))
    missing = [
        Analysis(video=video, strategy=strategy, inputs=inputs, created_at=moments[name], **facts)
        for name, video in sorted(videos.items())
        if video.pk not in known
    ]
    if missing:
        Analysis.objects.bulk_create(missing, ignore_conflicts=True)  # as above
    by_key = {video.pk: video for video in videos.values()}
    found = list(rows.select_for_update(no_key=True).order_by("pk"))
    for analysis in found:
        analysis.video = by_key[analysis.video_id]
    return found


def _work(
    roll: Roll, analyses: Sequence[Analysis], moments: Mapping[str, datetime]
) -> dict[int, Run]:
    """Return the work at each analysis: what is on its way, else new, by the analysis's number."""
    on_its_way = Run.objects.select_for_update(no_key=True).filter(
        pk__in=[one.run_id for one in analyses if one.run_id is not None],
        status__in=UNENDED,
        cancel_asked_at=None,
    )
    by_key = {run.pk: run for run in on_its_way.order_by("pk")}
    found = {one.pk: by_key[one.run_id] for one in analyses if one.run_id in by_key}
    idle = [one for one in analyses if one.pk not in found]
    asks = [submitting.ask_of(one, not_before=roll.not_before) for one in idle]
    now = min(moments.values())
    for analysis, run in zip(idle, runs.submit_all(asks, by=roll.by, now=now), strict=True):
        analysis.run = found[analysis.pk] = run
    Analysis.objects.bulk_update(idle, ["run"])
    return found


def _job(roll: Roll, analysis: Analysis, run: Run | None, *, now: datetime) -> Job:
    facts: dict[str, Any] = {"run": run}
    if run is None:
        facts = submitting.facts_of_result(analysis, now=now)
    return Job(
        owner_id=roll.by.user_id,
        analysis=analysis,
        batch=roll.batch,
        request_id=requests.current_id(),
        created_at=now,
        **facts,
    )
