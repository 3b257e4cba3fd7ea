import pytest

from analysis import mapping
from analysis.contracts import Located, Mention, Unlocated, VideoContext
from analysis.failures import Transient
from analysis.models import Place
from project.core.models import RunEvent
from tests.analysis.doing import Outside
from tests.analysis.factories import make_correction
from tests.analysis.test_attempts import attempt
from tests.factories import make_user

__all__ = ["attempt"]
pytestmark = pytest.mark.django_db(transaction=True)
VIDEO = VideoContext("v")


def mention(raw: str) -> Mention:
    return Mention(raw, 1_000, 2_000, quote=f"in {raw}")


def located(raw: str) -> Located:
    return Located(mention(raw), raw.title(), 1.0, 2.0, "city", "city")


def test_places_and_failures_keep_the_numbers_of_their_mentions(attempt, outside: Outside):
    names = ["taipei", "atlantis", "tainan"]

    mapping.geocode(attempt, VIDEO, [mention(raw) for raw in names])
    failed = mapping.finish(attempt)

    analysis = attempt.analysis
    assert list(analysis.places.values_list("n", "raw")) == [(1, "taipei"), (3, "tainan")]
    assert list(analysis.failures.values_list("n", "raw")) == [(2, "atlantis")]
    analysis.refresh_from_db()
    assert (failed, analysis.outcome, analysis.places_total) == (1, "partial", 3)


def test_an_attempt_begins_with_an_empty_map(attempt, outside: Outside):
    for _ in range(2):
        mapping.geocode(attempt, VIDEO, [mention("taipei")])

    assert attempt.analysis.places.count() == 1


def test_a_geocoder_that_goes_away_leaves_what_was_found(attempt, outside: Outside, monkeypatch):
    monkeypatch.setattr(mapping, "TELL_EVERY_S", 600)

    def away(name: str) -> None:
        if name == "hualien":
            raise Transient("503")

    outside.before_locate = away

    with pytest.raises(Transient):
        mapping.geocode(attempt, VIDEO, [mention(raw) for raw in ("taipei", "jiufen", "hualien")])

    assert list(Place.objects.values_list("raw", flat=True)) == ["taipei", "jiufen"]


def test_what_comes_together_is_told_together(attempt, monkeypatch):
    monkeypatch.setattr(mapping, "TELL_EVERY_S", 600)
    monkeypatch.setattr(mapping, "MOST_TOGETHER", 4)
    board = mapping.Board(attempt, total=6)
    board.told_s = float("inf")

    for number, raw in enumerate("abcdef", 1):
        board.add(number, located(raw) if raw != "b" else Unlocated(mention(raw), "no", True))
    board.tell()

    told = RunEvent.objects.filter(event="partial_locations").order_by("seq")
    assert [[one["n"] for one in event.data["locations"]] for event in told] == [[1, 3, 4], [5, 6]]
    assert [event.data["progress"] for event in told] == [90.0, 100.0]


def test_what_is_told_is_corrected_by_staff(attempt, outside: Outside):
    make_correction(
        video=attempt.video, raw="taipei", change="rename", name="Taipeh", for_everybody=True
    )

    mapping.geocode(attempt, VIDEO, [mention("taipei")])

    event = RunEvent.objects.get(event="partial_locations")
    assert event.data["locations"][0]["location"] == "Taipeh"


def told_where(**fields):
    spot = {"raw": "atlantis", "longitude": -31.0, "latitude": 38.5}
    return make_correction(**{**spot, **fields})


def test_what_staff_have_located_before_is_located_for_everybody(attempt, outside: Outside):
    told_where(video=attempt.video, for_everybody=True)

    mapping.geocode(attempt, VIDEO, [mention("taipei"), mention("Atlantis")])
    failed = mapping.finish(attempt)

    assert failed == 0
    place = attempt.analysis.places.get(n=2)
    assert (place.longitude, place.latitude, place.authority) == (-31.0, 38.5, "correction")


def test_what_an_owner_has_located_changes_nobody_elses_result(attempt, outside: Outside):
    told_where(video=attempt.video, made_by=make_user())

    mapping.geocode(attempt, VIDEO, [mention("Atlantis")])

    assert mapping.finish(attempt) == 1


@pytest.mark.parametrize(("other", "failed"), [((-31.0, 38.501), 0), ((10.0, 50.0), 1)])
def test_a_name_located_in_other_videos_counts_where_they_agree(
    attempt, outside: Outside, other, failed
):
    told_where(for_everybody=True)
    told_where(for_everybody=True, longitude=other[0], latitude=other[1])

    mapping.geocode(attempt, VIDEO, [mention("Atlantis")])

    assert mapping.finish(attempt) == failed
