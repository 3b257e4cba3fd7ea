"""What a failure of yt-dlp means: come again, go another way, from another country, or give up."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from yt_dlp.networking.exceptions import HTTPError, ProxyError, RequestError
from yt_dlp.utils import ExtractorError, GeoRestrictedError, UnsupportedError

from analysis.adapters.verdicts import BLOCKED, ELSEWHERE, LASTING, TRANSIENT, SiteFailure
from analysis.failures import is_passing
from project.core import moments
from project.core.errors import InvalidInputError

_SHOWN: Final = 300
_CAUSES: Final = 12
#: What sites say in words, and what it means; the first that fits.
_WORDS: Final[tuple[tuple[str, str, str], ...]] = (
    (r"not a bot|captcha|unusual traffic", BLOCKED, "captcha"),
    (r"rate.?limited|try again later", BLOCKED, "blocked"),
    (r"not (?:made this video )?available (?:in|from) your (?:country|location|region)", ELSEWHERE, "geo_restricted"),
    (r"members[- ]only|join this channel", LASTING, "members_only"),
    (r"private", LASTING, "video_private"),
    (r"confirm your age|age[- ]restricted|inappropriate for some", LASTING, "age_restricted"),
    (r"live event will begin|premieres? (?:in|will)|not (?:yet )?started", LASTING, "not_yet_available"),
    (r"sign in|log ?in|cookies|account|purchase|rental", LASTING, "login_required"),
    (r"unavailable|not available|removed|deleted|terminated|not exist|not found", LASTING, "video_not_found"),
)  # fmt: skip


def of(error: BaseException, *, now: datetime) -> SiteFailure:
    """Return what a failure means, judged by its root and then by the site's words."""
    found, message = list(_chain(error)), shown(error)
    for each in found:
        told = _by_kind(each, message)
        if told is not None:
            return told
    for each in found:
        if isinstance(each, HTTPError):
            return _by_status(each, message, now=now)
    if any(isinstance(each, ProxyError) for each in found):
        return SiteFailure(BLOCKED, message, outcome="refused")
    if any(isinstance(each, RequestError | OSError) for each in found):
        return SiteFailure(TRANSIENT, message, outcome=_transport_outcome(found))
    return _by_words(found, message)


def _by_kind(error: BaseException, message: str) -> SiteFailure | None:
    """Return what a failure of a kind of its own means; None for those of a common kind."""
    if isinstance(error, InvalidInputError):
        return SiteFailure(LASTING, str(error), code=error.code)
    if isinstance(error, GeoRestrictedError):
        countries = tuple(str(code).upper() for code in error.countries or ())
        return SiteFailure(ELSEWHERE, message, code="geo_restricted", countries=countries)
    if isinstance(error, UnsupportedError):
        return SiteFailure(LASTING, "no video is found there", code="unsupported_site")
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the failure and what lies beneath it, however yt-dlp keeps that."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting and len(seen) < _CAUSES:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or any(each is other for other in seen):
            continue
        seen.append(each)
        yield each
        told = getattr(each, "exc_info", None)
        waiting.append(told[1] if isinstance(told, tuple) and len(told) > 1 else None)
        waiting += [getattr(each, "cause", None), each.__cause__, each.__context__]
        waiting += [part for part in each.args if isinstance(part, BaseException)]
        waiting += [getattr(each, "reason", None), *getattr(each, "unexpected_errors", ())]


def _by_status(error: HTTPError, message: str, *, now: datetime) -> SiteFailure:
    status = int(error.status)
    if is_passing(status):
        outcome = "rate_limited" if status == 429 else ""  # noqa: PLR2004 -- too many requests
        wait_s = moments.wait_s(str(error.response.headers.get("Retry-After") or ""), now=now)
        return SiteFailure(TRANSIENT, message, outcome=outcome, status=status, retry_after_s=wait_s)
    if status in {403, 407}:
        outcome = "blocked" if status == 403 else "refused"  # noqa: PLR2004 -- forbidden
        return SiteFailure(BLOCKED, message, outcome=outcome, status=status)
    if status == 451:  # noqa: PLR2004 -- for legal reasons, which differ by country
        return SiteFailure(ELSEWHERE, message, code="geo_restricted", status=status)
    codes = {404: "video_not_found", 410: "video_not_found", 401: "login_required"}
    return SiteFailure(LASTING, message, code=codes.get(status, "site_refused"), status=status)


def _transport_outcome(found: list[BaseException]) -> str:
    text = " ".join(str(each).lower() for each in found)
    if "timed out" in text or any(isinstance(each, TimeoutError) for each in found):
        return "timeout"
    return "refused" if "refused" in text else "error"


def _by_words(found: list[BaseException], message: str) -> SiteFailure:
    for pattern, kind, what in _WORDS:
        if re.search(pattern, message, re.IGNORECASE):
            if kind == BLOCKED:
                return SiteFailure(BLOCKED, message, outcome=what)
            return SiteFailure(kind, message, code=what)
    expected = any(isinstance(each, ExtractorError) and each.expected for each in found)
    if expected:
        return SiteFailure(LASTING, message, code="site_refused")
    return SiteFailure(TRANSIENT, message)  # half a page, or a site that has just changed


def shown(error: BaseException) -> str:
    """Return what may be shown of a failure: no credentials, no queries, no advice, not endless."""
    text = re.sub(r"\x1b\[[\d;]*m", "", str(error))
    text = re.sub(r"(\w+://)[^@\s/]+@", r"\1…@", text)
    text = re.sub(r"\?\S+", "", re.sub(r"\s+", " ", text)).removeprefix("ERROR: ")
    text = re.split(r"; please report|\(caused by|\. See +https", text)[0]
    return text.strip()[:_SHOWN] or type(error).__name__
