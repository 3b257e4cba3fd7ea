"""The geocoder: Nominatim's shapes, and what it counts."""

import pytest
import requests

from project import sandbox

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def geocoder():
    with sandbox.running() as world:
        yield world.nominatim


def search(geocoder, **query):
    answer = requests.get(
        f"{geocoder.url}/search",
        params={"format": "jsonv2", **query},
        headers={"User-Agent": "tests/1"},
        timeout=10,
    )
    return answer.status_code, answer.json() if answer.ok else answer.text


def test_places_are_found_by_any_name_and_country(geocoder):
    status, found = search(geocoder, q="九份")

    assert (status, len(found)) == (200, 1)
    assert (found[0]["lat"], found[0]["lon"]) == ("25.1092000", "121.8443000")
    assert found[0]["address"] == {"village": "Jiufen", "country_code": "tw"}
    assert search(geocoder, q="jiufen, taiwan")[1] == found
    assert search(geocoder, q="Jiufen", countrycodes="ch")[1] == []
    assert search(geocoder, q="nowhere")[1] == []
    assert search(geocoder, q=" ")[0] == 400


def test_haste_and_agents_are_counted(geocoder):
    geocoder.log.clear()
    for _ in range(3):
        search(geocoder, q="Bern")

    assert 1 <= geocoder.most_in_a_second() <= 3
    assert geocoder.agents() == {"tests/1": 3}
