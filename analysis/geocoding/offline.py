"""Puts mentions on the map by the gazetteer, without a network."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from analysis.contracts import Located, Mention, Unlocated, VideoContext, Waiting
from analysis.extracting import recognising
from analysis.gazetteer import demonyms, folding, keeping, preparing
from analysis.gazetteer.library import Gazetteer
from analysis.gazetteer.places import Place
from analysis.geocoding import containing, marking, resolving

AUTHORITY: Final = "gazetteer"
#: Imported places have negative numbers.
AUTHORITY_OWN: Final = "imported gazetteer"
NOT_LISTED: Final = "the gazetteer has no place of this name"


@dataclass(frozen=True, slots=True)
class Sense:
    """One name with one meaning within a video, and the mentions that mean it."""

    key: str
    containers: frozenset[str]
    sort: str
    mentions: tuple[int, ...]


class OfflineGeocoder:
    """The geocoder that needs no network: GeoNames, our travel gazetteer, what staff imported."""

    def __init__(
        self,
        opened: Callable[[], Gazetteer] = keeping.gazetteer,
        *,
        ready: Callable[[Waiting], None] = preparing.wait,
    ) -> None:
        self._opened, self._ready = opened, ready

    def prepare(self, told: Waiting) -> None:
        """Wait for the gazetteer, where it is still being compiled."""
        self._ready(told)

    def locate(
        self, mentions: Sequence[Mention], video: VideoContext
    ) -> Iterator[Located | Unlocated]:
        """Yield one answer for each mention, in order, each in the light of all the others."""
        gazetteer = self._opened()
        senses = senses_of(mentions, gazetteer)
        places = _places({sense.key for sense in senses}, gazetteer)
        anchors = recognising.anchors_of(video.title, video.description, video.tags, gazetteer)
        asked = [
            resolving.Asked(
                sense.key,
                places.get(sense.key, ()),
                sense.containers,
                len(sense.mentions),
                sense.sort,
            )
            for sense in senses
        ]
        votes = dict(anchors.countries)
        for mention in mentions:
            if mention.country:
                votes[mention.country.upper()] = votes.get(mention.country.upper(), 0.0) + 1.0
        meant: dict[int, Place | None] = {}
        for sense, place in zip(senses, resolving.resolve(asked, votes), strict=True):
            meant.update(dict.fromkeys(sense.mentions, place))
        for number, mention in enumerate(mentions):
            yield _answer(mention, meant[number])


def _places(keys: set[str], gazetteer: Gazetteer) -> dict[str, list[Place]]:
    """Return what bears each key; a word for a people means its country."""
    peoples = {key: demonyms.countries()[key] for key in keys if demonyms.countries().get(key)}
    named = {code: folding.key_of(name) for code, name in demonyms.names(peoples.values())}
    found = gazetteer.places(keys.difference(peoples).union(named.values()))
    for word, code in peoples.items():
        found[word] = [place for place in found.get(named.get(code, ""), ()) if place.code == code]
    return found


def senses_of(mentions: Sequence[Mention], gazetteer: Gazetteer) -> list[Sense]:
    """Return the names that ``mentions`` hold, each once for all that they say of it."""
    asked = [containing.Asked(mention.raw, mention.quote) for mention in mentions]
    told = containing.containers(asked, gazetteer)
    found: dict[tuple[str, frozenset[str], str], list[int]] = {}
    latest: dict[str, frozenset[str]] = {}
    keys = [folding.key_of(mention.raw) for mention in mentions]
    for key, containers in zip(keys, told, strict=True):
        if containers:
            latest.setdefault(key, containers)
    for number, (key, containers) in enumerate(zip(keys, told, strict=True)):
        if containers:
            latest[key] = containers
        sort = containing.sort_of(asked[number])
        found.setdefault((key, latest.get(key, frozenset()), sort), []).append(number)
    return [Sense(*told, tuple(numbers)) for told, numbers in found.items()]


def _answer(mention: Mention, place: Place | None) -> Located | Unlocated:
    if place is None:
        return Unlocated(mention, NOT_LISTED, retryable=False)
    marker = marking.of(place.kind)
    return Located(
        mention=mention,
        name=place.name,
        longitude=place.longitude,
        latitude=place.latitude,
        kind=place.kind,
        marker=marker.marker,
        tags=tuple(dict.fromkeys((*mention.tags, *marker.tags))),
        country=place.country,
        authority=AUTHORITY if place.id >= 0 else AUTHORITY_OWN,
    )
