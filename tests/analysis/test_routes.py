import pytest

from analysis import correcting, routes
from project.core.callers import NOBODY
from tests.analysis.factories import make_place


@pytest.mark.django_db
def test_a_place_as_the_contract_says():
    place = make_place(n=3, start_ms=3_661_500, description="a tower", quote="at taipei 101")
    known = correcting.known(place.analysis.video, [], by=NOBODY)
    (shown,) = correcting.applied([place], known)

    assert routes.of(shown) == {
        "n": 3,
        "location": "Taipei 101",
        "coordinates": [121.5645, 25.0339],
        "description": "a tower",
        "timecode": "01:01:01,500",
        "tags": ["building"],
        "marker": "building",
        "raw": "taipei 101",
        "authority": "",
        "correction": None,
    }
