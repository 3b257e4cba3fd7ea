"""Places of the user's own come in from dumps, GeoJSON and CSV, and go again."""

import json
import zipfile
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from analysis.contracts import Located, Mention, VideoContext
from analysis.gazetteer import importing, keeping
from analysis.gazetteer.importing import BadPlacesError, NoImportError, Rejected
from analysis.gazetteer.library import Gazetteer
from analysis.geocoding.offline import OfflineGeocoder
from tests.analysis.gazetteers import entry, small

DUMP = (
    "1\tJade Peak\tJade Peak\tYu Shan,玉山,ABC\t23.47\t120.957\tT\tPK\tTW\t\t\t\t\t\t0\t\t\tAsia/Taipei\t2020-01-01\n"
    "2\tOldtown\tOldtown\t\t24.0\t121.0\tP\tPPL\tTW\t\t\t\t\t\t7000\t\t\tAsia/Taipei\t2020-01-01\n"
)


@pytest.fixture
def gazetteer(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return Gazetteer(
        small(tmp_path / "g.sqlite3", entry("Paris")).path, more=keeping.imported_places
    )


def write(tmp_path, name: str, text: str):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_geonames_dump_is_taken_packed_or_not(gazetteer, tmp_path):
    plain = write(tmp_path, "TW.txt", DUMP)
    with zipfile.ZipFile(tmp_path / "TW.zip", "w") as packed:
        packed.writestr("readme.txt", "about")
        packed.write(plain, "TW.txt")

    assert importing.load(plain, name="tw").places == 2
    assert importing.load(tmp_path / "TW.zip", name="tw-zip").places == 2

    (peak, again) = gazetteer.places({"玉山"})["玉山"]
    assert (peak.name, peak.kind, peak.country, peak.latitude) == ("Jade Peak", "peak", "TW", 23.47)
    assert peak.id < 0
    assert again.id < 0
    assert gazetteer.known({"oldtown", "abc", "paris"}) == {"oldtown", "paris"}


def test_geojson_points_are_taken_and_other_shapes_told(gazetteer, tmp_path):
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [121.8, 25.1]},
         "properties": {"name": "Secret Beach", "kind": "beach", "country": "tw"}},
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
         "properties": {"name": "A line"}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {}},
    ]  # fmt: skip
    path = write(
        tmp_path, "a.geojson", json.dumps({"type": "FeatureCollection", "features": features})
    )

    done = importing.load(path, name="mine")

    assert done.places == 1
    assert [one.row for one in done.rejected] == [2, 3]
    mention = Mention("Secret Beach", 0, 1, "at Secret Beach")
    (answer,) = OfflineGeocoder(lambda: gazetteer).locate([mention], VideoContext("v"))
    assert isinstance(answer, Located)
    assert (answer.name, answer.marker, answer.authority) == (
        "Secret Beach", "beach", "imported gazetteer",
    )  # fmt: skip


def test_the_same_name_again_replaces_and_forgetting_takes_out(gazetteer, tmp_path):
    first = write(tmp_path, "a.csv", "name,latitude,longitude,other_names\nOne,1,2,Uno|Eins\n")
    second = write(tmp_path, "b.csv", "name,lat,lon\nTwo,1,2\nBad,100,2\n,1,2\n")

    importing.load(first, name="mine")
    assert gazetteer.known({"one", "eins"}) == {"one", "eins"}
    done = importing.load(second, name="mine")

    assert done.rejected == (
        Rejected(2, "100.0, 2.0 lies on no globe"),
        Rejected(3, "it has no name"),
    )
    assert gazetteer.known({"one", "two"}) == {"two"}
    assert [(one.name, one.places) for one in importing.listed()] == [("mine", 1)]
    importing.forget(name="mine")
    assert gazetteer.known({"two"}) == set()
    with pytest.raises(NoImportError):
        importing.forget(name="mine")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "one\ttwo\n"),
        ("a.geojson", "[]"),
        ("a.geojson", "{"),
        ("a.zip", "no zip"),
        ("a.csv", "latitude,longitude\n1,2\n"),
        ("a.csv", "name,latitude,longitude\n"),
        ("a.csv", "name,latitude,longitude\nX,north,2\n"),
    ],
)
def test_a_bad_file_is_refused_and_changes_nothing(gazetteer, tmp_path, name, text):
    importing.load(write(tmp_path, "good.csv", "name,lat,lon\nGood,1,2\n"), name="mine")

    with pytest.raises(BadPlacesError, match=name.replace(".", r"\.")):
        importing.load(write(tmp_path, name, text), name="mine")

    assert gazetteer.known({"good"}) == {"good"}


@pytest.mark.parametrize("name", ["", "../x", "A", "a/b", "-a"])
def test_a_name_that_is_no_file_name_is_refused(gazetteer, tmp_path, name):
    with pytest.raises(BadPlacesError, match="small letters"):
        importing.load(write(tmp_path, "a.csv", "name,lat,lon\nGood,1,2\n"), name=name)


@limits(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.binary(max_size=80), st.sampled_from(["a.csv", "a.txt", "a.geojson", "a.zip"]))
def test_any_bytes_are_taken_or_refused_by_name(gazetteer, tmp_path, told, name):
    (tmp_path / name).write_bytes(told)

    try:
        importing.load(tmp_path / name, name="any")
    except BadPlacesError as error:
        assert error.code == "bad_places"  # noqa: PT017 -- either way is right


def test_the_command_imports_lists_and_forgets(gazetteer, tmp_path):
    path = write(tmp_path, "mine.csv", "name,lat,lon\nGood,1,2\nBad,x,2\n")

    def told(*arguments: str) -> str:
        out, err = StringIO(), StringIO()
        call_command("import_places", *arguments, stdout=out, stderr=err)
        return out.getvalue() + err.getvalue()

    assert told(str(path)).startswith("mine: 1 places, 1 rows left out\nrow 2:")
    assert told() == "mine: 1 places\n"
    assert told("--forget", "mine") == "mine forgotten\n"
    assert told() == ""
    with pytest.raises(CommandError):
        told("--forget", "mine")
