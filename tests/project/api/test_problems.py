import json
import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.test import APIClient

from project.core import errors, runs
from project.core.api import problems
from project.core.api.serializers import Input
from tests.factories import PASSWORD, make_run, make_staff

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


def answer_to(error: Exception) -> Any:
    """Return how REST answers ``error``; ``data`` is its body."""
    context = {"request": RequestFactory().get("/api/x")}
    found: Any = problems.exception_handler(error, context)
    assert found is not None
    assert found["Content-Type"] == "application/problem+json"
    found.data = json.loads(found.content)
    return found


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInputError("why"), 422),
        (errors.NotFoundError("why"), 404),
        (errors.ConflictError("why"), 409),
        (errors.QuotaExceededError("why"), 429),
        (errors.TransientError("why"), 503),
        (errors.PermanentError("why"), 502),
        (errors.AppError("why"), 500),
        (problems.NotAuthenticatedError("why"), 401),
        (problems.MethodNotAllowedError("why"), 405),
    ],
)
def test_family_alone_decides_the_status(error, status):
    class Own(type(error)):  # type: ignore[misc]
        code = "own_code"
        title = "Own title"

    for found in (error, Own("why")):
        answer = answer_to(found)
        assert answer.status_code == answer.data["status"] == status
        assert set(answer.data) == MEMBERS
        assert (answer.data["code"], answer.data["title"]) == (found.code, found.title)
        assert answer.data["type"] == f"urn:millrace:problem:{found.code}"
        assert (answer.data["detail"], answer.data["instance"]) == ("why", "/api/x")


def test_error_without_words_says_its_title():
    assert answer_to(runs.RunEndedError()).data["detail"] == "The run has ended"


def test_further_members_are_told():
    answer = answer_to(runs.AlreadyRunningError("busy", run_id="7"))

    assert (answer.status_code, answer.data["run_id"]) == (409, "7")


def test_fields_are_told():
    wrong = errors.FieldProblem("symbols.0.name", "unknown", "no such symbol")

    answer = answer_to(errors.InvalidInputError("wrong", fields=(wrong,)))

    assert answer.data["errors"] == [
        {"field": "symbols.0.name", "code": "unknown", "detail": "no such symbol"}
    ]


@pytest.mark.parametrize(
    ("after_s", "header"), [(None, "1"), (0, "1"), (0.4, "1"), (1.2, "2"), (90, "90")]
)
def test_transient_failure_says_when_to_come_back(after_s, header):
    answer = answer_to(errors.TransientError("away", retry_after_s=after_s))

    assert answer["Retry-After"] == header


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404("secret path"), 404, "not_found"),
        (PermissionDenied("secret reason"), 403, "permission_denied"),
    ],
)
def test_djangos_own_are_told_without_their_words(error, status, code):
    answer = answer_to(error)

    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert "secret" not in str(answer.data)


def test_bug_is_left_to_the_500_page():
    context = {"request": RequestFactory().get("/api/x")}

    assert problems.exception_handler(ZeroDivisionError(), context) is None


class Leg(Input):
    market = serializers.CharField(max_length=3)


class Trip(Input):
    legs = Leg(many=True)
    days = serializers.IntegerField(min_value=1)

    def validate(self, attrs: Any) -> Any:
        if attrs["days"] == 13:
            raise serializers.ValidationError("not on a thirteenth", code="unlucky")
        return attrs


def refused(data: Any) -> dict[str, Any]:
    with pytest.raises(drf.ValidationError) as error:
        Trip(data=data).is_valid(raise_exception=True)
    found: dict[str, Any] = answer_to(error.value).data
    assert found["status"] == 422
    return found


def test_fields_of_a_body_are_told_by_their_path():
    found = refused({"legs": [{"market": "ABC"}, {"market": "ABCD"}, {}], "days": 0})

    assert found["code"] == "invalid"
    assert [(one["field"], one["code"]) for one in found["errors"]] == [
        ("legs.1.market", "max_length"),
        ("legs.2.market", "required"),
        ("days", "min_value"),
    ]


def test_unknown_fields_are_refused_all_at_once():
    found = refused({"legs": [], "days": 1, "dayz": 1, "leg": 1})

    assert found["code"] == "unknown_field"
    assert [(one["field"], one["code"]) for one in found["errors"]] == [
        ("dayz", "unknown_field"),
        ("leg", "unknown_field"),
    ]


def test_unknown_field_of_a_part_is_refused_too():
    found = refused({"legs": [{"market": "ABC", "x": 1}], "days": 1})

    assert [(one["field"], one["code"]) for one in found["errors"]] == [
        ("legs.0.x", "unknown_field")
    ]


