from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import locking_out
from accounts.models import Device, User
from tests.factories import PASSWORD, make_key, make_staff, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("first_plans")]


@pytest.fixture(autouse=True)
def _open(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REGISTRATION = "open"
    monkeypatch.setattr("accounts.mailing.threading.Thread", AtOnce)


class AtOnce:
    """A thread that is over when it begins."""

    def __init__(self, target: Any, args: Any, **_: Any) -> None:
        self.deed = lambda: target(*args)

    def start(self) -> None:
        self.deed()


def post(client: Any, path: str, **body: Any) -> Any:
    return client.post(f"/api/auth/{path}", body, content_type="application/json")


def signed_in(user: User) -> Client:
    client = Client()
    assert post(client, "login", email=user.email, password=PASSWORD).status_code == 200
    return client


def test_new_user_registers_signs_in_and_out(client):
    made = post(client, "register", email="Ann@Example.com", password=PASSWORD)
    assert (made.status_code, made.json()) == (201, {"email": "ann@example.com"})
    assert client.get("/api/auth/me").status_code == 401

    began = post(client, "login", email="ann@EXAMPLE.com", password=PASSWORD)

    user = User.objects.get()
    assert began.json() == {
        "id": user.pk,
        "email": "ann@example.com",
        "name": "",
        "is_staff": False,
        "is_superuser": False,
        "plan": "free",
        "date_joined": user.date_joined.isoformat().replace("+00:00", "Z"),
        "scopes": None,
    }
    assert client.get("/api/auth/me").json() == began.json()
    assert post(client, "logout").status_code == 204
    assert client.get("/api/auth/me").status_code == 401
    assert Device.objects.count() == 0


def test_registration_tells_nobody_who_has_an_account(client):
    known = make_user(email="ann@example.com", password=PASSWORD)

    new = post(client, "register", email="bob@example.com", password=PASSWORD)
    old = post(client, "register", email="ann@example.com", password="another-swamp-7")

    assert (old.status_code, set(old.json())) == (new.status_code, set(new.json()))
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["ann@example.com"], "You have an account at Millrace")
    ]
    known.refresh_from_db()
    assert known.check_password(PASSWORD)
    assert User.objects.count() == 2


