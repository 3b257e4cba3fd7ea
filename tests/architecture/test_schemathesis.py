"""Whatever is asked of an operation, it answers as the schema says, and never with a bug."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.analysis.factories import make_analysis, make_batch, make_failure, make_place
from tests.analysis.factories import make_job as make_analysis_job
from tests.architecture.test_api import operations
from tests.factories import make_device, make_key, make_run, make_staff, make_user
from tests.markets.factories import (
    make_backfill_task,
    make_candles,
    make_collector_config,
    make_gap,
    make_quality_summary,
    make_series,
)
from tests.proxies.factories import make_lease, make_source_entry

EXAMPLES = 8
#: Plain ASGI, which Django doesn't answer: tests/project/test_sse.py.
STREAMS = (
    "/api/runs/stream",
    "/api/runs/{run_id}/stream",
    "/api/jobs/{job_id}/stream",
    "/api/batches/{batch_id}/stream",
)
#: Writes itself: the OpenAPI document.
SELF = ("/api/schema/",)
WANTED = [status_code_conformance, content_type_conformance, response_schema_conformance]


@cache
def loaded() -> Any:
    """Return the schema, to be asked of the WSGI application in this process."""
    written = SchemaGenerator().get_schema(request=None, public=True)
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(written, default=str)))
    schema.app = get_wsgi_application()
    return schema


def labels() -> list[str]:
    """Return ``GET /api/…`` for each operation that Django answers."""
    found = operations(loaded().raw_schema)
    return sorted(
        f"{method.upper()} {path}" for method, path, _ in found if path not in (*STREAMS, *SELF)
    )


@pytest.fixture(params=["staff", "plain"])
def key(request: Any, db: None) -> Any:
    """A staff user's key with scope ``admin``; a plain user's with all others."""
    if request.param == "staff":
        return make_key(make_staff(), scopes=["admin"])
    return make_key(make_user())


@pytest.fixture
def there(key: Any) -> dict[str, Any]:
    """Return the objects that stand in addresses, one row each, the caller's where they have any."""
    user = key.key.user
    series = make_series()
    make_candles(series)
    make_gap(series)
    make_quality_summary(series)
    return {
        "run_id": str(make_run(requested_by=user).pk),
        "proxy_id": make_source_entry().proxy_id,
        # of a slot that no claim can take: a record alone holds none
        "lease_id": make_lease(requested_by=user, n=1).pk,
        "market_id": series.market_id,
        "task_id": make_backfill_task(series).pk,
        "collector_id": make_collector_config().pk,
        "device_id": f"s{make_device(user=user).pk}",
        "key_id": make_key(user).key.pk,
        **_analysed(user),
    }


def _analysed(user: Any) -> dict[str, Any]:
    analysis = make_analysis(outcome="partial")
    make_place(analysis=analysis, n=1)
    make_failure(analysis=analysis)
    return {
        "job_id": str(make_analysis_job(analysis=analysis, owner=user).pk),
        "batch_id": str(make_batch(owner=user).pk),
        "video_id": analysis.video.video_id,
        "n": 1,
    }


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _connection_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no request close the test's connection: Django's own test client does the same."""
    for signal in (request_started, request_finished):
        monkeypatch.setattr(signal, "send", lambda **_: [])


def cases(operation: Any) -> st.SearchStrategy[Any]:
    """Return requests that the schema allows and, where it forbids any, such as it doesn't."""
    good: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if not (operation.query or operation.body):
        return good
    return st.one_of(good, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))


# exports stream asynchronously, as the ASGI server wants it; WSGI collects them first
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous")
@pytest.mark.parametrize("label", labels())
def test_operation_answers_as_documented(label: str, key: Any, there: dict[str, Any]) -> None:
    operation = loaded().find_operation_by_label(label)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation), is_there=st.booleans())
    def ask(case: Any, is_there: bool) -> None:
        if is_there:
            case.path_parameters = {
                name: there.get(name, value) for name, value in (case.path_parameters or {}).items()
            }
        case.cookies = {}
        answer = case.call(headers={"Authorization": f"Api-Key {key.secret}"})
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        case.validate_response(answer, checks=WANTED)

    ask()


def test_every_list_is_documented_as_a_page() -> None:
    """Lists of rows come as ``{next, previous, results}``; but for exports, whole and streamed."""
    bare = [
        (method, path)
        for method, path, operation in operations(loaded().raw_schema)
        for content in answered(operation)
        if content.get("schema", {}).get("type") == "array" and not path.endswith("/export")
    ]

    assert bare == []


def answered(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what an operation answers to success, by media type."""
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            yield from answer.get("content", {}).values()
