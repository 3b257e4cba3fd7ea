"""Shapes of lists that the parser met as a hostile reader would feed it."""

import gzip
import io
import json
import re
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxies.parsing import (
    Candidate,
    ListOptions,
    Refused,
    UnreadableListError,
    documents,
    parse,
    parse_text,
)
from proxies.parsing.lists import MAX_LINE

pytestmark = pytest.mark.once


def read(text, **options):
    return list(parse_text(text, ListOptions(**options)))


def facts(text):
    return [
        (each.scheme, each.host, each.port, each.username, each.password)
        if isinstance(each, Candidate)
        else each.reason
        for each in read(text)
    ]


def plain(host="8.8.8.8", port=80, scheme="http"):
    return (scheme, host, port, "", "")


LOGIN = ("http", "8.8.8.8", 80, "hans", "geheim")
TWO = [plain(), plain("8.8.4.4", 81)]


@pytest.mark.parametrize(
    "line",
    [
        "8.8.8.8,80,hans,geheim",
        "8.8.8.8;80;hans;geheim",
        "8.8.8.8\t80\thans\tgeheim",
        "8.8.8.8 80 hans geheim",
        "8.8.8.8:80,hans,geheim",
        "8.8.8.8:80\thans\tgeheim",
        "hans,geheim,8.8.8.8,80",
        "8.8.8.8:80 hans:geheim",
        "hans:geheim 8.8.8.8:80",
        "http:8.8.8.8:80:hans:geheim",
        '[{"server": "http://8.8.8.8:80", "username": "hans", "password": "geheim"}]',
        '[{"host": "8.8.8.8", "port": 80.0, "auth": {"username": "hans", "password": "geheim"}}]',
        '[{"proxy_address": "8.8.8.8", "port": 80, "username": "hans", "password": "geheim"}]',
    ],
)
def test_credentials_are_kept_in_any_form(line):
    assert facts(line) == [LOGIN]


@pytest.mark.parametrize(
    ("line", "country"),
    [
        ("8.8.8.8:80 works well", ""),
        ("8.8.8.8:80:US:elite", "US"),
        ("8.8.8.8:80:Germany", "DE"),
        ("8.8.8.8\t80\tUnited States\tElite", "US"),
        ("8.8.8.8,80,Germany,120", "DE"),
        ("8.8.8.8 80 elite yes", ""),
        ("8.8.8.8:80 ping:120ms", ""),
        ("8.8.8.8:80 12:30:45", ""),
        ("8.8.8.8:80:http:DE", "DE"),
        ("8.8.8.8 : 80", ""),
        ("12. 8.8.8.8:80", ""),
        ("HTTP: 8.8.8.8:80", ""),
        ("http=8.8.8.8:80", ""),
        ("http://8.8.8.8:80#Frankfurt", ""),
    ],
)
def test_words_about_a_proxy_are_no_credentials(line, country):
    assert facts(line) == [plain()]
    assert read(line)[0].country in {country, ""} if country == "US" else True
    if "\t" not in line:
        assert read(line)[0].country == country


@pytest.mark.parametrize(
    "text",
    [
        "8.8.8.8:80,8.8.4.4:81",
        "8.8.8.8:80 8.8.4.4:81",
        "http://8.8.8.8:80 http://8.8.4.4:81",
        "8.8.8.8:80 | 8.8.4.4:81",
        '{"8.8.8.8:80": {"country": "US"}, "8.8.4.4:81": {}}',
        '[["8.8.8.8", 80], ["8.8.4.4", "81"]]',
        '{"http": "8.8.8.8:80", "proxies": {"http": ["8.8.4.4:81"]}}',
        "<html><body><pre>8.8.8.8:80\n8.8.4.4:81\n</pre></body></html>",
        "<html><ul><li>8.8.8.8:80</li><li>8.8.4.4:81</li></ul></html>",
        "[2026-01-05] fresh proxies\n8.8.8.8:80\n8.8.4.4:81",
        "{{ page }}\n8.8.8.8:80\n8.8.4.4:81",
    ],
)
def test_none_of_several_is_lost(text):
    assert [each for each in facts(text) if isinstance(each, tuple)] == TWO


def test_one_bad_proxy_of_a_line_is_refused_alone():
    assert facts("8.8.8.8:80,10.0.0.1:81,8.8.4.4:82") == [
        plain(),
        "private_address",
        plain("8.8.4.4", 82),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "https://t.me/socks?server=8.8.8.8&port=1080&user=hans&pass=geheim",
            ("socks5", "8.8.8.8", 1080, "hans", "geheim"),
        ),
        ("tg://socks?server=8.8.8.8&port=1080", ("socks5", "8.8.8.8", 1080, "", "")),
        ("tg://proxy?server=8.8.8.8&port=443&secret=geheim", "unknown_scheme"),
        ("https://t.me/socks?server=10.0.0.1&port=1080", "private_address"),
        ("socks5://8.8.8.8:1080?remarks=x", ("socks5", "8.8.8.8", 1080, "", "")),
    ],
)
def test_links_that_share_a_proxy(text, expected):
    assert facts(text) == [expected]