def test_closed_registration_makes_no_account(client, settings):
    settings.REGISTRATION = "closed"

    answer = post(client, "register", email="bob@example.com", password=PASSWORD)

    assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ({"email": "a@example.com", "password": "12345678"}, "weak_password", {"password"}),
        ({"email": "a@example.com", "password": "a@example.com"}, "weak_password", {"password"}),
        ({"email": "nonsense", "password": PASSWORD}, "invalid", {"email"}),
        ({"email": "a@example.com"}, "invalid", {"password"}),
        (
            {"email": "a@b.de", "password": PASSWORD, "is_staff": True},
            "unknown_field",
            {"is_staff"},
        ),
    ],
)
def test_registration_says_what_is_wrong(client, body, code, fields):
    answer = post(client, "register", **body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert {one["field"] for one in answer.json()["errors"]} == fields
    assert not User.objects.exists()


def test_wrong_password_and_unknown_address_get_one_answer(client):
    make_user(email="ann@example.com", password=PASSWORD)
    make_user(email="out@example.com", password=PASSWORD, is_active=False)

    answers = [
        post(client, "login", email=email, password=password)
        for email, password in (
            ("ann@example.com", "wrong"),
            ("bob@example.com", "wrong"),
            ("out@example.com", PASSWORD),
            ("x\x00y", "wrong"),
        )
    ]

    told = [{**answer.json(), "request_id": ""} for answer in answers[:3]]
    assert {answer.status_code for answer in answers[:3]} == {401}
    assert told[0] == told[1] == told[2]
    assert told[0]["code"] == "wrong_credentials"
    assert answers[3].status_code in {401, 422}


@pytest.mark.parametrize("email", ["ann@example.com", "nobody@example.com"])
def test_repeated_failures_lock_out_whoever_it_is(client, email):
    make_user(email="ann@example.com", password=PASSWORD)
    for _ in range(locking_out.FROM_ONE):
        assert post(client, "login", email=email, password="wrong").status_code == 401

    locked = post(client, "login", email=email, password=PASSWORD)
    elsewhere = Client(REMOTE_ADDR="203.0.113.9").post(
        "/api/auth/login", {"email": email, "password": PASSWORD}, content_type="application/json"
    )

    assert (locked.status_code, locked.json()["code"]) == (429, "locked_out")
    assert 890 <= int(locked["Retry-After"]) <= 900
    assert elsewhere.status_code == (200 if email.startswith("ann") else 401)


def test_admin_sign_in_is_locked_out_too(client):
    staff = make_staff(password=PASSWORD)
    for _ in range(locking_out.FROM_ONE):
        post(client, "login", email=staff.email, password="wrong")

    client.post("/admin/login/", {"username": staff.email, "password": PASSWORD})

    assert "sessionid" not in client.cookies


def test_csrf_token_opens_unsafe_methods_of_a_session():
    user = make_user(password=PASSWORD)
    client = Client(enforce_csrf_checks=True)
    assert post(client, "login", email=user.email, password=PASSWORD).status_code == 200

    refused = post(client, "devices/revoke-others")
    token = client.get("/api/auth/csrf").json()["csrf_token"]
    done = client.post(
        "/api/auth/devices/revoke-others",
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    assert (done.status_code, done.json()) == (200, {"revoked": 0})


def test_session_changes_at_sign_in(client):
    user = make_user(password=PASSWORD)
    session = client.session
    session["planted"] = 1
    session.save()
    planted = client.cookies["sessionid"].value

    post(client, "login", email=user.email, password=PASSWORD)

    assert client.cookies["sessionid"].value != planted
    assert client.cookies["sessionid"]["httponly"]


def test_changed_password_ends_all_other_sessions():
    user = make_user(password=PASSWORD)
    here, elsewhere = signed_in(user), signed_in(user)

    wrong = post(here, "password/change", current_password="x", new_password="a-new-swamp-8")
    weak = post(here, "password/change", current_password=PASSWORD, new_password="password")
    done = post(here, "password/change", current_password=PASSWORD, new_password="a-new-swamp-8")

    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_password")
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (422, "new_password")
    assert done.status_code == 204
    assert here.get("/api/auth/me").status_code == 200
    assert elsewhere.get("/api/auth/me").status_code == 401
    user.refresh_from_db()
    assert user.check_password("a-new-swamp-8")


def test_key_changes_no_password():
    user = make_user(password=PASSWORD)
    client = APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user).secret}")

    answer = client.post(
        "/api/auth/password/change",
        {"current_password": PASSWORD, "new_password": "a-new-swamp-8"},
    )

    assert answer.status_code == 403


def test_forgotten_password_is_set_by_the_link_once(client, settings):
    settings.PUBLIC_URL = "https://m.example"
    user = make_user(email="ann@example.com", password=PASSWORD)
    there = signed_in(user)

    known = post(client, "password/reset", email="Ann@example.com")
    unknown = post(client, "password/reset", email="bob@example.com")

    assert (
        (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")
    )
    (message,) = mail.outbox
    token = message.body.partition("https://m.example/password/reset/")[2].split()[0]
    weak = post(client, "password/reset", token=token, new_password="password")
    done = post(client, "password/reset", token=token, new_password="a-new-swamp-8")
    again = post(client, "password/reset", token=token, new_password="a-third-swamp-9")
    assert [weak.status_code, done.status_code, again.status_code] == [422, 204, 422]
    assert again.json()["code"] == "bad_token"
    assert there.get("/api/auth/me").status_code == 401
    user.refresh_from_db()
    assert user.check_password("a-new-swamp-8")


@pytest.mark.parametrize("token", ["", "x", "MQ.x", "...", "ÿ.x", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5.x"])
def test_nonsense_for_a_link_is_refused(client, token):
    make_user()

    answer = post(client, "password/reset", token=token, new_password="a-new-swamp-8")

    assert answer.status_code == 422


@pytest.mark.parametrize("body", [{}, {"email": "a@b.de", "token": "x"}, {"token": "x"}])
def test_reset_takes_an_address_or_a_token(client, body):
    assert post(client, "password/reset", **body).status_code == 422


def test_me_names_plan_and_scopes_of_a_key():
    user = make_user()
    client = APIClient(
        HTTP_AUTHORIZATION=f"Api-Key {make_key(user, scopes=['accounts:read']).secret}"
    )
    staff = Client()
    staff.force_login(make_staff())

    assert client.get("/api/auth/me").json()["scopes"] == ["accounts:read"]
    assert client.post("/api/auth/logout").status_code == 204
    assert client.get("/api/auth/me").status_code == 200
    assert staff.get("/api/auth/me").json()["plan"] == "staff"
    assert timezone.is_aware(user.date_joined)
