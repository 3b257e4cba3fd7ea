"""What each phase has made is kept under a hash of all that it depends on.

So a job that is taken up again goes on after its last finished phase, and another strategy uses
again what its own inputs would give.
"""

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any, Final

from django.utils import timezone

from analysis import metrics
from analysis.attempts import Attempt
from analysis.choices import Phase
from analysis.models import Checkpoint, Video
from project.core import tracing

#: Raised with what a phase makes of the same inputs: older results are not used again then.
VERSIONS: Final = {Phase.METADATA: 1, Phase.COMPRESSION: 1, Phase.SUMMARY: 1}
WHOLE: Final = 0


def key_of(phase: Phase, *inputs: Any) -> str:
    """Return the key of what ``phase`` makes of ``inputs`` (plain JSON): 16 hexadecimal digits."""
    written = json.dumps([VERSIONS[phase], *inputs], sort_keys=True).encode()
    return hashlib.sha256(written).hexdigest()[:16]


def _of(video: Video, phase: Phase, key: str) -> Any:
    return Checkpoint.objects.filter(video=video, phase=phase, key=key)


def load(video: Video, phase: Phase, key: str) -> Any | None:
    """Return what the whole phase made; None where it has not finished."""
    return _of(video, phase, key).filter(part=WHOLE).values_list("data", flat=True).first()


def parts(video: Video, phase: Phase, key: str) -> dict[int, Any]:
    """Return the pieces that an unfinished phase has kept, by number from 1."""
    return dict(_of(video, phase, key).exclude(part=WHOLE).values_list("part", "data"))


def keep(
    attempt: Attempt, phase: Phase, key: str, data: Any, *, part: int = WHOLE, took_s: float = 0
) -> None:
    """Keep what a phase, or a piece of it, has made; the whole makes its pieces superfluous.

    Raises:
        StopWorkError: somebody else is at it by now.
    """
    with attempt.held():
        Checkpoint.objects.update_or_create(
            video=attempt.video,
            phase=phase,
            key=key,
            part=part,
            defaults={
                "data": data,
                "elapsed_ms": took_s * 1000,
                "created_at": timezone.now(),
            },
        )
        if part == WHOLE:
            _of(attempt.video, phase, key).exclude(part=WHOLE).delete()


def once(attempt: Attempt, phase: Phase, key: str, make: Callable[[], Any]) -> Any:
    """Return what ``phase`` makes: what is kept, else what ``make`` returns, kept."""
    kept = load(attempt.video, phase, key)
    if kept is not None:
        attempt.catch_up(phase)
        attempt.log("phase_reused", phase)
        return kept
    attempt.report(phase, 0, 1)
    attempt.log("phase_started", phase)
    began_s = time.monotonic()
    with tracing.span(f"analysis.{phase}", video__id=attempt.video.video_id):
        made = make()
    took_s = time.monotonic() - began_s
    keep(attempt, phase, key, made, took_s=took_s)
    metrics.PHASE_SECONDS.labels(phase).observe(took_s)
    attempt.report(phase, 1, 1)
    attempt.log("phase_finished", phase, took_ms=round(took_s * 1000, 1))
    return made
