"""What each failure of yt-dlp means."""

import io
import sys
from datetime import UTC, datetime

import pytest
from yt_dlp.networking.common import Response
from yt_dlp.networking.exceptions import (
    HTTPError,
    IncompleteRead,
    NoSupportingHandlers,
    ProxyError,
    SSLError,
    TransportError,
)
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError

from analysis.adapters import sitefailures
from analysis.adapters.verdicts import (
    BLOCKED,
    ELSEWHERE,
    LASTING,
    TRANSIENT,
    SiteFailure,
    from_json,
)
from project.core.addresses import ForbiddenAddressError
from proxies.choices import Outcome

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def wrapped(root: BaseException, words: str = "") -> DownloadError:
    """Wrap a failure as yt-dlp does."""
    error = ExtractorError(words or str(root), cause=root)
    try:
        raise error
    except ExtractorError:
        return DownloadError(f"ERROR: {error}", sys.exc_info())


def answered(status: int, **headers: str) -> DownloadError:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return wrapped(HTTPError(Response(io.BytesIO(), "https://x/", names, status=status)))


def of(error: BaseException) -> SiteFailure:
    return sitefailures.of(error, now=NOW)


@pytest.mark.parametrize(
    ("status", "kind", "code", "outcome"),
    [
        (408, TRANSIENT, "", ""),
        (425, TRANSIENT, "", ""),
        (429, TRANSIENT, "", "rate_limited"),
        (500, TRANSIENT, "", ""),
        (503, TRANSIENT, "", ""),
        (403, BLOCKED, "", "blocked"),
        (407, BLOCKED, "", "refused"),
        (451, ELSEWHERE, "geo_restricted", ""),
        (401, LASTING, "login_required", ""),
        (404, LASTING, "video_not_found", ""),
        (410, LASTING, "video_not_found", ""),
        (400, LASTING, "site_refused", ""),
    ],
)
def test_statuses(status, kind, code, outcome):
    found = of(answered(status))

    assert (found.kind, found.code, found.outcome, found.status) == (kind, code, outcome, status)
    assert not found.outcome or found.outcome in Outcome.values


@pytest.mark.parametrize(
    ("told", "wait_s"),
    [("7", 7.0), ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0), ("soon", None), ("", None), ("-3", 0.0)],
)
def test_retry_after_is_read_in_both_forms(told, wait_s):
    assert of(answered(429, Retry_After=told)).retry_after_s == wait_s


@pytest.mark.parametrize(
    ("root", "kind", "outcome"),
    [
        (TransportError("Read timed out."), TRANSIENT, "timeout"),
        (TransportError(cause=ConnectionRefusedError("refused")), TRANSIENT, "refused"),
        (IncompleteRead(10), TRANSIENT, "error"),
        (SSLError("handshake"), TRANSIENT, "error"),
        (TimeoutError("timed out"), TRANSIENT, "timeout"),
        (ProxyError("Unable to connect to proxy"), BLOCKED, "refused"),
    ],
)
def test_the_way_there(root, kind, outcome):
    assert (of(wrapped(root)).kind, of(wrapped(root)).outcome) == (kind, outcome)


@pytest.mark.parametrize(
    ("words", "kind", "what"),
    [
        ("Sign in to confirm you\u2019re not a bot. Use --cookies", BLOCKED, "captcha"),
        ("Video unavailable. This content isn't available, try again later.", BLOCKED, "blocked"),
        ("The uploader has not made this video available in your country", ELSEWHERE, "geo_restricted"),
        ("Private video. Sign in if you've been granted access", LASTING, "video_private"),
        ("Join this channel to get access to members-only content", LASTING, "members_only"),
        ("Sign in to confirm your age. This video may be", LASTING, "age_restricted"),
        ("This live event will begin in 3 hours.", LASTING, "not_yet_available"),
        ("This video is only available for registered users. Log in", LASTING, "login_required"),
        ("Video unavailable", LASTING, "video_not_found"),
        ("This video has been removed by the uploader", LASTING, "video_not_found"),
        ("Something odd", LASTING, "site_refused"),
    ],
)  # fmt: skip
def test_what_sites_say_in_words(words, kind, what):
    error = ExtractorError(words, expected=True)

    found = of(DownloadError(f"ERROR: {words}", (ExtractorError, error, None)))

    assert (found.kind, found.code or found.outcome) == (kind, what)


def test_kinds_of_their_own():
    geo = of(
        DownloadError("x", (None, GeoRestrictedError("not here", countries=["jp", "TW"]), None))
    )

    assert (geo.kind, geo.countries) == (ELSEWHERE, ("JP", "TW"))
    assert of(wrapped(UnsupportedError("https://x/"))).code == "unsupported_site"
    assert of(wrapped(ForbiddenAddressError("10.0.0.1 is not a public address"))).code == (
        "forbidden_address"
    )
    assert of(ExtractorError("Unable to extract title")).kind == TRANSIENT
    inside = NoSupportingHandlers([], [ForbiddenAddressError("10.0.0.1 is not a public address")])
    assert of(wrapped(inside)).code == "forbidden_address"


def test_what_is_shown_has_no_secrets_and_an_end():
    text = sitefailures.shown(
        DownloadError(
            f"ERROR: via http://user:secret@10.0.0.1:80 https://x/y?token=abc {'z' * 900}"
        )
    )

    assert text.startswith("via http://…@10.0.0.1:80 https://x/y zzz")
    assert len(text) == 300


def test_a_failure_survives_its_journey():
    failure = SiteFailure(ELSEWHERE, "not here", code="geo_restricted", countries=("JP",))

    assert from_json({**failure.as_json(), "countries": ["JP"]}) == failure
