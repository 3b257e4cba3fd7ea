import io
import json
import logging

import pytest
import structlog

from project.core import logs


@pytest.fixture
def lines(settings):
    """What the product's own handler writes, as JSON, one dictionary a line."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    logs.configure({"format": "json", "level": "INFO"})
    handler = next(found for found in root.handlers if found not in before)
    stream = io.StringIO()
    handler.setStream(stream)  # type: ignore[attr-defined]
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = before, level


def test_json_line_has_ids_and_extras(lines):
    with structlog.contextvars.bound_contextvars(request_id="req-1", run_id="run-1"):
        logging.getLogger("project.trial").warning("page fetched", extra={"candles": 7})

    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "page fetched",
        "level": "warning",
        "logger": "project.trial",
        "request_id": "req-1",
        "run_id": "run-1",
        "candles": 7,
    }


def test_an_answer_503_is_meant_and_no_error(lines):
    log = logging.getLogger("django.request")

    log.error("Service Unavailable: /health/ready", extra={"status_code": 503})
    log.error("Internal Server Error: /", extra={"status_code": 500})

    (line,) = lines()
    assert line["status_code"] == 500


def fail(words: str) -> None:
    raise RuntimeError(words)


@pytest.mark.parametrize(
    "secret",
    [
        "socks5://ann:s3cret@10.0.0.1:1080",
        "http://ann:s3cr@et-s3cret@proxy:3128/x",
        "HTTPS://s3cret@example.com",
        "Authorization: Api-Key s3cret",
        {"proxy": ["http://ann:s3cret@proxy"], "n": 1},
        ("http://ann:s3cret@proxy",),
        ValueError("http://ann:s3cret@proxy"),
    ],
)
def test_credentials_are_scrubbed_wherever_they_stand(secret, lines):
    log = logging.getLogger("project.trial")

    log.warning("message %s", secret)
    log.warning("extra", extra={"what": secret})
    try:
        fail(str(secret))
    except RuntimeError:
        log.exception("traceback")

    assert len(lines()) == 3
    assert "s3cret" not in json.dumps(lines())
    assert "***" in json.dumps(lines()[0])
    assert "***" in json.dumps(lines()[1])
    assert "***" in lines()[2]["exception"]


def test_traceback_never_evaluates_locals(lines):
    class Trap:
        def __repr__(self) -> str:
            raise AssertionError("repr() of a local was called")

    def fail_with(trap: Trap) -> None:
        raise RuntimeError("boom")

    try:
        fail_with(Trap())
    except RuntimeError:
        logging.getLogger("project.trial").exception("failed")

    (line,) = lines()
    assert "RuntimeError: boom" in line["exception"]


def test_console_form_is_one_readable_line(capsys):
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        logs.configure({"format": "console", "level": "INFO"})
        logging.getLogger("project.trial").info("page fetched", extra={"candles": 7})
    finally:
        root.handlers, root.level = before, level

    (line,) = capsys.readouterr().err.splitlines()
    assert "page fetched" in line
    assert "candles=7" in line
