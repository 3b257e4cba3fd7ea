"""Routes are read back by other people's readers."""

import json
from typing import Any

import gpxpy
import pytest
from fastkml import KML, Placemark
from fastkml.utils import find_all
from hypothesis import given
from hypothesis import strategies as st

from analysis import writing

pytestmark = pytest.mark.once

ITEMS = [
    {
        "location": "Taipei & <Shilin>",
        "coordinates": [121.5654, 25.033],
        "description": "夜市 \x0b\x00 “good”",
        "timecode": "00:00:04,000",
        "tags": ["city", "food"],
        "marker": "city",
    },
    {"location": "九份", "coordinates": [121.8443, 25.1092], "timecode": "01:02:03,500"},
]
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


def route(items=ITEMS, url=URL):
    return writing.route_of(items, video_id="dQw4w9WgXcQ", title="Three days", video_url=url)


def text(form, **named):
    return writing.written(form, route(**named))[0].decode()


def bare(xml):
    """Take off the declaration, which fastkml's reader of texts does not want."""
    declaration, _, rest = xml.partition("\n")
    assert declaration == '<?xml version="1.0" encoding="UTF-8"?>'
    return rest


def placemarks(xml) -> list[Any]:
    return list(find_all(KML.from_string(bare(xml), strict=True), of_type=Placemark))


def test_geojson():
    found = json.loads(text("geojson"))

    points, line = found["features"][:2], found["features"][2]
    assert found["type"] == "FeatureCollection"
    assert points[0]["geometry"] == {"type": "Point", "coordinates": [121.5654, 25.033]}
    assert points[1]["properties"] == {
        "number": 2,
        "name": "九份",
        "description": "",
        "timecode": "01:02:03,500",
        "tags": [],
        "marker": "",
        "link": f"{URL}&t=3723s",
    }
    assert line["geometry"] == {
        "type": "LineString",
        "coordinates": [[121.5654, 25.033], [121.8443, 25.1092]],
    }


def test_gpx_is_read_by_gpxpy():
    found = gpxpy.parse(text("gpx"))

    assert found.name == "Three days"
    assert [(each.name, each.latitude, each.longitude) for each in found.waypoints] == [
        ("1. Taipei & <Shilin>", 25.033, 121.5654),
        ("2. 九份", 25.1092, 121.8443),
    ]
    first: Any = found.waypoints[0]
    assert (first.comment, first.description, first.symbol, first.type) == (
        "00:00:04,000",
        "夜市  “good”",
        "city",
        "city, food",
    )
    assert first.link == f"{URL}&t=4s"
    assert len(found.routes[0].points) == 2


def test_kml_is_read_by_fastkml():
    found = placemarks(text("kml"))

    assert [each.name for each in found] == ["1. Taipei & <Shilin>", "2. 九份", "Three days"]
    assert found[0].geometry.coords == ((121.5654, 25.033),)
    assert found[2].geometry.coords == ((121.5654, 25.033), (121.8443, 25.1092))
    assert {each.name: each.value for each in found[0].extended_data.elements} == {
        "timecode": "00:00:04,000",
        "tags": "city, food",
        "marker": "city",
    }


@pytest.mark.parametrize("form", ["geojson", "gpx", "kml"])
@pytest.mark.parametrize("count", [0, 1])
def test_short_routes_have_no_line(form, count):
    found = text(form, items=ITEMS[:count])

    assert ("LineString" in found, "rtept" in found) == (False, False)


def test_a_line_over_the_edge_of_the_map_is_cut_there():
    items = [
        {"location": "Auckland", "coordinates": [174.0, -36.0]},
        {"location": "Honolulu", "coordinates": [-158.0, 20.0]},
        {"location": "Honolulu again", "coordinates": [-158.0, 20.0]},
        {"location": "Tokyo", "coordinates": [140.0, 36.0]},
    ]

    lines = route(items).lines

    assert [line[0] for line in lines] == [
        (174.0, -36.0),
        (-180.0, -24.0),
        (180.0, pytest.approx(25.677, abs=0.01)),
    ]
    assert lines[0][-1] == (180.0, -24.0)
    found = json.loads(text("geojson", items=items))["features"][-1]["geometry"]
    assert (found["type"], len(found["coordinates"])) == ("MultiLineString", 3)


def test_links_open_the_video_at_the_moment():
    films = route(url="https://films.test/watch/1#old").stops

    assert [each.link for each in films] == [
        "https://films.test/watch/1#t=4",
        "https://films.test/watch/1#t=3723",
    ]
    assert [each.link for each in route(url="").stops] == ["", ""]


def test_an_unknown_form_is_refused():
    with pytest.raises(writing.UnknownFormError) as raised:
        writing.written("shp", route())

    assert (raised.value.code, str(raised.value)) == (
        "unknown_format",
        "write one of: geojson, gpx, kml",
    )


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "location": st.text(min_size=1, max_size=20),
                "coordinates": st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
                "description": st.text(max_size=20),
                "tags": st.lists(st.text(max_size=5), max_size=2),
            }
        ),
        max_size=6,
    )
)
def test_whatever_places_are_called_readers_find_them_all(items):
    assert len(gpxpy.parse(text("gpx", items=items)).waypoints) == len(items)
    points = [
        each for each in placemarks(text("kml", items=items)) if each.geometry.geom_type == "Point"
    ]
    assert len(points) == len(items)
    assert all(abs(longitude) <= 180 for line in route(items).lines for longitude, _ in line)


@given(st.integers(0, 400_000_000))
def test_timecodes_go_there_and_back(at_ms):
    code = writing.timecode(at_ms)

    hours, minutes, rest = code.split(":")
    seconds, ms = rest.split(",")
    assert ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(ms) == at_ms


@pytest.mark.parametrize(
    ("authorities", "named"),
    [
        (["gazetteer", "gazetteer"], "© GeoNames, geonames.org (CC BY 4.0)"),
        (["nominatim"], "© OpenStreetMap contributors, openstreetmap.org/copyright (ODbL)"),
        (["correction", "imported gazetteer"], ""),
    ],
)
def test_those_whose_places_they_are_are_named(authorities, named):
    items = [{**ITEMS[0], "authority": authority} for authority in authorities]

    assert json.loads(text("geojson", items=items)).get("attribution", "") == named
    described = f"Places: {named}" if named else None
    assert gpxpy.parse(text("gpx", items=items)).description == described
    document: Any = KML.from_string(bare(text("kml", items=items)), strict=True).features[0]
    assert document.description == described
