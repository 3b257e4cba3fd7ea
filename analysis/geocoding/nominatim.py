"""Puts mentions on the map by a Nominatim server, within its usage policy.

Every answer is kept, misses too: nothing is asked twice within its time. Homonyms are settled by the
countries that the video's other places lie in, then by nearness, then by importance.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from analysis.adapters.nominatim import Candidate, Server, TooHastyError, search
from analysis.contracts import Located, Mention, Unlocated, VideoContext, Waiting
from analysis.failures import Transient
from analysis.geocoding import marking, turns
from analysis.geocoding.distances import km
from analysis.models import Lookup
from project.core import version

AUTHORITY: Final = "nominatim"
NOT_FOUND: Final = "Nominatim knows no place of this name"
#: A name that nothing bears may get a place sooner than one with a place loses it.
MISS_HOLDS: Final = timedelta(days=7)
#: For how long a server is left alone that does not say how long; so many failures, and it is away.
HASTY_S: Final = 60.0
AWAY_AFTER: Final = 3
_NAP_S: Final = 0.5
_NEAR_KM: Final = 300.0
#: What OpenStreetMap calls kinds that go by another word here; others keep their type.
_KINDS: Final = {
    "water": "lake", "marketplace": "market", "place_of_worship": "temple", "attraction": "landmark",
    "administrative": "region", "aerodrome": "airport", "suburb": "quarter", "hamlet": "village",
    "gorge": "canyon", "state": "region", "national_park": "park", "nature_reserve": "reserve",
    "mountain_range": "range", "cave_entrance": "cave", "saddle": "pass", "archipelago": "island",
}  # fmt: skip


def _never_stop() -> None:
    """Do nothing: nobody can ask this work to stop."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What touches the world beside the network: clock, sleep, and the work's safe point."""

    clock: Callable[[], datetime] = timezone.now
    sleep: Callable[[float], None] = time.sleep
    check: Callable[[], None] = field(default=_never_stop)

    def wait(self, seconds: float) -> None:
        """Sleep in pieces, stopping where the work is asked to stop."""
        left_s = seconds
        while left_s > 0:
            self.check()
            self.sleep(min(_NAP_S, left_s))
            left_s -= _NAP_S


def configured() -> Server:
    """Return the installation's server."""
    agent = settings.NOMINATIM_USER_AGENT
    if not agent:
        agent = f"Millrace/{version.label()} ({settings.PUBLIC_URL or 'no address given'})"
    return Server(settings.NOMINATIM_URL, agent, settings.NOMINATIM_TIMEOUT_S)


class NominatimGeocoder:
    """The geocoder that asks a server."""

    def __init__(self, server: Server | None = None, *, tools: Tools | None = None) -> None:
        self._server = server or configured()
        self._tools = tools or Tools()

    def prepare(self, told: Waiting) -> None:
        """Do nothing: a server is there or is not."""

    def locate(
        self, mentions: Sequence[Mention], video: VideoContext
    ) -> Iterator[Located | Unlocated]:
        """Yield one answer for each mention, in order, as each is known.

        Raises:
            Transient: the server as a whole is away, or wants fewer requests.
            Deterministic: ``geocoder_refused``.
        """
        votes = Counter(mention.country.upper() for mention in mentions if mention.country)
        last: Candidate | None = None
        failures = 0
        for mention in mentions:
            try:
                found = self._candidates(mention, video.language)
            except TooHastyError:
                raise
            except Transient as error:
                failures += 1
                if failures >= AWAY_AFTER:
                    raise
                yield Unlocated(mention, str(error), retryable=True)
                continue
            failures = 0
            if not found:
                yield Unlocated(mention, NOT_FOUND, retryable=False)
                continue
            last = _likeliest(found, votes, last)
            votes[last.country] += 1
            yield _located(mention, last)

    def _candidates(self, mention: Mention, language: str) -> list[Candidate]:
        """Look in the country that the video hints at, then anywhere."""
        name = " ".join(mention.raw.split())
        if mention.country:
            found = self._asked(name, mention.country, language)
            if found:
                return found
        return self._asked(name, "", language)

    def _asked(self, name: str, country: str, language: str) -> list[Candidate]:
        question = _question(name, country, language)
        kept = Lookup.objects.filter(host=self._server.host, question=question).first()
        if kept is not None and _holds(kept, self._tools.clock()):
            return [Candidate(**one) for one in kept.answer]
        found = self._fetched(name, country, language)
        Lookup.objects.update_or_create(
            host=self._server.host,
            question=question,
            defaults={
                "name": name[:300],
                "answer": [one.as_json() for one in found],
                "asked_at": self._tools.clock(),
            },
        )
        return found

    def _fetched(self, name: str, country: str, language: str) -> list[Candidate]:
        host, tools = self._server.host, self._tools
        interval_s = settings.NOMINATIM_INTERVAL_S
        tools.wait(turns.reserve(host, interval_s=interval_s, now=tools.clock()))
        tools.check()
        try:
            return search(self._server, name, country=country, language=language)
        except TooHastyError as error:
            for_s = error.retry_after or HASTY_S
            turns.block(host, for_s=for_s, reason=str(error), now=tools.clock())
            raise TooHastyError(str(error), retry_after=for_s) from error


def _question(name: str, country: str, language: str) -> str:
    text = "|".join((name.casefold(), country.upper(), language))
    return hashlib.sha256(text.encode()).hexdigest()


def _holds(kept: Lookup, now: datetime) -> bool:
    keeps = timedelta(days=settings.NOMINATIM_KEEP_DAYS)
    return kept.asked_at + (keeps if kept.answer else min(keeps, MISS_HOLDS)) > now


def _likeliest(
    found: Sequence[Candidate], votes: Counter[str], last: Candidate | None
) -> Candidate:
    """Return which of the homonyms is meant."""
    whole = max(1, votes.total())

    def worth(one: Candidate) -> float:
        near = 0.0
        if last is not None:
            away = km((one.latitude, one.longitude), (last.latitude, last.longitude))
            near = 1 / (1 + away / _NEAR_KM)
        return one.importance + votes[one.country] / whole + 0.5 * near

    return max(found, key=worth)


def _located(mention: Mention, place: Candidate) -> Located:
    kind = place.kind.partition("/")[2]
    kind = _KINDS.get(kind, kind)
    marker = marking.of(kind)
    return Located(
        mention=mention,
        name=place.name or mention.raw,
        longitude=place.longitude,
        latitude=place.latitude,
        kind=kind,
        marker=marker.marker,
        tags=tuple(dict.fromkeys((*mention.tags, *marker.tags))),
        country=place.country,
        authority=AUTHORITY,
    )
