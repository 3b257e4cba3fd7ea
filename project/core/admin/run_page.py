"""What the page of one run shows."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.urls import reverse

from project.core import events, kinds, reports, scrubbing
from project.core.models import Run, RunEvent
from project.core.moments import stamp, stamp_or_none
from project.core.reports import Report

#: The page opens with so many of the newest events; the API has all.
EVENTS_SHOWN: Final = 400
RELATED_SHOWN: Final = 6
#: Of W3C's traceparent: version, trace, span, flags.
_TRACEPARENT_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class RunPage:
    """One run and what belongs to it."""

    label: str
    state: dict[str, Any]
    history: list[dict[str, Any]]
    left_out: int
    payload: str
    subject_url: str
    schedule_url: str
    trace_id: str
    trace_url: str
    retries: list[Run]
    related: list[Run]
    reports: list[Report]
    has_reports: bool


def of(run: Run, *, now: datetime) -> RunPage:
    """Return what the page of ``run`` shows, in at most four queries."""
    kind = kinds.known().get(run.kind)
    history = newest_events(run)
    return RunPage(
        label=kind.label if kind else run.kind,
        state=state_of(run, now=now),
        history=history,
        left_out=history[0]["id"] - 1 if history else 0,
        payload=json.dumps(scrubbing.value(run.payload), indent=2, ensure_ascii=False),
        subject_url=_subject_url(run),
        schedule_url=_schedule_url(run),
        trace_id=trace_id_of(run),
        trace_url=_trace_url(run),
        retries=list(_lean().filter(retry_of=run).order_by("-created_at")[:RELATED_SHOWN]),
        related=_related(run),
        reports=reports.of(run),
        has_reports=reports.has(run.kind),
    )


def state_of(run: Run, *, now: datetime) -> dict[str, Any]:
    """Return what changes while a run is watched, as plain JSON."""
    return {
        **events.state_of(run, ts=now),
        "is_final": run.is_final,
        "is_cancel_asked": run.cancel_asked_at is not None and not run.is_final,
        "takeovers": run.takeovers,
        "worker": run.worker,
        "created_at": stamp(run.created_at),
        "started_at": stamp_or_none(run.started_at),
        "ended_at": stamp_or_none(run.ended_at),
        "heartbeat_at": stamp_or_none(run.heartbeat_at),
        "error": {"type": run.error_type, "message": run.error_message}
        if run.error_type or run.error_message
        else None,
    }


def newest_events(run: Run, *, since: int = 0) -> list[dict[str, Any]]:
    """Return the newest events after number ``since``, oldest first, as a websocket sends them."""
    rows = RunEvent.objects.filter(run=run, seq__gt=since).order_by("-seq")[:EVENTS_SHOWN]
    return [
        {"id": row.seq, "event": row.event, "data": row.data, "at": stamp(row.created_at)}
        for row in reversed(rows)
    ]


def _lean() -> Any:
    return Run.objects.defer("payload", "checkpoint", "counts")


def _related(run: Run) -> list[Run]:
    """Return the latest other runs about the same object, or of the same periodic job."""
    if run.subject_type and run.subject_id:
        found = _lean().about(run.subject_type, run.subject_id)
    elif run.schedule:
        found = _lean().filter(schedule=run.schedule)
    else:
        return []
    return list(found.exclude(pk=run.pk).order_by("-created_at")[:RELATED_SHOWN])


def _subject_url(run: Run) -> str:
    """Return the page of the object that ``run`` is about; empty where it has none."""
    try:
        model = apps.get_model(run.subject_type)
    except (LookupError, ValueError):
        return ""
    if not run.subject_id or not admin.site.is_registered(model):
        return ""
    options = model._meta  # noqa: SLF001 -- Django's documented way to a model's name
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[run.subject_id])


def trace_id_of(run: Run) -> str:
    """Return the id of the trace that ``run`` belongs to; empty where traces were off."""
    parts = run.trace.split("-")
    return parts[1] if len(parts) == _TRACEPARENT_PARTS else ""


def _trace_url(run: Run) -> str:
    """Return where the trace is looked at, where the installation says so."""
    found = trace_id_of(run)
    return settings.TRACE_URL.replace("{trace_id}", found) if found else ""


def _schedule_url(run: Run) -> str:
    if not run.schedule:
        return ""
    return reverse("admin:django_celery_beat_periodictask_changelist", query={"q": run.schedule})
