import io
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxies.choices import ListFormat
from proxies.parsing import Candidate, ListOptions, Refused, UnreadableListError, parse, parse_text

pytestmark = pytest.mark.once

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "proxies"


def read(text: str, **options: str) -> list[Any]:
    return list(parse_text(text, ListOptions(**options)))


def one(text: str, **options: str) -> Any:
    found = read(text, **options)
    assert len(found) == 1, found
    return found[0]


def facts(text: str, **options: str) -> tuple[str, str, int, str, str]:
    found = one(text, **options)
    assert isinstance(found, Candidate), found
    return (found.scheme, found.host, found.port, found.username, found.password)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("8.8.8.8:3128", ("http", "8.8.8.8", 3128, "", "")),
        ("8.8.8.8 3128", ("http", "8.8.8.8", 3128, "", "")),
        ("8.8.8.8\t3128\tsocks5\tUS", ("socks5", "8.8.8.8", 3128, "", "")),
        ("8.8.8.8,3128,SOCKS4", ("socks4", "8.8.8.8", 3128, "", "")),
        ("socks5;8.8.8.8;3128", ("socks5", "8.8.8.8", 3128, "", "")),
        ('"8.8.8.8:3128",', ("http", "8.8.8.8", 3128, "", "")),
        ("http://8.8.8.8:3128", ("http", "8.8.8.8", 3128, "", "")),
        ("HTTPS://8.8.8.8:3128/", ("https", "8.8.8.8", 3128, "", "")),
        ("socks4a://8.8.8.8:1080", ("socks4", "8.8.8.8", 1080, "", "")),
        ("socks5h://8.8.8.8:1080", ("socks5", "8.8.8.8", 1080, "", "")),
        ("proxy1.example.com:3128", ("http", "proxy1.example.com", 3128, "", "")),
        ("GATE.Example.com.:3128", ("http", "gate.example.com", 3128, "", "")),
        ("8.8.8.8:3128:user:pa:ss", ("http", "8.8.8.8", 3128, "user", "pa:ss")),
        ("user:pa:ss:8.8.8.8:3128", ("http", "8.8.8.8", 3128, "user", "pa:ss")),
        ("user:p@ss:w@8.8.8.8:3128", ("http", "8.8.8.8", 3128, "user", "p@ss:w")),
        ("8.8.8.8:3128@user:pass", ("http", "8.8.8.8", 3128, "user", "pass")),
        ("http://u:p%40s%3As@8.8.8.8:80", ("http", "8.8.8.8", 80, "u", "p@s:s")),
        (
            "customer-x-cc-us-session-a1:pw@gate.example.com:7000",
            ("http", "gate.example.com", 7000, "customer-x-cc-us-session-a1", "pw"),
        ),
        ("[2606:4700:0::1111]:3128", ("http", "2606:4700::1111", 3128, "", "")),
        ("socks5://[2606:4700::1111]:80", ("socks5", "2606:4700::1111", 80, "", "")),
        ("8.8.8.8:80:socks5", ("socks5", "8.8.8.8", 80, "", "")),
        ("\ufeff8.8.8.8:80\r", ("http", "8.8.8.8", 80, "", "")),
        ("Try 8.8.8.8:80, it works!", ("http", "8.8.8.8", 80, "", "")),
    ],
)
def test_a_line_in_any_form_is_read(line, expected):
    assert facts(line) == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("8.8.8.8:0", "bad_port"),
        ("8.8.8.8:70000", "bad_port"),
        ("8.8.8.8:99999999999", "bad_port"),
        ("8.8.8.8:0080", "bad_port"),
        ("8.8.8.8", "no_port"),
        ("http://8.8.8.8", "no_port"),
        ("999.1.1.1:80", "bad_address"),
        ("1.2.3:80", "bad_address"),
        ("010.1.1.1:80", "leading_zeros"),
        ("127.0.0.1:80", "private_address"),
        ("169.254.169.254:80", "private_address"),
        ("10.0.0.7:3128", "private_address"),
        ("[::1]:3128", "private_address"),
        ("[::ffff:127.0.0.1]:3128", "private_address"),
        ("[64:ff9b::7f00:1]:3128", "private_address"),
        ("100.64.0.1:3128", "private_address"),
        ("localhost:6379", "private_address"),
        ("http://localhost:6379", "private_address"),
        ("http://redis:6379", "private_address"),
        ("db.internal:6379", "private_address"),
        ("0x7f000001:80", "not_a_proxy"),
        ("2606:4700::1111:3128", "bad_address"),
        ("vmess://8.8.8.8:80", "unknown_scheme"),
        ("http://8.8.8.8:80/page", "not_a_proxy"),
        ("8.8.0.0/16:3128", "network_too_large"),
        ("Array", "not_a_proxy"),
        ("Updated 12:30:45", "not_a_proxy"),
        ("Port: 8080", "not_a_proxy"),
        ("Socks proxy=https://spys.me/socks.txt", "not_a_proxy"),
        ("x" * 5000, "too_long"),
        (f"{'u' * 300}:p@8.8.8.8:80", "too_long"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason(line, reason):
    found = read(line)

    assert isinstance(found[0], Refused)
    assert found[0].reason == reason


def test_private_addresses_are_taken_where_they_are_allowed(private_networks):
    assert facts("http://redis:6379") == ("http", "redis", 6379, "", "")
    assert facts("127.0.0.1:80") == ("http", "127.0.0.1", 80, "", "")


def test_blank_lines_and_comments_are_nothing():
    assert read("\n  \n# 8.8.8.8:80\n// x\n;y\n\ufeff\n") == []


def test_a_bad_line_does_not_stop_the_rest():
    found = read("8.8.8.8:80\r\n999.1.1.1:80\r\n\r\n8.8.4.4:81\n")

    assert [type(each).__name__ for each in found] == ["Candidate", "Refused", "Candidate"]
    assert found[1] == Refused(2, "999.1.1.1:80", "bad_address")


@pytest.mark.parametrize(
    "line",
    [
        "http://hans:geheim@8.8.8.8:99999",
        "hans:geheim@8.8.8.8:0",
        "8.8.8.8:0@hans:geheim",
        "8.8.8.8:0:hans:geheim",
        "hans:geheim:8.8.8.8:0",
        "hans:ge@geheim:x@999.1.1.1:80",
        "look, hans:geheim@999.1.1.1:80",
    ],
)
def test_samples_of_refused_lines_tell_no_password(line):
    found = one(line)

    assert isinstance(found, Refused)
    assert "geheim" not in found.text


def test_a_small_network_is_expanded():
    found = read("8.8.8.0/29:3128")

    assert [each.host for each in found] == [f"8.8.8.{n}" for n in range(1, 7)]


def test_flags_behind_an_address_tell_the_country():
    found = one("170.239.207.241:999 CO-N-S! + ")

    assert (found.host, found.country) == ("170.239.207.241", "CO")


JSON = {
    "strings": '["http://8.8.8.8:80", "8.8.4.4:81"]',
    "objects": '[{"ip": "8.8.8.8", "port": "80"}, {"host": "8.8.4.4", "port": 81}]',
    "geonode": '{"data": [{"ip": "8.8.8.8", "port": "80", "protocols": ["http"]},'
    ' {"ip": "8.8.4.4", "port": "81", "protocols": ["http"]}]}',
    "by protocol": '{"http": ["8.8.8.8:80", "8.8.4.4:81"]}',
    "whole": '{"proxies": [{"proxy": "http://8.8.8.8:80"}, {"url": "8.8.4.4:81"}]}',
    "lines": '{"ip": "8.8.8.8", "port": 80}\n{"ip": "8.8.4.4", "port": 81}\n',
    "csv": "country,ip address,port\r\nUS,8.8.8.8,80\r\nUS,8.8.4.4,81\r\n",
    "csv behind prose": 'Free list\n"ip";"port"\n8.8.8.8;80\n8.8.4.4;81\n',
    "html": "<html><table><tr><th>IP Address</th><th>Port</th></tr><tr><td>8.8.8.8</td><td>80"
    "</td></tr><tr><td>8.8.4.4<td>81</table></html>",
    "html without heading": "<table><tr><td>8.8.8.8</td><td>80</td></tr>"
    "<tr><td>8.8.4.4:81</td></tr></table>",
}


@pytest.mark.parametrize("name", JSON)
def test_each_shape_of_a_list_gives_the_same(name):
    found = read(JSON[name])

    assert [(each.scheme, each.host, each.port) for each in found] == [
        ("http", "8.8.8.8", 80),
        ("http", "8.8.4.4", 81),
    ]


def test_ports_may_differ_by_protocol_within_one_record():
    found = read('[{"ip": "8.8.8.8", "ports": {"http": 80, "socks5": 1080}}]')

    assert [(each.scheme, each.port) for each in found] == [("http", 80), ("socks5", 1080)]


def test_a_record_tells_login_and_country():
    found = one(
        '[{"protocol": "socks5", "host": "8.8.8.8", "port": 1080, "username": "u", "password":'
        ' "p@:", "geolocation": {"country": {"iso_code": "de"}}}]'
    )

    assert (found.scheme, found.username, found.password) == ("socks5", "u", "p@:")
    assert found.country == "DE"


def test_broken_json_can_not_be_read():
    with pytest.raises(UnreadableListError):
        read('[{"ip": "8.8.8.8", ')


def test_a_broken_json_line_is_refused_alone():
    found = read('{"ip": "8.8.8.8", "port": 80}\n{"ip": \n')

    assert [type(each).__name__ for each in found] == ["Candidate", "Refused"]
    assert found[1].reason == "bad_json"


def test_the_format_may_be_chosen():
    assert one("ip,port\n8.8.8.8,80", format=ListFormat.CSV).host == "8.8.8.8"


def test_utf_16_is_read():
    found: list[Any] = list(parse(io.BytesIO("8.8.8.8:80\n".encode("utf-16"))))

    assert [each.host for each in found] == ["8.8.8.8"]


HOSTS = st.one_of(
    st.ip_addresses(v=4, network="8.0.0.0/8").map(str),
    st.ip_addresses(v=6, network="2606:4700::/32").map(lambda address: f"[{address}]"),
    st.from_regex(r"[a-z]{1,8}\.[a-z]{2,6}\.(com|net|org)", fullmatch=True),
)
LOGINS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=20)


