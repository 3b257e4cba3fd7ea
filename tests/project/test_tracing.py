"""Spans, as a collector of OpenTelemetry receives them over HTTP."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator

from project import asgi, sandbox
from project.core import processes, tracing, working
from project.core.models import Run
from proxies import fetching
from tests.architecture.places import ROOT, sources
from tests.factories import make_key, make_staff
from tests.project import traces
from tests.project.traces import Spans
from tests.proxies.factories import make_proxy_source

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def spans(monkeypatch, settings) -> Iterator[Spans]:
    with traces.received(monkeypatch, settings) as sent:
        yield sent


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def posted(path: str, body: Any, **headers: str) -> tuple[int, dict[bytes, bytes]]:
    """Post JSON through the whole ASGI application; return status and headers of the answer."""
    named = {"host": "localhost", "content-type": "application/json", **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"key=geheim",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def ask() -> Any:
        talk = ApplicationCommunicator(asgi.application, scope)
        await talk.send_input({"type": "http.request", "body": orjson.dumps(body)})
        start = await talk.receive_output(60)
        while (await talk.receive_output(60)).get("more_body"):
            pass
        await talk.wait(60)
        return start

    start = async_to_sync(ask)()
    return start["status"], dict(start["headers"])


def test_request_run_and_call_outside_are_one_trace(spans, monkeypatch, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    monkeypatch.setattr(processes, "begin", lambda _: None)
    secret = make_key(make_staff(), scopes=["admin"]).secret
    with sandbox.running(sandbox.WorldPlan(symbols=())) as world:
        source = make_proxy_source(url=world.lists.list_url("urls.txt"))
        status, headers = posted(
            "/api/proxies/fetch", {"sources": [source.pk]}, authorization=f"Api-Key {secret}"
        )
        run = Run.objects.get()
        assert tracing.carried() == ""
        working.execute(str(run.pk), fetching.run, kind=run.kind)  # another process, another time
    run.refresh_from_db()

    found = spans()
    web, task = found["POST /api/proxies/fetch"], found["run proxies.fetch"]
    outside, taken = found["outside.list"], found["proxies.take_list"]
    assert (status, run.status) == (202, "done")
    assert {one.trace_id for one in (web, task, outside, taken)} == {web.trace_id}
    assert web.parent_span_id == b""
    assert outside.parent_span_id == taken.parent_span_id == task.span_id
    request_id = headers[b"x-request-id"].decode()
    for one in (web, task, outside, taken):
        assert attributes(one)["request.id"] == request_id
    assert attributes(outside)["server.address"] == "127.0.0.1"
    assert attributes(outside)["run.id"] == str(run.pk)
    assert attributes(web)["http.response.status_code"] == 202
    assert attributes(task)["db.statements"] > 0
    assert "geheim" not in str(found)
    assert secret not in str(found)


def test_trace_of_the_caller_is_gone_on_with(spans, monkeypatch):
    monkeypatch.setattr(processes, "begin", lambda _: None)
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    status, _ = posted("/api/proxies/fetch", {}, traceparent=given)

    [web] = spans().values()
    assert (status, web.trace_id.hex(), web.parent_span_id.hex()) == (401, *given.split("-")[1:3])


def test_failure_is_told_by_its_type_alone(spans):
    with pytest.raises(ValueError, match="geheim"), tracing.span("one"):
        raise ValueError("socks5://hans:geheim@host")

    one = spans()["one"]
    assert attributes(one)["error.type"] == "ValueError"
    assert one.status.code == one.status.STATUS_CODE_ERROR
    assert "geheim" not in str(one)


def test_statements_count_for_the_innermost_span(spans):
    with tracing.span("outer"):
        Run.objects.count()
        with tracing.span("inner"):
            Run.objects.count()
            Run.objects.count()

    found = spans()
    assert attributes(found["outer"])["db.statements"] == 1
    assert attributes(found["inner"])["db.statements"] == 2


def test_log_lines_carry_the_trace_id(spans):
    with tracing.span("one"):
        bound = structlog.contextvars.get_contextvars()

    assert bound["trace_id"] == spans()["one"].trace_id.hex()
    assert "trace_id" not in structlog.contextvars.get_contextvars()


def test_neither_tracer_nor_exporter_is_loaded_while_it_is_off():
    code = (
        "import sys, django; django.setup(); from project.core import tracing\n"
        "with tracing.span('one', a=1): pass\n"
        "assert tracing.carried() == ''\n"
        "ours = ('opentelemetry.sdk.trace', 'opentelemetry.exporter', 'sentry')\n"
        "print([name for name in sys.modules if name.startswith(ours)])"
    )

    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )

    assert found.stdout.strip().splitlines()[-1] == "[]"


def test_spans_are_those_that_the_docs_tell():
    """Names are few, so that they can be counted; whoever looks at a trace finds each explained."""
    first = r"tracing\.(?:span|task)\(\s*f?\"([a-z_. ]+)"
    found = {
        name.rstrip(".").split()[0]
        for path in sources()
        for name in re.findall(first, path.read_text(encoding="utf-8"))
    }
    text = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8").partition("| Span |")[2]
    table = text.partition("\n\n")[0]
    told = set()
    for line in table.splitlines():
        names = re.findall(r"`([a-z_]*\.[a-z_]+|run) ?[^`]*`", line.partition(" | ")[0])
        told |= {names[0].partition(".")[0] + name if name[0] == "." else name for name in names}

    phases = {f"analysis.{phase}" for phase in ("metadata", "compression", "summary", "geocode")}
    assert told - phases == found - {"analysis", "analysis.geocode"}
    assert phases <= told
