"""Large bodies by real sockets: each client gets its answer, and no server pays for it in memory."""

import hashlib
import http.client
import json
import socket
import sys
from pathlib import Path

import pytest

from tests.services import guarded

ROOT = Path(__file__).resolve().parents[2]
MB = 1024 * 1024
MOST = 8 * MB
WORDS = {
    "uvicorn": ["uvicorn", "--host", "127.0.0.1", "--log-level", "warning", "--lifespan", "off"],
    "daphne": ["daphne", "--bind", "127.0.0.1", "--verbosity", "0"],
}
FORM = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n%s\r\n--x--\r\n'


@pytest.fixture(scope="module", params=WORDS)
def port(request, tmp_path_factory):
    found = guarded.free_port()
    words = [
        *[
            "env",
            f"PYTHONPATH={ROOT}",
            f"UPLOAD_MAX_BYTES={MOST}",
            f"DATA_DIR={tmp_path_factory.mktemp('data')}",
        ],
        *[sys.executable, "-m", *WORDS[request.param], "--port", str(found)],
        "tests.runtime.trial_bodies:application",
    ]
    command = guarded.Command(words, tmp_path_factory.mktemp("run"), stop_signal="SIGKILL")
    with guarded.running(command, is_ready=lambda: guarded.answers(found)):
        yield found


def post(port, body, **headers):
    """Send all of a body, then read the answer, as plain clients do."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    client.request(
        "POST", "/any", body, {**kind, **headers}, encode_chunked=not isinstance(body, bytes)
    )
    answer = client.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.mark.once
@pytest.mark.parametrize("headers", [{}, {"Connection": "close"}])
def test_form_that_is_too_large_is_answered_though_its_sender_reads_only_at_the_end(port, headers):
    form = FORM % (b"8.8.8.8:80\n" * (5 * MOST // 11))

    status, told = post(port, form, **headers)

    assert (status, told["code"]) == (413, "too_large")


@pytest.mark.once
def test_stream_that_grows_too_large_is_answered_too(port):
    status, told = post(port, (b"x" * 65536 for _ in range(5 * MOST // 65536)))

    assert (status, told["code"]) == (413, "too_large")


@pytest.mark.once
def test_form_of_a_size_that_is_allowed_arrives_as_it_was_sent_and_takes_little_memory(port):
    form = FORM % (b"8.8.8.8:80\n" * ((MOST - 200) // 11))
    _, before = post(port, b"--x--")

    status, told = post(port, form)

    assert (status, told["size"], told["sha256"]) == (
        200,
        len(form),
        hashlib.sha256(form).hexdigest(),
    )
    assert told["peak_kb"] - before["peak_kb"] < 6 * MOST / 1024


@pytest.mark.once
def test_who_sends_on_and_on_is_cut_off(port):
    """256 MiB of a refused body are dropped, no more: a gigabyte does not go through."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n")

        taken = taken_before_the_cut(client)

    assert 256 <= taken < 400


def taken_before_the_cut(client):
    """Send a gigabyte; return how many of its megabytes were taken."""
    for sent in range(1024):
        try:
            client.sendall(bytes(MB))
        except ConnectionError:
            return sent
    return 1024
