"""How states, moments and durations look on staff pages; ``static/millrace`` keeps them current."""

import json
from datetime import datetime, timedelta
from math import floor, isfinite, log10
from typing import Any, Final

from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince, timeuntil

from project.core.moments import stamp

NOTHING: Final = mark_safe('<span class="mr-faint mr-none">—</span>')
#: A column has room for so many letters.
_LINE: Final = 120
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
        '<time class="mr-time" datetime="{}" title="{} UTC" data-relative>{}</time>',
        stamp(at),
        f"{at:%Y-%m-%d %H:%M:%S}",
        f"in {timeuntil(at, depth=1)}" if at > timezone.now() else f"{timesince(at, depth=1)} ago",
    )


def moment_in_full(at: datetime | None) -> SafeString:
    """Return a moment exactly (UTC), with its distance from now beside it."""
    if at is None:
        return NOTHING
    return format_html(
        '{} <span class="mr-faint">({})</span>', f"{at:%Y-%m-%d %H:%M:%S} UTC", moment(at)
    )


def number(value: float) -> str:
    """Return a number with thousands apart and no digit that says nothing.

    Eight digits that count, six of numbers below one; no trailing zeros, no exponents.
    """
    size = abs(float(value))
    if not isfinite(size) or size == 0:
        return f"{value:g}"
    digits = 8 if size >= 1 else 6
    places = min(max(0, digits - 1 - floor(log10(size))), 20)
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def pretty(value: Any) -> SafeString:
    """Return JSON in lines, as people read it."""
    if value in ({}, [], ""):
        return NOTHING
    return format_html(
        '<pre class="mr-code">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False)
    )


def in_short(value: Any) -> Any:
    """Return JSON in a line: what a list holds, or the names of a dictionary with what they are."""
    if value in ({}, [], ""):
        return NOTHING
    if isinstance(value, dict):
        value = [f"{name} {_word(inner)}" for name, inner in value.items()]
    line = ", ".join(map(_word, value)) if isinstance(value, list) else _word(value)
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"


def _word(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def milliseconds(value: float) -> str:
    """Return a duration in milliseconds; from ten seconds on in larger units."""
    return f"{value:,.0f} ms" if value < 10_000 else duration(value / 1000)  # noqa: PLR2004


def size(value: float) -> str:
    """Return a number of bytes in the unit that fits it."""
    return str(filesizeformat(value)).replace("\xa0", " ")


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
