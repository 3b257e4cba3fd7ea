"""Mentions are put on the map by a real server, within its policy."""

from datetime import UTC, datetime, timedelta

import pytest

from analysis.adapters.nominatim import Server, TooHastyError
from analysis.contracts import Located, Mention, StrategyInputs, Unlocated, VideoContext
from analysis.failures import Transient
from analysis.geocoding import geocoder_for
from analysis.geocoding.nominatim import NOT_FOUND, NominatimGeocoder, Tools, configured
from analysis.models import Lookup
from project import sandbox
from project.sandbox import Fault, FaultKind

pytestmark = pytest.mark.django_db(transaction=True)
VIDEO = VideoContext("v", language="en")


class Clock:
    """A clock that stands but for sleeps."""

    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.slept_s = 0.0

    def tools(self):
        return Tools(clock=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds):
        self.slept_s += seconds
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def _world():
    with sandbox.running() as world:
        yield world


@pytest.fixture
def server(_world):
    _world.nominatim.faults.clear()
    _world.nominatim.log.clear()
    return _world.nominatim


def mentions(*names, country=""):
    return [
        Mention(name, at * 1000, at * 1000 + 900, name, country=country)
        for at, name in enumerate(names)
    ]


def locate(server, found, clock=None):
    access = Server(server.url, "tests", 5.0)
    geocoder = NominatimGeocoder(access, tools=(clock or Clock()).tools())
    return list(geocoder.locate(found, VIDEO))


def test_places_with_their_kind_and_marker(server):
    asked = mentions("九份", "Matterhorn", "Nowhere at all")

    first, second, third = locate(server, asked)

    assert first == Located(
        asked[0], "Jiufen", 121.8443, 25.1092, "village", "city", ("village",), "TW", "nominatim"
    )
    assert (second.kind, second.marker) == ("peak", "mountain")
    assert third == Unlocated(asked[2], NOT_FOUND, retryable=False)


def test_nothing_is_asked_twice_within_its_time(server):
    clock = Clock()

    locate(server, mentions("Bern", "Nowhere", "bern"), clock)
    locate(server, mentions("Bern", "Nowhere"), clock)
    assert len(server.log.entries()) == 2

    clock.now += timedelta(days=8)
    locate(server, mentions("Bern", "Nowhere"), clock)
    assert len(server.log.entries()) == 3
    assert Lookup.objects.count() == 2


def test_requests_keep_their_distance(server):
    clock = Clock()

    locate(server, mentions("Bern", "Paris", "Nara", "Kobe"), clock)

    assert clock.slept_s == 3.0


def test_the_videos_other_places_settle_homonyms(server):
    names = ("Paris", "Lyon", "Paris, Texas")

    found = locate(server, mentions(*names))

    assert [(one.name, one.country) for one in found] == [
        ("Paris", "FR"),
        ("Lyon", "FR"),
        ("Paris", "US"),
    ]


def test_a_hint_at_the_country_is_tried_first_and_is_only_a_hint(server):
    found = locate(server, mentions("Bern", country="JP"))

    assert [one.country for one in found] == ["CH"]
    assert [each.query.get("countrycodes") for each in server.log.entries()] == ["jp", None]


def test_haste_stops_everybody_for_as_long_as_the_server_says(server):
    clock = Clock()
    server.faults.add(Fault(FaultKind.STATUS, status=429, retry_after_s=30, times=1))

    with pytest.raises(TooHastyError) as raised:
        locate(server, mentions("Bern"), clock)
    found = locate(server, mentions("Bern"), clock)

    assert raised.value.retry_after == 30
    assert isinstance(found[0], Located)
    assert clock.slept_s == 30.0


def test_single_failures_are_told_and_many_in_a_row_mean_that_it_is_away(server):
    server.faults.add(Fault(FaultKind.STATUS, status=503, times=2))

    found = locate(server, mentions("Bern", "Paris", "Nara"))

    assert [type(one) for one in found] == [Unlocated, Unlocated, Located]
    assert [one.retryable for one in found[:2]] == [True, True]
    server.faults.add(Fault(FaultKind.STATUS, status=503))
    with pytest.raises(Transient):
        locate(server, mentions("Kobe", "Lyon", "Porto", "Madrid"))


def test_the_strategy_decides_who_locates(settings):
    settings.NOMINATIM_URL = "http://127.0.0.1:9/"
    settings.NOMINATIM_USER_AGENT = ""
    settings.PUBLIC_URL = "https://millrace.example.org"

    assert isinstance(
        geocoder_for(StrategyInputs("m", geocode_mode="nominatim")), NominatimGeocoder
    )
    assert configured().user_agent.startswith("Millrace/")
    assert "https://millrace.example.org" in configured().user_agent
