import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from proxies import checks, locating
from proxies.locating import Place


def written(path, facts, network="8.8.8.0/24"):
    writer = MMDBWriter(ip_version=4, database_type="test-ASN")
    writer.insert_network(IPSet([network]), facts)
    writer.to_db_file(str(path))
    return str(path)


@pytest.mark.parametrize(
    ("address", "country"),
    [("8.8.8.8", "US"), ("2001:4860:4860::8888", "US"), ("10.0.0.1", ""), ("", ""), ("no", "")],
)
def test_countries_are_known_offline(settings, address, country):
    settings.MAXMIND_DB = ""

    assert locating.of(address) == Place(country=country)


def test_the_users_own_file_knows_networks(settings, tmp_path):
    facts = {"autonomous_system_number": 15169, "autonomous_system_organization": "Google LLC"}
    settings.MAXMIND_DB = written(tmp_path / "asn.mmdb", facts)

    assert locating.of("8.8.8.8") == Place("US", "AS15169 Google LLC")
    assert locating.of("1.1.1.1").network == ""
    assert locating.problem() == ""


def test_the_users_own_file_knows_countries_best(settings, tmp_path):
    settings.MAXMIND_DB = written(tmp_path / "country.mmdb", {"country": {"iso_code": "CH"}})

    assert locating.of("8.8.8.8") == Place("CH")


def test_a_file_that_is_replaced_is_read_anew(settings, tmp_path):
    import os

    path = tmp_path / "asn.mmdb"
    settings.MAXMIND_DB = written(path, {"autonomous_system_number": 1})
    assert locating.of("8.8.8.8").network == "AS1"

    written(path, {"autonomous_system_number": 2})
    os.utime(path, (1, 1))

    assert locating.of("8.8.8.8").network == "AS2"


@pytest.mark.parametrize("content", [None, b"", b"nothing of the kind"])
def test_a_file_that_cannot_be_read_is_told_and_stops_nothing(settings, tmp_path, content):
    path = tmp_path / "broken.mmdb"
    if content is not None:
        path.write_bytes(content)
    settings.MAXMIND_DB = str(path)

    assert locating.of("8.8.8.8") == Place("US")
    assert [error.id for error in checks.places(None)] == ["proxies.E002"]