@pytest.mark.parametrize(
    "line",
    [
        "tg://proxy?server=8.8.8.8&port=443&secret=geheim",
        "https://t.me/socks?server=10.0.0.1&port=1080&user=hans&pass=geheim",
        "http://x.example/list?key=geheim",
        "8.8.8.8:80,10.0.0.1:81:hans:geheim",
    ],
)
def test_samples_tell_no_secret_of_a_link(line):
    refused = [each for each in read(line) if isinstance(each, Refused)]

    assert refused
    assert "geheim" not in refused[0].text


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("http://[2606:4700::1111%25eth0]:80", "bad_address"),
        ("[fe80::1%eth0]:80", "bad_address"),
        ("169.254.169.254:80", "private_address"),
        ("http://169.254.169.254:80", "private_address"),
        ("8.8.8.8:99999", "bad_port"),
        ("proxy1.example.com", "no_port"),
    ],
)
def test_what_peers_take_is_refused(line, reason):
    assert facts(line) == [reason]


def test_what_peers_spoil_is_kept_whole():
    assert facts("proxy1.example.com:3128") == [("http", "proxy1.example.com", 3128, "", "")]
    assert facts("8.8.8.8:80:hans:geheim") == [LOGIN]


def test_a_list_that_breaks_off_gives_what_came_before():
    whole = json.dumps([{"ip": f"8.8.8.{n}", "port": 80} for n in range(1, 200)])
    found: list[Any] = []
    text = whole[:-30]

    with pytest.raises(UnreadableListError):
        found += parse_text_until_broken(text, found)

    assert len(found) == 198


def parse_text_until_broken(text, found):
    for each in parse_text(text):
        found.append(each)
    return []