@pytest.mark.parametrize("data", [[], "x", 7, None])
def test_body_that_is_no_object_is_refused(data):
    found = refused(data)

    assert [one["field"] for one in found["errors"]] == ["body"]
    assert found["code"] == "invalid"


def test_rule_about_the_whole_body_names_the_body():
    found = refused({"legs": [], "days": 13})

    assert found["errors"] == [
        {"field": "body", "code": "unlucky", "detail": "not on a thirteenth"}
    ]


def expect(answer: Any, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert set(body) >= MEMBERS
    assert len(body["request_id"]) == 32
    return body


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        ("{", "application/json", 400, "malformed"),
        ('{"a": NaN}', "application/json", 400, "malformed"),
        (b"\xff\xfe", "application/json", 400, "malformed"),
        ("a=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        ('{"a": 1}', "application/json", 422, "unknown_field"),
        ("[1]", "application/json", 422, "invalid"),
    ],
)
def test_bodies_that_cannot_be_read(content, kind, status, code, api, user):
    run = make_run(requested_by=user)

    answer = api.post(f"/api/runs/{run.pk}/cancel", content, content_type=kind)

    expect(answer, status, code)
    run.refresh_from_db()
    assert run.status == "queued"


@pytest.mark.parametrize("path", ["/api/nothing", "/api/runs/", "/api/runs/x", "/api/"])
@pytest.mark.django_db
def test_unknown_address_under_api_is_a_problem(path, client):
    assert expect(client.get(path), 404, "not_found")["instance"] == path


@pytest.mark.parametrize(
    "path", ["/api/runs", "/api/health", "/api/system/tasks", "/api/schema/", "/api/docs/"]
)
def test_wrong_method_under_api_is_a_problem(path, staff_api):
    answer = staff_api.delete(path)

    expect(answer, 405, "method_not_allowed")
    assert "GET" in answer["Allow"]


def test_unacceptable_form_is_a_problem(api):
    expect(api.get("/api/runs", HTTP_ACCEPT="image/png"), 406, "not_acceptable")


@pytest.mark.django_db
def test_nobody_is_asked_to_say_who_they_are(client):
    answer = client.get("/api/runs")

    expect(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Api-Key"


def test_wrong_key_is_told(db):
    answer = APIClient(HTTP_AUTHORIZATION="Api-Key no").get("/api/runs")

    expect(answer, 401, "authentication_failed")


def test_known_but_not_allowed(api):
    expect(api.get("/api/system/tasks"), 403, "permission_denied")


def test_cookie_without_csrf_token_is_a_problem(user):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    run = make_run(requested_by=user)

    answer = browser.post(f"/api/runs/{run.pk}/cancel", "{}", content_type="application/json")

    expect(answer, 403, "csrf_failed")
    run.refresh_from_db()
    assert run.status == "queued"


@pytest.mark.django_db
def test_csrf_failure_of_a_page_is_a_page_for_people_and_a_problem_for_programs():
    make_staff(email="staff@example.com", password=PASSWORD)
    browser = Client(enforce_csrf_checks=True)
    form = {"username": "staff@example.com", "password": PASSWORD}

    program = browser.post("/admin/login/", form, headers={"Accept": "application/json"})
    person = browser.post("/admin/login/", form, headers={"Accept": "text/html"})

    expect(program, 403, "csrf_failed")
    assert (person.status_code, person["Content-Type"][:9]) == (403, "text/html")
    assert "csrf_failed" in person.content.decode() or "CSRF" in person.content.decode()


@pytest.mark.django_db
def test_page_that_is_not_there_is_a_page_for_people(client):
    answer = client.get("/nothing", headers={"Accept": "text/html"})

    assert (answer.status_code, answer["Content-Type"][:9]) == (404, "text/html")
    assert "There is nothing at this address" in answer.content.decode()


@pytest.mark.django_db
def test_bug_is_a_problem_with_a_request_id_and_no_words_of_its_own(api, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL)
    api.raise_request_exception = False

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(runs, "find", fail)
    answer = api.get(f"/api/runs/{make_run().pk}")

    expect(answer, 500, "internal_error")
    assert "secret" not in answer.content.decode()


@pytest.mark.django_db
def test_host_that_is_not_ours_is_a_problem(client, settings):
    settings.ALLOWED_HOSTS = ["millrace.example"]

    answer = client.get("/api/health", headers={"Host": "evil.example", "Accept": "*/*"})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("error", [errors.TransientError("x", retry_after_s=7.5)])
async def test_plain_asgi_answers_the_same(error):
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await problems.answer_asgi(error, {"path": "/api/x"}, send)

    headers = dict(sent[0]["headers"])
    assert (sent[0]["status"], headers[b"retry-after"]) == (503, b"8")
    assert headers[b"content-type"] == b"application/problem+json"
    assert int(headers[b"content-length"]) == len(sent[1]["body"])
