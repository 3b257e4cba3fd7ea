import csv
import json

import pytest
import requests

from project import sandbox
from project.sandbox import Fault, FaultKind, Protocol, ProxyKind, ProxySpec, WorldPlan

pytestmark = pytest.mark.once

SPECS = (
    ProxySpec(exit_address="127.0.0.11", country="NL"),
    ProxySpec(kind=ProxyKind.TRANSPARENT),
    ProxySpec(Protocol.SOCKS5, username="ann", password="p@ss:1"),
    ProxySpec(Protocol.SOCKS4),
)


@pytest.fixture(scope="module")
def world():
    with sandbox.running(WorldPlan(proxies=SPECS)) as running:
        yield running


@pytest.fixture
def ports(world):
    return [each.port for each in world.proxies]


def get(world, shape, **query):
    return requests.get(world.lists.list_url(shape), params=query, timeout=5)


def test_plain_lines_hold_http_proxies_or_those_asked_for(world, ports):
    assert get(world, "plain.txt").text == f"127.0.0.1:{ports[0]}\n127.0.0.1:{ports[1]}\n"
    assert get(world, "plain.txt", protocol="socks4").text == f"127.0.0.1:{ports[3]}\n"
    assert get(world, "plain.txt", protocol="socks5").text == ""
    assert get(world, "plain.txt", protocol="gopher").status_code == 400


def test_url_lines_hold_all_with_credentials(world, ports):
    assert get(world, "urls.txt").text.split() == [
        f"http://127.0.0.1:{ports[0]}",
        f"http://127.0.0.1:{ports[1]}",
        f"socks5://ann:p%40ss%3A1@127.0.0.1:{ports[2]}",
        f"socks4://127.0.0.1:{ports[3]}",
    ]


def test_json_comes_as_strings_objects_and_lines(world, ports):
    strings = get(world, "strings.json").json()
    objects = get(world, "proxies.json").json()
    lines = [json.loads(line) for line in get(world, "proxies.jsonl").text.splitlines()]

    assert strings == get(world, "urls.txt").text.split()
    assert objects == lines
    assert [each["port"] for each in objects] == ports
    assert objects[0] == {
        "protocol": "http",
        "username": None,
        "password": None,
        "host": "127.0.0.1",
        "port": ports[0],
        "exit_ip": "127.0.0.11",
        "anonymity": "elite",
        "geolocation": {"country": {"iso_code": "NL"}},
    }


def test_csv_has_a_heading_and_every_proxy(world, ports):
    rows = list(csv.DictReader(get(world, "proxies.csv").text.splitlines()))

    assert [int(row["port"]) for row in rows] == ports
    assert (rows[2]["username"], rows[2]["password"]) == ("ann", "p@ss:1")


def test_html_table_and_spys_style(world, ports):
    page = get(world, "table.html")
    spys = get(world, "spys.txt").text

    assert page.headers["Content-Type"].startswith("text/html")
    assert page.text.count("<tr>") == 5
    assert f"<td>127.0.0.1</td><td>{ports[1]}</td><td>DE</td><td>http</td>" in page.text
    assert f"127.0.0.1:{ports[0]} NL-H-S + \n" in spys
    assert f"127.0.0.1:{ports[1]} DE-N-S + \n" in spys


@pytest.mark.parametrize("status", [404, 500])
def test_list_fails_with_a_status(world, status):
    number = world.lists.faults.add(
        Fault(FaultKind.STATUS, status=status, path="/lists/urls.txt", times=1)
    )

    statuses = [get(world, "urls.txt").status_code for _ in range(2)]

    assert statuses == [status, 200]
    assert world.lists.faults.hits(number) == 1


def test_list_is_empty_broken_moved_or_silent(world):
    add = world.lists.faults.add
    add(Fault(FaultKind.EMPTY200, times=1))
    add(Fault(FaultKind.HTML200, times=1))
    add(Fault(FaultKind.REDIRECT, location="/lists/plain.txt", times=1))

    answers = [get(world, "urls.txt") for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 200]
    assert answers[0].text == ""
    assert answers[1].text.startswith("<!DOCTYPE html>")
    assert answers[2].text == get(world, "plain.txt").text
    add(Fault(FaultKind.CUT_BODY, times=1))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(world, "urls.txt")
    add(Fault(FaultKind.HANG, times=1))
    with pytest.raises(requests.ReadTimeout):
        requests.get(world.lists.list_url(), timeout=0.1)


def test_unknown_list_is_404(world):
    assert get(world, "nonsense.txt").status_code == 404


def test_folder_of_published_lists_is_served_as_it_is(list_folder):
    name = "clarketm_proxy-list.txt"

    with sandbox.running(WorldPlan(list_files=list_folder)) as world:
        answer = requests.get(f"{world.lists.url}/files/{name}", timeout=5)
        outside = requests.get(f"{world.lists.url}/files/%2e%2e/README.md", timeout=5)

    assert answer.content == (list_folder / name).read_bytes()
    assert outside.status_code in (403, 404)
