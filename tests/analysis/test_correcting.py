from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from analysis import amending, correcting
from analysis.amending import Wanted
from analysis.models import Correction, Place
from project.core.callers import NOBODY, Caller
from tests.analysis.factories import make_analysis, make_correction, make_place, make_strategy
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Caller:
    return Caller(user_id=make_user(email="owner@example.com").pk)


@pytest.fixture
def staff() -> Caller:
    return Caller(user_id=make_staff(email="staff@example.com").pk, is_staff=True)


@pytest.fixture
def place() -> Place:
    return make_place(n=1)


def correct(place: Place, by: Caller, **wanted: Any) -> correcting.Shown | None:
    return amending.correct(place.analysis, place.n, Wanted(**wanted), by=by, now=timezone.now())


def seen(*places: Place, by: Caller = NOBODY) -> list[tuple[str, float, float]]:
    known = correcting.known(places[0].analysis.video, [one.raw for one in places], by=by)
    return [
        (one.name, one.longitude, one.latitude) for one in correcting.applied(list(places), known)
    ]


WAS = ("Taipei 101", 121.5645, 25.0339)


def test_an_owners_correction_is_the_owners(place: Place, owner: Caller, staff: Caller):
    shown = correct(place, owner, coordinates=(121.0, 25.0), name="101")

    assert shown is not None
    assert (shown.name, shown.authority) == ("101", "correction")
    assert shown.correction is not None
    assert (shown.correction["by"], shown.correction["changes"]) == (
        "owner@example.com",
        ["move", "rename"],
    )
    assert seen(place, by=owner) == [("101", 121.0, 25.0)]
    assert seen(place, by=staff) == seen(place) == [WAS]
    place.refresh_from_db()
    assert (place.name, place.longitude) == WAS[:2]  # the result itself is everybody's


def test_staffs_counts_for_everybody_but_the_owners_own_comes_first(
    place: Place, owner: Caller, staff: Caller
):
    correct(place, owner, name="mine")
    correct(place, staff, name="everybody's")

    assert seen(place) == [("everybody's", *WAS[1:])]
    assert seen(place, by=owner) == [("mine", *WAS[1:])]


def test_a_later_correction_takes_the_place_of_an_earlier_one(place: Place, staff: Caller):
    for name in ("one", "two"):
        correct(place, staff, name=name)

    assert seen(place) == [("two", *WAS[1:])]
    assert Correction.objects.count() == 2


def test_a_correction_holds_in_every_later_job_of_the_video(place: Place, staff: Caller):
    correct(place, staff, coordinates=(1.0, 2.0))
    strategy = make_strategy(model="another")
    later = make_analysis(video=place.analysis.video, strategy=strategy, outcome="done")

    again = make_place(analysis=later, raw="  TAIPEI 101", n=9, longitude=50.0)

    assert seen(again) == [("Taipei 101", 1.0, 2.0)]


def test_elsewhere_the_same_mistake_is_corrected_and_no_other(place: Place, staff: Caller):
    correct(place, staff, coordinates=(1.0, 2.0))
    same, homonym = make_place(), make_place(longitude=10.0, latitude=50.0)

    assert seen(same) == [("Taipei 101", 1.0, 2.0)]
    assert seen(homonym) == [("Taipei 101", 10.0, 50.0)]


def test_what_is_dropped_in_one_video_stays_in_others(place: Place, staff: Caller):
    assert correct(place, staff, dropped=True) is None

    assert seen(place) == []
    assert seen(make_place()) == [WAS]
    assert correct(place, staff, dropped=False) is not None
    assert seen(place) == [WAS]


def test_merging_keeps_the_other_place(place: Place, staff: Caller):
    other = make_place(analysis=place.analysis, raw="the tower", n=2, name="Tower")

    assert correct(place, staff, merge_into=2) is None

    assert seen(place, other) == [("Tower", *WAS[1:])]
    assert seen(place) == [WAS]  # where the other isn't spoken of there is nothing to merge into


def test_places_merged_into_each_other_are_not_both_lost(place: Place):
    other = make_place(analysis=place.analysis, raw="the tower", n=2, name="Tower")
    for one, into in ((place, "the tower"), (other, "taipei 101")):
        make_correction(
            video=place.analysis.video,
            raw=correcting.fold(one.raw),
            change="merge",
            merge_into=into,
            for_everybody=True,
        )

    assert len(seen(place, other)) == 2


def test_a_correction_of_a_place_that_is_not_there(place: Place, staff: Caller):
    with pytest.raises(amending.PlaceNotFoundError):
        amending.correct(
            place.analysis, 7, Wanted(name="x"), by=staff, now=timezone.now() + timedelta(1)
        )


@pytest.mark.parametrize(
    "wanted",
    [{}, {"name": "  "}, {"merge_into": 1}, {"merge_into": 5}, {"coordinates": (0.0, 91.0)}],
)
def test_corrections_that_can_not_be(wanted, place: Place, staff: Caller):
    with pytest.raises(amending.BadCorrectionError):
        correct(place, staff, **wanted)

    assert not Correction.objects.exists()


def test_distances():
    taipei, kaohsiung = (121.5654, 25.0330), (120.3014, 22.6273)

    assert correcting.distance_km(taipei, taipei) == 0
    assert correcting.distance_km(taipei, kaohsiung) == pytest.approx(297, abs=3)
