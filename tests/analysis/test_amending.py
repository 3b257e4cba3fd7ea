"""Corrections are made and taken back by who made them; places that came of one go with it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from analysis import amending, reading, retracting
from analysis.amending import Wanted
from analysis.choices import Outcome
from analysis.models import Correction, Place
from project.core.callers import Caller
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.factories import make_correction, make_place, make_unlimited_user
from tests.analysis.test_pipeline import ask
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff() -> Caller:
    return Caller(user_id=make_user(email="staff@example.com").pk, is_staff=True)


@pytest.fixture
def owner() -> Caller:
    return Caller(user_id=make_unlimited_user().pk)


def correct(place: Place, by: Caller, at: datetime, **wanted: Any) -> None:
    amending.correct(place.analysis, place.n, Wanted(**wanted), by=by, now=at)


def take_back(place: Place, by: Caller) -> Any:
    return amending.take_back(place.analysis, place.n, by=by, now=timezone.now())


def seen(place: Place, by: Caller) -> list[tuple[str, list[float]]]:
    routes = reading.locations(place.analysis, by=by)["routes"]
    return [(one["location"], one["coordinates"]) for one in routes]


def test_changes_are_taken_back_one_request_after_the_other(owner: Caller, now: datetime):
    place = make_place(longitude=121.5, latitude=25.0, name="Taipei 101")
    correct(place, owner, now, coordinates=(1.0, 2.0), name="One")
    correct(place, owner, now + timedelta(seconds=1), coordinates=(3.0, 4.0))
    correct(place, owner, now + timedelta(seconds=2), dropped=True)

    told = [take_back(place, owner) for _ in range(3)]

    spots = [(one.name, one.longitude, one.latitude) for one in told]
    assert spots == [("One", 3.0, 4.0), ("One", 1.0, 2.0), ("Taipei 101", 121.5, 25.0)]
    assert Correction.objects.filter(is_taken_back=True).count() == 4
    with pytest.raises(amending.NothingToTakeBackError):
        take_back(place, owner)


def test_what_others_put_right_stays(owner: Caller, staff: Caller, now: datetime):
    place = make_place(longitude=121.5, latitude=25.0, name="Taipei 101")
    stranger = Caller(user_id=make_user().pk)
    correct(place, staff, now, name="Tower")
    correct(place, stranger, now, name="Theirs")

    with pytest.raises(amending.NothingToTakeBackError):
        take_back(place, owner)
    correct(place, owner, now, name="Mine")
    take_back(place, owner)

    assert seen(place, owner) == [("Tower", [121.5, 25.0])]
    assert seen(place, stranger) == [("Theirs", [121.5, 25.0])]


def test_a_place_that_came_of_what_is_taken_back_goes_with_it(
    outside: Outside, caller: Caller, staff: Caller
):
    """Staff had told of it in another video; here they moved it, and take that back."""
    make_correction(
        raw="atlantis", made_by_id=staff.user_id, for_everybody=True,
        longitude=-31.0, latitude=36.0, was_longitude=0.0, was_latitude=0.0,
    )  # fmt: skip
    doing.finish(ask(caller))
    place = Place.objects.get(raw="atlantis")
    correct(place, staff, timezone.now(), coordinates=(10.0, 20.0))
    assert ("atlantis", [10.0, 20.0]) in seen(place, caller)

    take_back(place, staff)
    assert ("atlantis", [-31.0, 36.0]) in seen(place, caller)
    retracting.take_back(Correction.objects.get(is_taken_back=False), now=timezone.now())

    place.analysis.refresh_from_db()
    assert place.analysis.outcome == Outcome.PARTIAL
    assert "atlantis" not in dict(seen(place, caller))


def test_no_such_place(owner: Caller):
    with pytest.raises(amending.PlaceNotFoundError):
        amending.take_back(make_place().analysis, 99, by=owner, now=timezone.now())
