"""Answers of proxies and judges as their bytes come in, cut anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxies.adapters.wire import CheckFailedError, _Answer

GOOD = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
]


def read(*chunks):
    answer = _Answer()
    for chunk in chunks:
        answer.feed(chunk)
    return bytes(answer.body) if answer.is_whole else answer.ended()


@given(text=st.sampled_from(GOOD), cut=st.integers(min_value=1, max_value=40))
def test_an_answer_is_read_however_it_is_cut(text, cut):
    parts = [text[at : at + cut] for at in range(0, len(text), cut)]

    assert read(*parts) == b"hi"


def test_a_body_without_a_length_ends_with_the_connection():
    assert read(b"HTTP/1.0 200 OK\r\n\r\nhi") == b"hi"


@pytest.mark.parametrize(
    ("chunks", "verdict"),
    [
        ([b"HTTP/1.1 502 Bad\r\n\r\n"], "bad_answer"),
        ([b"HTTP/1.1 407 Login\r\n\r\n"], "unauthorized"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"], "refused"),
        ([b"HTTP/1.1 200"], "refused"),
        ([], "refused"),
        ([b"SSH-2.0-OpenSSH_9.6\r\n"], "bad_answer"),
        ([b"HTTP/1.1 200 OK\r\nX: ", b"y" * 20_000], "bad_answer"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x" * 70_000], "mismatch"),
    ],
)
def test_what_is_no_whole_good_answer_has_its_verdict(chunks, verdict):
    with pytest.raises(CheckFailedError) as caught:
        read(*chunks)

    assert caught.value.verdict == verdict


@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(text):
    try:
        found = read(text)
    except CheckFailedError:
        return

    assert isinstance(found, bytes)