@pytest.mark.parametrize("text", ['[{"ip": ', '{"a": ', "[1, 2", '{"a": [1,}'])
def test_broken_json_without_a_proxy_cannot_be_read(text):
    with pytest.raises(UnreadableListError):
        read(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_usual_encoding_is_read(encoding):
    raw = "8.8.8.8:80\r\n8.8.4.4:81\r\n".encode(encoding)

    found: list[Any] = list(parse(io.BytesIO(raw)))
    assert [each.host for each in found] == ["8.8.8.8", "8.8.4.4"]


def test_a_line_without_end_is_cut_between_its_proxies():
    text = " ".join(f"8.8.{n // 250}.{n % 250 + 1}:80" for n in range(5000))
    assert len(text) > 10 * MAX_LINE

    found = read(text)

    assert [type(each) for each in found] == [Candidate] * 5000
    assert len({each.host for each in found}) == 5000


ENTRY = st.fixed_dictionaries(
    {"ip": st.ip_addresses(v=4, network="8.0.0.0/8").map(str), "port": st.integers(1, 65535)},
    optional={"note": st.text(max_size=40), "deep": st.lists(st.lists(st.integers()))},
)


@given(st.lists(ENTRY, min_size=1, max_size=30), st.sampled_from([None, 1, 4]))
def test_json_of_any_layout_is_read_back(entries, indent):
    found = read(json.dumps(entries, indent=indent, ensure_ascii=False))

    assert [(each.host, each.port) for each in found] == [(e["ip"], e["port"]) for e in entries]


@given(
    st.lists(
        st.tuples(st.ip_addresses(v=4, network="8.0.0.0/8").map(str), st.integers(1, 65535)),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(["\n", " ", ",", " | ", ";", "\r\n", "\t"]),
)
def test_endpoints_are_read_back_whatever_stands_between(pairs, between):
    text = between.join(f"{host}:{port}" for host, port in pairs)

    assert [(each.host, each.port) for each in read(text)] == pairs


def as_lines(hosts, remark):
    return "".join(f"{host}:80\n# {remark}\n" for host in hosts)


def as_array(hosts, remark):
    return json.dumps([{"ip": host, "port": 80, "note": remark} for host in hosts])


def as_sections(hosts, remark):
    """One object around all, as some publish it: by protocol, inside another object."""
    found = json.loads(as_array(hosts, remark))
    return json.dumps({"total": len(hosts), "data": {"http": found, "socks5": []}, "page": 1})


@pytest.mark.parametrize("written", [as_lines, as_array, as_sections])
def test_a_list_of_megabytes_is_read_in_flat_memory(written):
    """The list itself has 4 MB and more; what is held beside it stays below one."""
    hosts = [f"8.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(7_000)]
    text = written(hosts, "x" * 550)
    del hosts
    assert len(text) > 3_900_000

    tracemalloc.start()
    count = sum(isinstance(each, Candidate) for each in parse_text(text))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 7_000
    assert peak < 1_300_000


def test_what_is_taken_apart_is_read_as_what_is_taken_whole(monkeypatch):
    """A pair, a record with a list in it, and objects keyed by endpoints stay what they are."""
    text = json.dumps(
        {
            "http": [["1.1.1.1", 80], "1.1.1.2:81", {"ip": "1.1.1.3", "ports": {"socks5": 1080}}],
            "deeper": {"socks4": ["1.1.1.4:82"], "note": "none", "1.1.1.5:83": {"up": True}},
            "one": {"host": "1.1.1.6", "port": 84, "protocols": ["http", "socks5"]},
            "nothing": [None, [], {}],
        }
    )
    whole = list(parse_text(text, ListOptions("json")))

    monkeypatch.setattr(documents, "_LONGEST", 100)
    monkeypatch.setattr(documents, "_CHUNK", 16)

    assert [each for each in whole if isinstance(each, Candidate)]
    assert set(parse_text(text, ListOptions("json"))) == set(whole)


@pytest.mark.parametrize("tail", ["", "x", "}}", '{"http": []}', ', "a"', '"a" "b"]', "[[[["])
def test_a_long_document_that_breaks_gives_what_came_before(monkeypatch, tail):
    monkeypatch.setattr(documents, "_LONGEST", 40)
    monkeypatch.setattr(documents, "_CHUNK", 16)
    text = '{"http": ["1.1.1.1:80", "1.1.1.2:81", "1.1.1.3:82", "1.1.1.4:83"' + tail

    found: list[Any] = []
    with pytest.raises(UnreadableListError):
        found += parse_text_until_broken(text, found)

    assert [each.port for each in found if isinstance(each, Candidate)][:3] == [80, 81, 82]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (gzip.compress(b"8.8.8.8:80\n", mtime=0), "a gzip file"),
        (b"PK\x03\x04 8.8.8.8:80\n", "a zip file or a spreadsheet"),
        (b"\x89PNG\r\n\x1a\n 8.8.8.8:80\n", "an image"),
        (b"%PDF-1.7\n8.8.8.8:80\n", "a PDF"),
        (bytes(range(1, 256)) * 8, "no text"),
    ],
)
@pytest.mark.parametrize("known", ["auto", "lines", "csv"])
def test_what_is_no_text_is_refused_as_a_whole_and_says_what_it_is(data, kind, known):
    with pytest.raises(UnreadableListError, match=f"this is {kind}: hand in"):
        list(parse(io.BytesIO(data), ListOptions(known)))


def test_some_strange_characters_do_not_make_a_list_unreadable():
    """Terminal colours, a vertical tab, an end-of-file mark of old, and Latin-1."""
    data = b"\x1b[32m8.8.8.8:80\x1b[0m\n8.8.4.4:81\x0b\n# caf\xe9 \x00\n9.9.9.9:82\n\x1a"

    found = [each.host for each in parse(io.BytesIO(data)) if isinstance(each, Candidate)]
    assert "9.9.9.9" in found
    assert "8.8.4.4" in found


@pytest.mark.parametrize(
    "line",
    [
        "vmess://eyJpZCI6ImdlaGVpbSJ9",
        "ss://YWVzLTI1Ni1nY206Z2VoZWlt@8.8.8.8:80",
        "trojan://geheim@8.8.8.8:443#name",
        "tg://proxy?server=8.8.8.8&secret=geheim",
    ],
)
def test_links_of_other_tools_are_refused_and_their_secrets_are_not_kept(line):
    (refused,) = read(line)

    assert refused.reason == "unknown_scheme"
    assert refused.text.endswith("***") or "***@" in refused.text
    assert not {"geheim", "eyJpZCI6ImdlaGVpbSJ9", "YWVzLTI1Ni1nY206Z2VoZWlt"} & set(
        re.split(r"[/@?&=#]+", refused.text)
    )


@pytest.mark.parametrize("begin", ['{"', "[{", '["', '{"a": "', '{"a": {"b', "[" * 9, '{"a": 1'])
@pytest.mark.parametrize("more", ["x", "[", "1"])
def test_a_document_of_one_endless_value_cannot_be_read(begin, more):
    with pytest.raises(UnreadableListError):
        read(begin + more * 300_000, format="json")


def test_a_network_of_ipv6_is_a_refused_line_and_no_broken_document():
    (refused,) = read("[2606:4700::]/126:80")

    assert isinstance(refused, Refused)
