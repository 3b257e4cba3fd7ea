"""How states, moments and durations look on staff pages; ``static/millrace`` keeps them current."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince

from project.core.moments import stamp

NOTHING: Final = mark_safe('<span class="mr-faint">—</span>')
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def pill(state: str, text: str) -> SafeString:
    """Return a coloured label; ``state`` picks the colour.

    Args:
        state: a run's status, or ``late``, ``paused``, ``good``, ``warning``, ``bad``, ``neutral``.
        text: what it says.
    """
    return format_html('<span class="mr-pill" data-state="{}">{}</span>', state, text)


def moment(at: datetime | None) -> SafeString:
    """Return a moment as distance from now, with the exact time (UTC) as title."""
    if at is None:
        return NOTHING
    return format_html(
        '<time class="mr-time" datetime="{}" title="{} UTC" data-relative>{} ago</time>',
        stamp(at),
        f"{at:%Y-%m-%d %H:%M:%S}",
        timesince(at, depth=1),
    )


def duration(seconds: float | None) -> str:
    """Return a duration in its two largest units, e.g. ``2 h 5 min``; short ones with a decimal."""
    if seconds is None:
        return "—"
    if seconds < 10:  # noqa: PLR2004 -- below ten seconds a tenth matters
        return f"{max(0.0, seconds):.1f} s"
    left = round(seconds)
    parts = []
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])


def meter(percent: float) -> SafeString:
    """Return a progress bar from 0 to 100."""
    return format_html(
        '<progress class="mr-bar" max="100" value="{}">{} %</progress>',
        round(percent, 1),
        round(percent),
    )


def schedule(job: Any) -> str:
    """Return when a ``PeriodicTask`` runs, in words."""
    if job.interval is not None:
        every: timedelta = job.interval.schedule.run_every
        return f"every {duration(every.total_seconds()).replace('.0 s', ' s')}"
    if job.crontab is not None:
        return str(job.crontab.human_readable)
    found = job.solar or job.clocked
    return str(found) if found else "never"


def changes(found: list[dict[str, str]]) -> SafeString:
    """Return changes as a list: the field, what it was and what it is; empty without any."""
    if not found:
        return SafeString("")
    lines = format_html_join(
        "",
        '<li><b>{}</b> <span class="mr-was">{}</span> → <span class="mr-is">{}</span></li>',
        ((each["name"], each["before"] or "—", each["after"] or "—") for each in found),
    )
    return format_html('<ul class="mr-changes">{}</ul>', lines)
