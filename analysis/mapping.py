"""The last phase: places come onto the map one after another, and what could not be located.

Also tried again by itself: a retry asks for the failures alone.
"""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.utils import timezone

from analysis import correcting, geocoding, metrics, routes, values
from analysis.attempts import Attempt
from analysis.choices import Outcome, Phase
from analysis.contracts import Located, Mention, Unlocated, VideoContext
from analysis.failures import Transient
from analysis.models import Analysis, Failure, Place
from project.core.callers import NOBODY
from project.core.working import StopWorkError

#: Places that come within so many seconds of each other are told together.
TELL_EVERY_S: Final = 0.2
MOST_TOGETHER: Final = 50


@dataclass(slots=True)
class Board:
    """What has been located so far, and when it was last told."""

    attempt: Attempt
    total: int
    places: list[Place] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    answered: int = 0
    located: int = 0
    failed: int = 0
    told_s: float = 0.0

    def add(self, number: int, answer: Located | Unlocated) -> None:
        """Take one answer, and tell what has gathered when it is time."""
        self.answered += 1
        if isinstance(answer, Located):
            self.located += 1
            self.places.append(_place(self.attempt.analysis, number, answer))
        else:
            self.failed += 1
            self.failures.append(_failure(self.attempt.analysis, number, answer))
        waiting = len(self.places) + len(self.failures)
        if waiting >= MOST_TOGETHER or time.monotonic() - self.told_s >= TELL_EVERY_S:
            self.tell()

    def tell(self) -> None:
        """Store what has gathered, then say so; also a safe point."""
        if not (self.places or self.failures):
            return
        attempt, progress = self.attempt, (self.answered, self.total)
        places = self.store()
        attempt.report(Phase.GEOCODE, *progress, located=self.located, failed=self.failed)
        if places:
            known = correcting.known(attempt.video, [place.raw for place in places], by=NOBODY)
            shown = correcting.applied(places, known)
            attempt.work.event(
                "partial_locations",
                {
                    "locations": [routes.of(one) for one in shown],
                    "progress": attempt.work.run.progress,
                },
            )
            attempt.log("places_located", Phase.GEOCODE, places=len(places))
        self.told_s = time.monotonic()

    def store(self) -> list[Place]:
        """Store what has gathered; return the places in it."""
        with self.attempt.held():
            self._forget_failures()
            Place.objects.bulk_create(self.places)
            Failure.objects.bulk_create(self.failures)
        places, self.places, self.failures = self.places, [], []
        return places

    def _forget_failures(self) -> None:
        """Drop the failures that are answered anew; of a first try there are none."""
        numbers = [place.n for place in self.places] + [failure.n for failure in self.failures]
        Failure.objects.filter(analysis=self.attempt.analysis, n__in=numbers).delete()


def _place(analysis: Analysis, number: int, answer: Located) -> Place:
    mention = answer.mention
    tags = list(dict.fromkeys([*mention.tags, *answer.tags]))
    return Place(
        analysis=analysis,
        n=number,
        raw=values.clean(mention.raw)[:300],
        name=values.clean(answer.name)[:300],
        longitude=answer.longitude,
        latitude=answer.latitude,
        description=values.clean(mention.description or mention.quote),
        tags=[values.clean(tag) for tag in tags],
        kind=answer.kind[:60],
        marker=answer.marker[:60],
        country=(answer.country or mention.country)[:60],
        authority=answer.authority[:100],
        quote=values.clean(mention.quote),
        start_ms=mention.start_ms,
        end_ms=mention.end_ms,
        confidence=mention.confidence,
    )


def _failure(analysis: Analysis, number: int, answer: Unlocated) -> Failure:
    return Failure(
        analysis=analysis,
        n=number,
        raw=values.clean(answer.mention.raw)[:300],
        reason=values.clean(answer.reason)[:300],
        retryable=answer.retryable,
        mention=values.of_mention(answer.mention),
        at=timezone.now(),
    )


def geocode(attempt: Attempt, context: VideoContext, mentions: Sequence[Mention]) -> None:
    """Put the mentions on the map, from the first on.

    Raises:
        Transient: the geocoder as a whole is away.
    """
    with attempt.held():  # an attempt that died may have left some
        Place.objects.filter(analysis=attempt.analysis).delete()
        Failure.objects.filter(analysis=attempt.analysis).delete()
        mine = Analysis.objects.filter(pk=attempt.analysis.pk)
        mine.update(places_total=len(mentions), failures_at=None)
    _locate(attempt, context, list(enumerate(mentions, 1)))


def again(attempt: Attempt, context: VideoContext, failures: Sequence[Failure]) -> int:
    """Try failures again, and nothing else; return by how many the list has shrunk."""
    analysis = attempt.analysis
    before = analysis.failures.count()
    _locate(attempt, context, [(one.n, values.mention(one.mention)) for one in failures])
    return before - analysis.failures.count()


def _locate(
    attempt: Attempt, context: VideoContext, numbered: Sequence[tuple[int, Mention]]
) -> None:
    attempt.report(Phase.GEOCODE, 0, len(numbered))
    attempt.log("phase_started", Phase.GEOCODE, places=len(numbered))
    began_s = time.monotonic()
    board = Board(attempt, len(numbered))
    mentions = [mention for _, mention in numbered]
    # the result is everybody's: so only what staff have said counts in it
    told = correcting.known(attempt.video, [mention.raw for mention in mentions], by=NOBODY)
    geocoder = geocoding.Corrected(geocoding.geocoder_for(attempt.strategy), told)
    attempt.wait_for(geocoder)
    answers = geocoder.locate(mentions, context)
    found = attempt.aside.each(iter(answers))
    try:
        for (number, _), answer in zip(numbered, found, strict=True):
            board.add(number, answer)
    except (StopWorkError, Transient):
        with contextlib.suppress(StopWorkError):  # lost: the next one finds it again
            board.store()
        raise
    board.tell()
    took_s = time.monotonic() - began_s
    metrics.PHASE_SECONDS.labels(Phase.GEOCODE).observe(took_s)
    attempt.report(Phase.GEOCODE, 1, 1)
    counts = {"located": board.located, "failed": board.failed}
    attempt.log("phase_finished", Phase.GEOCODE, took_ms=round(took_s * 1000, 1), **counts)


def finish(attempt: Attempt) -> int:
    """Make what is on the map the result; return how many places are not on it."""
    analysis, now = attempt.analysis, timezone.now()
    with attempt.held():
        failed = analysis.failures.count()
        Analysis.objects.filter(pk=analysis.pk).update(
            outcome=Outcome.PARTIAL if failed else Outcome.DONE,
            finished_at=now,
            failures_at=now,
        )
    return failed
