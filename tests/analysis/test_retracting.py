from typing import Any

import pytest
from django.utils import timezone

from analysis import amending, jobs, reading, retracting
from analysis.choices import PEOPLE, Outcome
from analysis.models import Correction, Place
from project.core.callers import Caller
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.factories import make_analysis, make_correction, make_place
from tests.analysis.test_pipeline import ask
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)
SPOT = (-31.0, 36.0)


@pytest.fixture
def staff() -> Caller:
    return Caller(user_id=make_user(email="staff@example.com").pk, is_staff=True)


def told_by(staff: Caller, **fields: Any) -> Correction:
    """Atlantis, put on the map in another video before."""
    spot = {"longitude": SPOT[0], "latitude": SPOT[1], "was_longitude": 0.0, "was_latitude": 0.0}
    whose = {"made_by_id": staff.user_id, "for_everybody": True}
    return make_correction(raw="atlantis", **{**spot, **whose, **fields})


def on_the_map(analysis: Any, by: Caller) -> dict[str, list[float]]:
    return {one["raw"]: one["coordinates"] for one in reading.locations(analysis, by=by)["routes"]}


def test_a_place_stored_where_staff_put_it_goes_with_the_correction(
    outside: Outside, caller: Caller, staff: Caller
):
    correction = told_by(staff)
    job = doing.finish(ask(caller))
    assert job.status == "done"
    assert on_the_map(job.analysis, caller)["atlantis"] == [*SPOT]

    for _ in range(2):  # the second time changes nothing
        retracting.take_back(correction, now=timezone.now())

    job.analysis.refresh_from_db()
    assert "atlantis" not in on_the_map(job.analysis, caller)
    assert len(on_the_map(job.analysis, caller)) == 5
    failed = reading.failures(job.analysis, by=caller)
    assert failed["failed"] == [{"raw": "atlantis", "reason": retracting.REASON}]
    assert (failed["retryable"], job.analysis.outcome) == (True, Outcome.PARTIAL)


def test_it_goes_where_staff_put_it_otherwise(outside: Outside, caller: Caller, staff: Caller):
    told_by(staff, longitude=10.0, latitude=20.0)
    job = doing.finish(ask(caller))
    later = told_by(staff, video=job.analysis.video)
    Place.objects.filter(raw="atlantis").update(longitude=SPOT[0], latitude=SPOT[1])

    retracting.take_back(later, now=timezone.now())

    job.analysis.refresh_from_db()
    assert on_the_map(job.analysis, caller)["atlantis"] == [10.0, 20.0]
    assert job.analysis.outcome == Outcome.DONE


def test_it_may_be_tried_again_afterwards(outside: Outside, caller: Caller, staff: Caller):
    correction = told_by(staff)
    job = doing.finish(ask(caller))
    retracting.take_back(correction, now=timezone.now())
    outside.places["atlantis"] = (1.0, 2.0)
    job.refresh_from_db()
    again = jobs.retry_geocode(job.analysis, by=caller, now=timezone.now()).job
    doing.finish(again)

    assert (again.status, again.shrunk_by) == ("done", 1)
    assert on_the_map(again.analysis, caller)["atlantis"] == [1.0, 2.0]


def test_what_a_geocoder_said_and_others_told_stays(staff: Caller):
    analysis = make_analysis(outcome=Outcome.DONE)
    by_geocoder = make_place(analysis=analysis, raw="atlantis", longitude=SPOT[0], latitude=SPOT[1])
    homonym = make_place(
        analysis=analysis, raw="lemuria", authority=PEOPLE, longitude=SPOT[0], latitude=SPOT[1]
    )

    retracting.take_back(told_by(staff), now=timezone.now())

    assert set(Place.objects.all()) == {by_geocoder, homonym}


def test_a_new_name_taken_back_is_not_shown_any_more(staff: Caller):
    place = make_place()
    wanted = amending.Wanted(name="Tower")
    amending.correct(place.analysis, place.n, wanted, by=staff, now=timezone.now())

    retracting.take_back(Correction.objects.get(), now=timezone.now())

    (route,) = reading.locations(place.analysis, by=staff)["routes"]
    assert (route["location"], route["correction"]) == ("Taipei 101", None)
