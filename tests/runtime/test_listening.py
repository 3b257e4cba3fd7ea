"""Where the installation listens."""

import socket

import pytest

from project.runtime import listening


def test_listen_says_which_port_is_taken_and_what_to_do():
    with listening.listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]

        with pytest.raises(listening.AddressError) as refused:
            listening.listen("127.0.0.1", port)

    assert str(refused.value) == (
        f"port {port} of 127.0.0.1 is taken by another program: stop that, or choose another port: "
        f"PORT={port + 1} make run"
    )


def test_listen_refuses_an_address_of_another_machine():
    with pytest.raises(listening.AddressError, match=r"cannot listen on 192\.0\.2\.1, port 8000: "):
        listening.listen("192.0.2.1", 8000)


def test_listen_accepts_before_anybody_serves():
    listener = listening.listen("127.0.0.1", 0)
    address = listener.getsockname()

    with listener, socket.create_connection(address, timeout=1) as client:
        assert client.getpeername() == address


def test_endpoint_of_ipv6_is_opened_by_twisted():
    listener = listening.listen("::1", 0)
    port = listener.getsockname()[1]

    assert listening.endpoint(listener) == f"tcp6:{port}:interface=\\:\\:1"
    assert listener.fileno() == -1


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("fe80::1", "http://[fe80::1]:8000/"),
        ("millrace.local", "http://millrace.local:8000/"),
    ],
)
def test_open_address(host, expected):
    assert listening.open_address(host, 8000) == expected
