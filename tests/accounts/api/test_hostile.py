"""What a hostile tester would try at the doors of accounts: each answer is a problem document."""

import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import ApiKey, User
from tests.factories import PASSWORD, make_key, make_user
from tests.project.rivals import rivals

pytestmark = pytest.mark.django_db
DOORS = (
    "register",
    "login",
    "password/reset",
    "password/change",
    "logout",
    "keys",
    "devices/revoke-others",
    "subscription/webhook",
)
BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"5",
    b'"text"',
    b"\xff\xfe\x00",
    b'{"email": {"a": 1}, "password": []}',
    b'{"email": null, "password": null}',
    b'{"email": "a\\u0000b@example.com", "password": "swamp-lantern-42"}',
    b'{"email": "\\ud800@example.com", "password": "\\udfff"}',
    b'{"email": true, "password": 1e400}',
    b'{"scopes": "all", "expires_at": "soon"}',
    json.dumps({"email": "a" * 5000 + "@example.com", "password": "x" * 100_000}).encode(),
    b'{"a":' * 2000 + b"1" + b"}" * 2000,
)


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.REGISTRATION = "open"


@pytest.mark.parametrize("door", DOORS)
def test_nonsense_is_refused_with_a_problem(door):
    key = make_key().secret
    wrong = []
    for headers in ({}, {"Authorization": f"Api-Key {key}"}):
        client = Client(headers=headers, raise_request_exception=False)
        for body in BODIES:
            answer = client.generic("POST", f"/api/auth/{door}", body, "application/json")
            is_fine = answer.status_code < 300
            is_problem = answer.headers.get("Content-Type") == "application/problem+json"
            if answer.status_code >= 500 or not (is_fine or is_problem):
                wrong.append((body[:60], answer.status_code, answer.content[:200]))

    assert wrong == []


def test_body_that_is_too_large_is_refused(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({"email": "a@example.com", "password": "x" * 2000})

    answer = Client().post("/api/auth/login", body, content_type="application/json")

    assert answer.status_code in {400, 413}
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/xml"])
def test_sign_in_takes_json_alone(kind):
    answer = Client().generic("POST", "/api/auth/login", b"email=a&password=b", kind)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_case_and_letters_of_an_e_mail_make_no_second_account():
    for email in ("Zoe@Example.com", "zoe@example.COM", " zoe@example.com "):
        answer = Client().post(
            "/api/auth/register",
            {"email": email, "password": PASSWORD},
            content_type="application/json",
        )
        assert answer.status_code == 201

    assert [user.email for user in User.objects.all()] == ["zoe@example.com"]


@pytest.mark.django_db(transaction=True)
def test_rivals_register_one_account():
    def one(_: int) -> int:
        wanted = {"email": "race@example.com", "password": PASSWORD}
        return (
            Client().post("/api/auth/register", wanted, content_type="application/json").status_code
        )

    assert set(rivals(6, one)) == {201}
    assert User.objects.filter(email="race@example.com").count() == 1


def test_unsafe_request_of_a_cookie_without_its_token_is_refused():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())

    answer = client.post("/api/auth/keys", {}, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "header",
    ["Api-Key", "Api-Key ", "Api-Key x y", "Bearer x", "api-key \xff", "Api-Key " + "x" * 5000],
)
def test_nonsense_of_a_key_is_refused(header):
    answer = APIClient(HTTP_AUTHORIZATION=header).get("/api/auth/me")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"]
