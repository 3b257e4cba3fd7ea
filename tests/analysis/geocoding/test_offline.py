"""The offline geocoder: which of its homonyms a name means."""

from typing import Any

import pytest

from analysis.contracts import Located, Mention, StrategyInputs, Unlocated, VideoContext
from analysis.geocoding import geocoder_for
from analysis.geocoding.offline import NOT_LISTED, OfflineGeocoder

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def geocoder(whole_gazetteer):
    return OfflineGeocoder(lambda: whole_gazetteer)


def mention(raw: str, quote: str = "", at: int = 0) -> Mention:
    return Mention(raw, at, at + 4000, quote or f"we went to {raw}")


def located(answers) -> list[Any]:
    return list(answers)


def where(geocoder, *mentions, **about) -> list[tuple[str, str]]:
    answers = geocoder.locate(mentions, VideoContext("v", **about))
    return [(one.name, one.country) for one in answers if isinstance(one, Located)]


@pytest.mark.parametrize(
    ("quote", "latitude", "longitude"),
    [
        ("we flew to paris", 48.9, 2.3),
        ("we drove to paris texas", 33.7, -95.6),
        ("Welcome to Paris, Texas!", 33.7, -95.6),
        ("Paris, TX is small", 33.7, -95.6),
        ("Paris, Ky. has horses", 38.2, -84.3),
        ("paris in ontario is nice", 43.2, -80.4),
    ],
)
def test_a_name_says_where_it_lies(geocoder, quote, latitude, longitude):
    (answer,) = located(geocoder.locate([mention("paris", quote)], VideoContext("v")))

    assert (answer.latitude, answer.longitude) == pytest.approx((latitude, longitude), abs=0.2)


def test_a_name_that_once_said_where_it_lies_means_that_place_all_along(geocoder):
    said = [
        mention("Springfield", "hello from Springfield"),
        mention("Springfield", "Springfield, Oregon is great", 4000),
        mention("Springfield", "we love Springfield", 8000),
    ]

    answers = located(geocoder.locate(said, VideoContext("v")))

    assert {round(one.latitude) for one in answers} == {44}


def test_two_places_of_one_name_are_kept_apart(geocoder):
    said = [mention("London", "London, Ontario"), mention("London", "London, England", 4000)]

    assert [country for _, country in where(geocoder, *said)] == ["CA", "GB"]


def test_the_country_of_the_video_settles_a_name(geocoder):
    assert where(geocoder, mention("Cambridge"), title="A week in Massachusetts, USA") == [
        ("Cambridge", "US")
    ]
    assert where(geocoder, mention("Cambridge"), title="England by train") == [("Cambridge", "GB")]
    others = [mention(name) for name in ("Sherbrooke", "Montreal", "Quebec City")]
    assert where(geocoder, mention("Granby"), *others)[0] == ("Granby", "CA")


def test_chinese_names_mean_what_they_say(geocoder):
    found = where(geocoder, mention("九份"), mention("臺中"), mention("东京"), mention("大阪"))

    assert [country for _, country in found] == ["TW", "TW", "JP", "JP"]


def test_a_name_that_is_not_listed_says_so_and_keeps_its_turn(geocoder):
    said = [mention("Kathmandu"), mention("Zzyzzxqq"), mention("Pokhara", at=4000)]

    answers = located(geocoder.locate(said, VideoContext("v")))

    assert [type(one) for one in answers] == [Located, Unlocated, Located]
    assert answers[1] == Unlocated(said[1], NOT_LISTED, retryable=False)
    assert [one.mention for one in answers] == said


def test_a_place_has_marker_tags_and_authority(geocoder):
    (answer,) = located(geocoder.locate([mention("Kathmandu")], VideoContext("v")))

    assert (answer.kind, answer.marker, answer.tags) == ("city", "city", ("city",))
    assert answer.authority == "gazetteer"


def test_the_geocoder_of_a_strategy_is_the_offline_one_unless_it_says_else():
    assert isinstance(geocoder_for(StrategyInputs(model="offline")), OfflineGeocoder)


@pytest.mark.parametrize(
    ("raw", "quote", "kind"),
    [
        ("Salta", "the next morning we are in Salta", "city"),
        ("Gao", "the boat went down to Gao", "city"),
        ("Salta", "Salta province is large", "region"),
        ("Salta", "the north of the province of Salta", "region"),
        ("Kyoto", "a village in Kyoto Prefecture", "region"),
        ("Quebec", "we drove through Quebec", "region"),
        ("Quebec", "the old city of Quebec", "city"),
    ],
)
def test_a_town_and_the_province_of_its_name(geocoder, raw, quote, kind):
    (answer,) = located(geocoder.locate([mention(raw, quote)], VideoContext("v")))

    assert answer.kind == kind


def test_one_video_may_speak_of_both(geocoder):
    said = [
        mention("Salta", "welcome to Salta"),
        mention("Salta", "wine of the province of Salta", 4000),
        mention("Salta", "back in Salta", 8000),
    ]

    answers = located(geocoder.locate(said, VideoContext("v")))

    assert [one.kind for one in answers] == ["city", "region", "city"]


def test_what_lies_about_a_town_speaks_for_it(geocoder):
    alone, *_ = located(geocoder.locate([mention("New York")], VideoContext("v")))
    said = [mention("New York"), mention("Brooklyn", at=4000)]
    together, *_ = located(geocoder.locate(said, VideoContext("v")))

    assert (alone.kind, together.kind) == ("region", "city")
