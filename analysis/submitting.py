"""Asking for one analysis: which video an address means, and what is taken as a transcript."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from analysis import enlisting, strategies, subtitles
from analysis.adapters import videos
from analysis.choices import VideoKind
from analysis.enlisting import Asked, Roll
from analysis.failures import Deterministic
from analysis.models import Job, Strategy, Video
from project.core.callers import Caller
from project.core.errors import FieldProblem, InvalidInputError


class BadVideoError(InvalidInputError):
    """The address is none of a video."""

    code = "bad_video"
    title = "This is no video"


class BadTranscriptError(InvalidInputError):
    """The file is no transcript."""

    code = "bad_transcript"
    title = "This is no transcript"


@dataclass(frozen=True, slots=True)
class Transcript:
    """A file that a user uploaded."""

    name: str
    data: bytes


def of_url(url: str, *, strategy: str = "", by: Caller, now: datetime) -> Asked:
    """Ask for the analysis of a video by its address.

    Raises:
        BadVideoError: the address is none of a video.
        UnknownStrategyError: no strategy is called so.
        HeldQuotaError: as many are at work as the plan allows.
        DailyQuotaError: the day's are used up.
    """
    chosen = strategies.find(strategy)
    return ask(unsaved(url, now=now), chosen, by=by, now=now)


def of_transcript(
    transcript: Transcript, *, strategy: str = "", by: Caller, now: datetime
) -> Asked:
    """Ask for the analysis of a transcript: the uploader's alone, and staff's.

    Raises:
        BadTranscriptError: it is empty, too large, or nothing that is read.
        UnknownStrategyError, HeldQuotaError, DailyQuotaError: as ``of_url``.
    """
    chosen = strategies.find(strategy)
    return ask(_upload(transcript, by=by, now=now), chosen, by=by, now=now)


def unsaved(url: str, *, now: datetime) -> Video:
    """Return the video at an address, not looked for yet.

    Raises:
        BadVideoError: the address is none of a video.
    """
    return Video(video_id=video_id_of(url), url=url.strip(), created_at=now)


def video_id_of(url: str) -> str:
    """Return how the API names the video at ``url``.

    Raises:
        BadVideoError: the address is none of a video.
    """
    try:
        found = videos.video_id_of(url.strip())
    except Deterministic as error:
        wrong = FieldProblem("url", error.code, str(error))
        raise BadVideoError(f"url: {error}", fields=(wrong,)) from error
    return found[:200]


def _upload(transcript: Transcript, *, by: Caller, now: datetime) -> Video:
    if by.user_id is None:
        raise BadTranscriptError("a transcript belongs to somebody")
    require_size(len(transcript.data))
    digest = hashlib.sha256(transcript.data).hexdigest()[:16]
    return Video(
        video_id=f"upload-{digest}",
        kind=VideoKind.UPLOAD,
        owner_id=by.user_id,
        upload=transcript.data,
        file_name=transcript.name[:255],
        title=transcript.name[:500],
        created_at=now,
    )


def require_size(size_bytes: int) -> None:
    """Refuse a transcript that is empty or too large, before it is read.

    Raises:
        BadTranscriptError: it is.
    """
    most = min(subtitles.MOST_BYTES, settings.TRANSCRIPT_MAX_BYTES)
    if not 0 < size_bytes <= most:
        raise _bad_file("size", f"a file of 1 to {most:,} bytes")


def _bad_file(code: str, expected: str) -> BadTranscriptError:
    wrong = FieldProblem("transcript", code, expected)
    return BadTranscriptError(f"transcript: {expected}", fields=(wrong,))


def ask(
    video: Video, strategy: Strategy, *, by: Caller, now: datetime, retry_of: Job | None = None
) -> Asked:
    """Give ``by`` a job: done where there is a result, else on the work that all share.

    Raises:
        HeldQuotaError, DailyQuotaError: as ``of_url``.
    """
    known = [video] if video.pk else enlisting.videos_of([video])
    analyses = enlisting.analyses_of(known, strategy, now=now)
    return enlisting.enlist(Roll(by, retry_of=retry_of), analyses, now=now)[0]