@given(
    scheme=st.sampled_from(["http", "https", "socks4", "socks5"]),
    host=HOSTS,
    port=st.integers(1, 65535),
    username=LOGINS,
    password=LOGINS,
)
def test_a_url_is_read_back(scheme, host, port, username, password):
    login = f"{quote(username, '')}:{quote(password, '')}"

    found = facts(f"{scheme}://{login}@{host}:{port}")

    assert found == (scheme, host.strip("[]"), port, username, password)


PLAIN = st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True)


@given(
    host=st.ip_addresses(v=4, network="8.0.0.0/8").map(str),
    port=st.integers(1, 65535),
    user=PLAIN,
    password=st.from_regex(r"[a-z][a-z0-9@:!]{0,12}[a-z]", fullmatch=True),
)
def test_the_four_orders_of_host_and_login_are_one(host, port, user, password):
    password = password.replace("@", "")
    orders = [
        f"{host}:{port}:{user}:{password}",
        f"{user}:{password}:{host}:{port}",
        f"{user}:{password}@{host}:{port}",
        f"{host}:{port}@{user}:{password}",
    ]

    assert {facts(order) for order in orders} == {("http", host, port, user, password)}


@given(st.text(max_size=300))
def test_no_text_whatever_breaks_the_parser(text):
    try:
        found = read(text)
    except UnreadableListError:
        return
    assert all(isinstance(each, Candidate | Refused) for each in found)


@given(st.binary(max_size=300))
def test_no_bytes_whatever_break_the_parser(raw):
    try:
        list(parse(io.BytesIO(raw)))
    except UnreadableListError:
        return


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("clarketm_proxy-list.txt", 400),
        ("monosans_all.txt", 492),
        ("monosans_proxies_200.json", 200),
    ],
)
def test_real_lists_are_read(name, count):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the published proxy lists are not at {DATA}")

    with path.open("rb") as file:
        found = list(parse(file))

    taken = [each for each in found if isinstance(each, Candidate)]
    refused = {each.reason for each in found if isinstance(each, Refused)}
    assert len({each.identity for each in taken}) == count
    assert refused <= {"not_a_proxy"}
