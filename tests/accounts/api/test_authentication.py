from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.api.authentication import key_in
from project.core.models import Run
from tests.factories import PASSWORD, make_key, make_run, make_staff, make_user

pytestmark = pytest.mark.django_db


def by_key(user: Any, **fields: Any) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user, **fields).secret}")


def by_cookie(user: Any) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def everybody() -> dict[str, Callable[[], APIClient]]:
    """How each kind of caller is made."""
    return {
        "anonymous": APIClient,
        "user": lambda: by_cookie(make_user()),
        "key": lambda: by_key(make_user()),
        "staff": lambda: by_cookie(make_user(is_staff=True)),
        "staff key": lambda: by_key(make_staff()),
        "staff key with admin": lambda: by_key(make_staff(), scopes=["admin"]),
        "superuser": lambda: by_cookie(make_staff()),
    }


ALL = {
    "anonymous": 200, "user": 200, "key": 200, "staff": 200, "staff key": 200,
    "staff key with admin": 200, "superuser": 200,
}  # fmt: skip
KNOWN = ALL | {"anonymous": 401}
STAFF = KNOWN | {"user": 403, "key": 403, "staff key": 403}
OTHERS_RUN = {name: 404 if status == 403 else status for name, status in STAFF.items()}
CHANGED = {name: 202 if status == 200 else status for name, status in OTHERS_RUN.items()}
MATRIX = [
    ("GET", "/", ALL),
    ("GET", "/api/health", ALL),
    ("GET", "/health/live", ALL),
    ("GET", "/metrics", ALL),
    ("GET", "/api/schema/", ALL),
    ("GET", "/api/docs/", ALL),
    ("GET", "/api/runs", KNOWN),
    ("GET", "/api/runs/{queued}", OTHERS_RUN),
    ("POST", "/api/runs/{queued}/cancel", CHANGED),
    ("POST", "/api/runs/{failed}/retry", CHANGED),
    ("GET", "/api/system/tasks", STAFF),
]


@pytest.mark.parametrize("who", sorted(ALL))
@pytest.mark.parametrize(("method", "path", "expected"), MATRIX, ids=lambda value: str(value)[:40])
def test_who_may_do_what(method, path, expected, who, everybody, monkeypatch):
    from project.core import health

    monkeypatch.setattr(health, "summary", lambda **_: {"status": "healthy"})
    runs = {"queued": make_run().pk, "failed": make_run(status="failed").pk}

    answer = everybody[who]().generic(method, path.format(**runs))

    assert answer.status_code == expected[who]
    if answer.status_code not in {200, 202}:
        assert Run.objects.count() == 2
        assert Run.objects.get(pk=runs["queued"]).status == "queued"


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Api-Key abc", "abc"),
        ("api-key   abc ", "abc"),
        ("Api-Key", ""),
        ("Bearer abc", None),
        ("Basic YTpi", None),
        ("", None),
    ],
)
def test_key_is_read_from_its_header(header, key):
    assert key_in(header) == key


def test_cookie_needs_its_csrf_token_for_unsafe_methods(user):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    run = make_run(requested_by=user)
    path = f"/api/runs/{run.pk}/cancel"

    without = browser.post(path, content_type="application/json")
    wrong = browser.post(path, content_type="application/json", headers={"X-CSRFToken": "x" * 32})
    browser.get("/admin/login/")  # sets the cookie
    token = browser.cookies["csrftoken"].value
    right = browser.post(path, content_type="application/json", headers={"X-CSRFToken": token})

    assert (without.status_code, without.json()["code"]) == (403, "csrf_failed")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "csrf_failed")
    assert right.status_code == 202


def test_key_needs_no_csrf_token(user):
    client = APIClient(enforce_csrf_checks=True)
    run = make_run(requested_by=user)

    answer = client.post(
        f"/api/runs/{run.pk}/cancel", headers={"Authorization": f"Api-Key {make_key(user).secret}"}
    )

    assert answer.status_code == 202


def test_wrong_key_is_refused_even_with_a_good_cookie(user):
    client = by_cookie(user)

    answer = client.get("/api/runs", headers={"Authorization": "Api-Key mr_wrong"})

    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")


@pytest.mark.parametrize("wrong", ["ä", "\x00", "a" * 10_000, "mr_\udcff"])
def test_odd_headers_are_refused_without_a_fuss(wrong):
    header = f"Api-Key {wrong}".encode("utf-8", "surrogateescape").decode("latin-1")

    assert APIClient(HTTP_AUTHORIZATION=header).get("/api/runs").status_code == 401


def test_user_who_was_locked_out_is_nobody(user):
    client = by_cookie(user)
    user.is_active = False
    user.save()

    assert client.get("/api/runs").status_code == 401


def test_session_cookie_is_for_the_server_alone(client, settings):
    staff = make_staff(password=PASSWORD)
    settings.SESSION_COOKIE_SECURE = True

    client.post("/admin/login/", {"username": staff.email, "password": PASSWORD})

    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True)
