"""What becomes of the map when a correction counts no more: nothing of it stays behind.

Most corrections are laid over a result when it is shown, and are gone with a flag. But a place that
no geocoder knew was stored where staff had put the name (``geocoding.correcting``): it goes where
they put it otherwise, or back to the list of failures.
"""

from datetime import datetime
from itertools import groupby
from typing import Final

from django.db import transaction

from analysis import correcting, values
from analysis.choices import PEOPLE, Change, Outcome
from analysis.contracts import Mention
from analysis.models import Analysis, Correction, Failure, Place
from project.core.callers import NOBODY

#: Why such a place is not on the map any more.
REASON: Final = "where it is was taken back"


def take_back(correction: Correction, *, now: datetime) -> None:
    """Let a correction count no more; it stays as history. Doing it again changes nothing."""
    with transaction.atomic():
        Correction.objects.filter(pk=correction.pk).update(is_taken_back=True)
        if correction.change == Change.MOVE and correction.for_everybody:
            _take_off(correction, now=now)


def _take_off(correction: Correction, *, now: datetime) -> None:
    """Move the places that are stored where ``correction`` put them."""
    where = {"longitude": correction.longitude, "latitude": correction.latitude}
    stored = Place.objects.filter(authority=PEOPLE, **where)
    found = [
        place
        for place in stored.order_by("analysis_id", "n")
        if correcting.fold(place.raw) == correction.raw
    ]
    for analysis_id, places in groupby(found, key=lambda place: place.analysis_id):
        locked = Analysis.objects.select_for_update(no_key=True, of=("self",))
        analysis = locked.select_related("video").get(pk=analysis_id)
        for place in places:
            _put(place, analysis, now=now)
        if analysis.outcome != Outcome.NONE:
            _told_anew(analysis, now=now)


def _put(place: Place, analysis: Analysis, *, now: datetime) -> None:
    """Put a place where other corrections say, else on the list of failures."""
    spot = correcting.known(analysis.video, [place.raw], by=NOBODY).spot_of(place.raw)
    if spot is not None:
        Place.objects.filter(pk=place.pk).update(longitude=spot[0], latitude=spot[1])
        return
    mention = Mention(
        place.raw,
        place.start_ms,
        place.end_ms,
        quote=place.quote,
        description=place.description,
        tags=tuple(place.tags),
        country=place.country,
        confidence=place.confidence,
    )
    Failure.objects.create(
        analysis=analysis,
        n=place.n,
        raw=place.raw,
        reason=REASON,
        retryable=True,
        mention=values.of_mention(mention),
        at=now,
    )
    Place.objects.filter(pk=place.pk).delete()


def _told_anew(analysis: Analysis, *, now: datetime) -> None:
    """Let the result be as its rows are: what is cached of it is of another moment."""
    failed = Failure.objects.filter(analysis=analysis).exists()
    Analysis.objects.filter(pk=analysis.pk).update(
        outcome=Outcome.PARTIAL if failed else Outcome.DONE, finished_at=now, failures_at=now
    )
