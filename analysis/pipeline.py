"""What a run of kind ``analysis.job`` does: the four phases, or a retry of the last; how it fails."""

from collections.abc import Callable
from typing import Final

from analysis import mapping, phases
from analysis.aside import beside
from analysis.attempts import Attempt
from analysis.choices import Outcome, Phase
from analysis.failures import Deterministic, Transient
from analysis.models import Analysis, Failure, Job
from project.core import tracing, working
from project.core.errors import PermanentError, TransientError
from project.core.working import Work

#: How often a phase is tried when the outside world fails, before the job has failed.
TRIES: Final = 3


class TransientFailureError(PermanentError):
    """The outside world has failed as often as a phase is tried."""

    code = "transient"
    title = "The outside world failed"


class DeterministicFailureError(PermanentError):
    """Asking again would give the same."""

    code = "deterministic"
    title = "This can't be analysed"


class AgainError(TransientError):
    """The outside world failed; the phase is tried again in a while."""

    code = "transient"
    title = "Tried again in a while"


def run(work: Work) -> None:
    """Do what is left of a job.

    Raises:
        AgainError: a phase failed for now; what was finished is kept.
        TransientFailureError: a phase has failed for now ``TRIES`` times.
        DeterministicFailureError: it can't be done.
    """
    chosen = Analysis.objects.select_related("video", "strategy")
    analysis = chosen.filter(pk=work.payload["analysis_id"]).first()
    if analysis is None:
        raise DeterministicFailureError("deleted: the video is not there any more")
    with beside(work.check) as aside:
        attempt = Attempt(work, analysis, aside)
        deed = _retry if "retry" in work.payload else _analyse
        _judged(attempt, deed)


def _judged(attempt: Attempt, deed: Callable[[Attempt], None]) -> None:
    """Do it, and tell failures of the outside world from those that last."""
    try:
        deed(attempt)
    except Deterministic as error:
        attempt.log("failed", attempt.work.run.phase, error=error.code)
        raise DeterministicFailureError(f"{error.code}: {error}") from error
    except Transient as error:
        _again_or_never(attempt, error)


def _again_or_never(attempt: Attempt, error: Transient) -> None:
    phase = attempt.work.run.phase or str(Phase.METADATA)
    tries = {**attempt.work.checkpoint.get("tries", {})}
    tries[phase] = tries.get(phase, 0) + 1
    attempt.work.keep(tries=tries)
    attempt.log("phase_failed", phase, error=str(error)[:200], tries=tries[phase])
    if tries[phase] >= TRIES:
        raise TransientFailureError(f"{error} (after {tries[phase]} tries)") from error
    # the wait grows with the tries of this phase, not with the workers that died
    wait_s = working.backoff_s(tries[phase], asked_s=error.retry_after)
    raise AgainError(str(error), retry_after_s=wait_s) from error


def _analyse(attempt: Attempt) -> None:
    if attempt.analysis.outcome == Outcome.NONE:
        speech = phases.metadata(attempt)
        kept, key = phases.compression(attempt, speech)
        mentions = phases.summary(attempt, speech, kept, key)
        with tracing.span("analysis.geocode", video__id=attempt.video.video_id):
            mapping.geocode(attempt, speech.context, mentions)
        failed = mapping.finish(attempt)
    else:  # a worker died between the result and the end of its run
        failed = attempt.analysis.failures.count()
        attempt.report(Phase.GEOCODE, 1, 1)
    _end(attempt, failed)


def _retry(attempt: Attempt) -> None:
    """Try failures again; the speech is kept since the first time."""
    failures = Failure.objects.filter(
        analysis=attempt.analysis, n__in=attempt.work.payload["retry"]
    )
    speech = phases.metadata(attempt)
    before = attempt.work.checkpoint.get("before")
    if before is None:
        before = attempt.analysis.failures.count()
        attempt.work.keep(before=before)
    mapping.again(attempt, speech.context, list(failures.order_by("n")))
    failed = mapping.finish(attempt)
    shrunk_by = before - failed
    with attempt.held():
        Job.objects.filter(run=attempt.work.run).update(shrunk_by=shrunk_by)
    attempt.work.report(counts={"shrunk_by": shrunk_by})
    _end(attempt, failed)


def _end(attempt: Attempt, failed: int) -> None:
    total = attempt.analysis.places.count() + failed
    attempt.log("finished", Phase.GEOCODE, failed=failed, places=total)
    if failed:
        attempt.work.leave_partial(f"{failed} of {total} places could not be located")
