"""Pages of people's analyses: asking for one, the list, and the page of a job.

The pages' scripts work by the REST API, as every other program does; these views only say where.
"""

import uuid
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts import keys
from accounts.models import User
from analysis import transcripts
from analysis.choices import WEIGHTS, Phase, VideoKind
from analysis.models import Analysis, Job, Strategy
from analysis.writing import FORMS
from project.core.callers import Caller
from project.core.choices import RunStatus
from project.core.models import Run

PAGE_SIZE: Final = 20
_NOBODYS: Final = uuid.UUID(int=0)
_signed_in = login_required(login_url="/sign-in")


def _caller(request: HttpRequest) -> Caller:
    assert isinstance(request.user, User)  # noqa: S101 -- login_required saw to it
    return keys.caller_of_user(request.user)


def _jobs() -> Any:
    """Return jobs with what is shown of them, without transcripts and results."""
    analyses = Analysis.objects.select_related("video", "strategy").defer("video__upload")
    runs = Run.objects.defer("payload", "checkpoint")
    return Job.objects.prefetch_related(
        Prefetch("analysis", analyses.annotate(located=Count("places"))), Prefetch("run", runs)
    )


@require_safe
@_signed_in
def videos(request: HttpRequest) -> HttpResponse:
    """The form that asks for an analysis, and the caller's own jobs."""
    mine = _jobs().filter(owner_id=_caller(request).user_id)
    wanted = request.GET.get("status", "")
    if wanted in RunStatus.values:
        mine = mine.in_status(wanted)
    ordered = mine.order_by("-created_at", "id")
    page = Paginator(ordered, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [_row(job) for job in page]
    facts = {
        "analyze": "/api/videos/analyze",
        "page": reverse("job-page", args=[_NOBODYS]),
        "csrf": get_token(request),
        "live": [row["id"] for row in rows if row["is_live"]],
    }
    context = {
        "rows": rows,
        "page": page,
        "strategies": Strategy.objects.filter(is_enabled=True),
        "facts": facts,
        "statuses": RunStatus.choices,
        "wanted": wanted,
        "most_bytes": settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    }
    return render(request, "analysis/videos.html", context)


def _row(job: Any) -> dict[str, Any]:
    return {
        "id": str(job.pk),
        "name": _name(job),
        "status": job.status,
        "progress": job.progress if job.is_final or job.run is None else job.run.progress,
        "strategy": job.analysis.strategy.name,
        "total": job.analysis.places_total,
        "located": job.analysis.located,
        "error": job.error_message,
        "created_at": job.created_at,
        "is_live": not job.is_final,
        "page": reverse("job-page", args=[job.pk]),
    }


def _name(job: Job) -> str:
    video = job.analysis.video
    return video.title or video.file_name or video.url or video.video_id


def _found(request: HttpRequest, job_id: uuid.UUID) -> Job:
    """Return a job of the caller's, any for staff; a stranger's is not there."""
    found: Job = get_object_or_404(_jobs().visible_to(_caller(request)), pk=job_id)
    return found


@require_safe
@_signed_in
def job(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """The page of one job: what it does, the map, and the speech beside it."""
    found = _found(request, job_id)
    video = found.analysis.video
    phases = [(phase.value, phase.label, WEIGHTS[phase]) for phase in Phase]
    locations = f"/api/videos/{video.video_id}/locations"
    strategy = urlencode({"strategy": found.analysis.strategy_hash})
    downloads = [(name.upper(), f"{locations}?{strategy}&format={name}") for name in FORMS]
    context = {
        "job": found,
        "video": video,
        "strategy": found.analysis.strategy,
        "name": _name(found),
        "downloads": [*downloads, ("JSON", f"{locations}?{strategy}")],
        "phases": phases,
        "facts": _facts(request, found),
    }
    return render(request, "analysis/job.html", context)


def _facts(request: HttpRequest, found: Job) -> dict[str, Any]:
    """Return what the page's script has to know."""
    video = found.analysis.video
    return {
        "job_id": str(found.pk),
        "status": found.status,
        "strategy": found.analysis.strategy_hash,
        "video_url": video.url if video.kind == VideoKind.URL else "",
        "phases": Phase.values,
        "csrf": get_token(request),
        "urls": {
            "job": f"/api/jobs/{found.pk}",
            "video": f"/api/videos/{video.video_id}",
            "page": reverse("job-page", args=[_NOBODYS]),
            "transcript": reverse("job-transcript", args=[found.pk]),
        },
        "tiles": {"url": settings.TILES_URL, "attribution": settings.TILES_ATTRIBUTION},
    }


@require_safe
@_signed_in
def transcript(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """What is said in the video of a job, for its page: cues as ``[start_ms, end_ms, text]``."""
    answer = JsonResponse(transcripts.of(_found(request, job_id).analysis))
    answer["Cache-Control"] = "private, no-cache"
    return answer
