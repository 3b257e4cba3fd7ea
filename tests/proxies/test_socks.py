"""The SOCKS handshake, byte by byte, with answers cut anywhere."""

import asyncio
import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as some

from proxies.adapters import socks

HOST, PORT = "198.51.100.7", 443
REPLY_5 = bytes([5, 0, 0, 1, 127, 0, 0, 1, 0, 80])
REPLY_4 = bytes([0, 0x5A, 0, 80, 127, 0, 0, 1])


class Writer:
    """Keeps what is written."""

    def __init__(self):
        self.said = b""

    def write(self, data):
        self.said += data


def ask(way, answers, host=HOST, **who):
    """Return what was said to a proxy that answers so, and what it left unread."""

    async def talk():
        reader, writer = asyncio.StreamReader(), Writer()
        reader.feed_data(answers)
        reader.feed_eof()
        await way((reader, writer), host, PORT, **who)
        return writer.said, await reader.read()

    return asyncio.run(talk())


def five(answers, host=HOST, username="", password=""):
    return ask(socks.open_5, answers, host, username=username, password=password)


def four(answers, host=HOST, username=""):
    return ask(socks.open_4, answers, host, username=username)


@pytest.mark.parametrize(
    ("host", "named"),
    [
        (HOST, b"\x01" + socket.inet_aton(HOST)),
        ("2001:db8::1", b"\x04" + ipaddress.ip_address("2001:db8::1").packed),
        ("judge.example", b"\x03\x0djudge.example"),
        ("bücher.example", b"\x03\x15xn--bcher-kva.example"),
    ],
)
def test_version_5_says_where_to(host, named):
    said, _ = five(b"\x05\x00" + REPLY_5, host)

    assert said == b"\x05\x01\x00" + b"\x05\x01\x00" + named + b"\x01\xbb"


def test_version_5_logs_in_where_that_is_wanted():
    said, _ = five(b"\x05\x02\x01\x00" + REPLY_5, username="ann", password="geheim")
    unasked, _ = five(b"\x05\x00" + REPLY_5, username="ann", password="geheim")

    assert said.startswith(b"\x05\x02\x00\x02" + b"\x01\x03ann\x06geheim" + b"\x05\x01\x00")
    assert b"geheim" not in unasked


@pytest.mark.parametrize(
    "reply",
    [
        REPLY_5,
        bytes([5, 0, 0, 3, 4]) + b"host" + b"\x00\x50",
        bytes([5, 0, 0, 4]) + bytes(16) + b"\x00\x50",
    ],
)
def test_what_follows_the_handshake_is_left_to_be_read(reply):
    _, rest = five(b"\x05\x00" + reply + b"hello")

    assert rest == b"hello"


@pytest.mark.parametrize(
    ("answers", "is_login"),
    [
        (b"\x05\xff", True),
        (b"\x05\x02", True),  # though we offered no login
        (b"\x05\x07", False),
        (b"\x04\x00", False),
        (b"HTTP/1.1 400 Bad Request\r\n", False),
        (b"\x05\x00\x05\x05\x00\x01", False),
        (b"\x05\x00\x05\x63\x00\x01", False),
        (b"\x05\x00\x05\x00\x00\x09", False),
        (b"\x05\x00\x04\x00\x00\x01", False),
    ],
)
def test_version_5_that_opens_no_way_says_why(answers, is_login):
    with pytest.raises(socks.SocksError) as caught:
        five(answers)

    assert caught.value.is_login == is_login


def test_a_wrong_login_is_told_as_such():
    with pytest.raises(socks.SocksError) as caught:
        five(b"\x05\x02\x01\x01", username="ann", password="x")

    assert caught.value.is_login


def test_a_login_that_is_too_long_is_no_bug():
    with pytest.raises(socks.SocksError):
        five(b"\x05\x02\x01\x00" + REPLY_5, username="a" * 256)


def test_version_4_says_where_to():
    said, rest = four(REPLY_4 + b"hello", username="ann")

    assert said == b"\x04\x01\x01\xbb" + socket.inet_aton(HOST) + b"ann\x00"
    assert rest == b"hello"


def test_version_4_resolves_a_name_here_and_else_leaves_it_to_the_proxy(monkeypatch):
    known, _ = four(REPLY_4, "localhost")

    def lost(*args, **more):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", lost)
    unknown, _ = four(REPLY_4, "judge.example")

    assert known == b"\x04\x01\x01\xbb" + b"\x7f\x00\x00\x01" + b"\x00"
    assert unknown == b"\x04\x01\x01\xbb" + b"\x00\x00\x00\x01" + b"\x00judge.example\x00"


@pytest.mark.parametrize(
    ("answers", "host", "is_login"),
    [
        (b"\x00\x5b" + bytes(6), HOST, False),
        (b"\x00\x5d" + bytes(6), HOST, True),
        (b"\x00\x01" + bytes(6), HOST, False),
        (b"\x05\x5a" + bytes(6), HOST, False),
        (REPLY_4, "2001:db8::1", False),
    ],
)
def test_version_4_that_opens_no_way_says_why(answers, host, is_login):
    with pytest.raises(socks.SocksError) as caught:
        four(answers, host)

    assert caught.value.is_login == is_login


@given(some.binary(max_size=40), some.booleans(), some.booleans())
def test_no_bytes_bring_it_down(answers, is_five, has_login):
    try:
        if is_five:
            five(answers, username="a" * has_login)
        else:
            four(answers)
    except (socks.SocksError, EOFError):
        return

    assert answers[:1] == (b"\x05" if is_five else b"\x00")
