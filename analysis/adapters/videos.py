"""What a video site tells of a video, and what is said in it."""

import base64
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from analysis import subtitles
from analysis.adapters import asking, verdicts
from analysis.adapters.videoids import is_youtube, split, video_id_of
from analysis.contracts import Segment, VideoContext
from analysis.failures import Blocked, Deterministic, Transient
from project.core import tracing
from proxies import leasing
from proxies.choices import Outcome

__all__ = ["DIRECT", "PREFERRED", "REQUIRED", "Limits", "fetch_video", "video_id_of"]

DIRECT: Final = "direct"
PREFERRED: Final = "proxy_preferred"
REQUIRED: Final = "proxy_required"
_MOST_DESCRIPTION: Final = 20_000
_MOST_TAGS: Final = 100
#: The number that yt-dlp puts behind the title of a page's only video.
_NUMBERED: Final = re.compile(r" \(1\)$")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a site may take, seconds: for everything, and for one answer."""

    within_s: float = 90.0
    answer_within_s: float = 15.0


USUAL: Final = Limits()


def _never_stop() -> None:
    """Do nothing: nobody can ask this work to stop."""


def fetch_video(
    url: str,
    *,
    languages: Sequence[str],
    egress: str,
    check: Callable[[], None] = _never_stop,
    limits: Limits = USUAL,
) -> tuple[VideoContext, list[Segment], dict[str, Any]]:
    """Ask a site for a video's title, description, chapters and subtitles.

    One try: whoever calls decides about the next one. Through a proxy the pool hears what came of
    it, so that the next try takes another one.

    Args:
        url: the video's address.
        languages: of the subtitles, the best first; none: the language spoken.
        egress: ``direct``, ``proxy_preferred`` (directly where no proxy is free), ``proxy_required``.
        check: called several times a second; what it raises stops the work at once.
        limits: how long it may take.

    Returns:
        The context, what is said by time, and further facts: ``chapters`` (``title, start_ms,
        end_ms``), ``uploader``, ``published``, ``url``, ``site``, ``subtitles`` (``language,
        is_automatic, format``), ``remarks`` on the subtitles, ``exit`` (the proxy's address).

    Raises:
        Transient: time-out, 408, 425, 429, 5xx, a broken connection, no proxy free.
        Blocked: the site or the proxy refuses this way out.
        Deterministic: ``invalid_video_url``, ``invalid_video_id``, ``site_not_allowed``,
            ``forbidden_address``, ``unsupported_site``, ``video_not_found``, ``video_private``,
            ``login_required``, ``age_restricted``, ``members_only``, ``not_yet_available``,
            ``geo_restricted``, ``site_refused``, ``no_subtitles``, or a code of ``subtitles.parse``.
    """
    video_id = video_id_of(url)
    address = f"https://www.youtube.com/watch?v={video_id}" if is_youtube(video_id) else url.strip()
    _require_site(address)
    ask = _Ask(address, tuple(languages), egress, check, limits)
    with tracing.span("outside.video", server__address=urlsplit(address).hostname or ""):
        try:
            answer, exit_address = _asked(ask, country="")
        except _ElsewhereError as elsewhere:
            answer, exit_address = _asked_elsewhere(ask, elsewhere.failure)
    return _understood(video_id, answer, exit_address)


@dataclass(frozen=True, slots=True)
class _Ask:
    """One video that is asked for."""

    url: str
    languages: tuple[str, ...]
    egress: str
    check: Callable[[], None]
    limits: Limits


class _ElsewhereError(Exception):
    """The site lets other countries in."""

    def __init__(self, failure: verdicts.SiteFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _require_site(url: str) -> None:
    """Refuse sites beyond the allow-list, where there is one."""
    allowed = [site.lower().removeprefix("www.") for site in settings.VIDEO_SITES]
    host = (split(url).hostname or "").rstrip(".")
    if allowed and not any(host == site or host.endswith(f".{site}") for site in allowed):
        raise Deterministic(f"videos of {host} are not taken here", code="site_not_allowed")


def _asked(ask: _Ask, *, country: str) -> tuple[dict[str, Any], str]:
    """Return the site's answer and the address it was asked from; empty: our own."""
    with ExitStack() as stack:
        lease = _lease(ask, stack, country=country)
        answer = _answer(ask, proxy_url="" if lease is None else lease.proxy_url)
        told = answer.get("failure")
        if told is None:
            return answer, "" if lease is None else lease.exit_ip or lease.endpoint
        failure = verdicts.from_json(told)
        if lease is not None:
            outcome = failure.outcome or _outcome_of(failure)
            lease.report(outcome=outcome, status_code=failure.status)
        raise _error_of(failure)


def _asked_elsewhere(ask: _Ask, failure: verdicts.SiteFailure) -> tuple[dict[str, Any], str]:
    """Ask once more from a country that the site lets in, where a proxy stands in one."""
    refused = Deterministic(failure.message, code="geo_restricted")
    if ask.egress == DIRECT:
        raise refused
    for country in failure.countries[:5]:
        try:
            return _asked(ask, country=country)
        except leasing.NoProxyAvailableError:
            continue
        except _ElsewhereError:
            break
    raise refused


def _lease(ask: _Ask, stack: ExitStack, *, country: str) -> leasing.HeldLease | None:
    """Borrow a proxy as the policy says; None: ask directly.

    Raises:
        Transient: the policy wants a proxy and none is free.
        NoProxyAvailableError: none stands in ``country``.
    """
    if ask.egress == DIRECT:
        return None
    parts = split(ask.url)
    wanted: leasing.Wanted = {
        "target": parts.hostname or "",
        "ttl_s": ask.limits.within_s + 30,
    }
    if parts.scheme == "https":
        wanted["protocol"] = "https"
    if country:
        wanted["country"] = country
    try:
        return stack.enter_context(leasing.lease_proxy(holder="analysis.metadata", **wanted))
    except leasing.NoProxyAvailableError as error:
        if country:
            raise
        if ask.egress == REQUIRED:
            wait_s = getattr(error, "retry_after_s", None)
            raise Transient(
                "no proxy is free, and the policy wants one", retry_after=wait_s
            ) from error
        return None


def _answer(ask: _Ask, *, proxy_url: str) -> dict[str, Any]:
    words = {
        "url": ask.url,
        "languages": ask.languages,
        "proxy_url": proxy_url,
        "within_s": ask.limits.within_s,
        "answer_within_s": ask.limits.answer_within_s,
        "allow_private": settings.ALLOW_PRIVATE_NETWORKS,
    }
    return asking.answer_of(words, check=ask.check, within_s=ask.limits.within_s)


def _outcome_of(failure: verdicts.SiteFailure) -> str:
    """Return what a failure without blame says of a proxy: a lasting one got through."""
    kinds = {verdicts.LASTING: Outcome.OK, verdicts.ELSEWHERE: Outcome.OK}
    return kinds.get(failure.kind, Outcome.ERROR)


def _error_of(failure: verdicts.SiteFailure) -> Exception:
    if failure.kind == verdicts.BLOCKED:
        return Blocked(failure.message, retry_after=failure.retry_after_s)
    if failure.kind == verdicts.TRANSIENT:
        return Transient(failure.message, retry_after=failure.retry_after_s)
    if failure.kind == verdicts.ELSEWHERE:
        return _ElsewhereError(failure)
    return Deterministic(failure.message, code=failure.code)


def _understood(
    video_id: str, answer: dict[str, Any], exit_address: str
) -> tuple[VideoContext, list[Segment], dict[str, Any]]:
    info = answer["info"]
    if not answer["subtitles"]:
        raise Deterministic("the video has no subtitles", code="no_subtitles")
    track = answer["subtitles"][0]
    data = base64.b64decode(track["data"])
    segments, remarks = subtitles.parse(data, name=f"{video_id}.{track['form']}")
    duration_s = info.get("duration")
    context = VideoContext(
        video_id=video_id,
        title=_NUMBERED.sub("", str(info.get("title") or "")),
        description=str(info.get("description") or "")[:_MOST_DESCRIPTION],
        tags=tuple(map(str, [*(info.get("tags") or ()), *(info.get("categories") or ())]))[
            :_MOST_TAGS
        ],
        language=track["language"] or str(info.get("language") or ""),
        duration_ms=None if duration_s is None else round(float(duration_s) * 1000),
    )
    facts = {
        "chapters": _chapters(info),
        "uploader": info.get("uploader") or info.get("channel") or "",
        "published": info.get("upload_date") or "",
        "url": info.get("webpage_url") or "",
        "site": info.get("extractor_key") or "",
        "subtitles": {
            "language": track["language"],
            "is_automatic": track["is_automatic"],
            "format": track["form"],
        },
        "remarks": remarks,
        "exit": exit_address,
    }
    return context, segments, facts


def _chapters(info: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "title": str(each.get("title") or ""),
            "start_ms": round(float(each.get("start_time") or 0) * 1000),
            "end_ms": round(float(each.get("end_time") or 0) * 1000),
        }
        for each in info.get("chapters") or ()
    ]
