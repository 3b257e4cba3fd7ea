import time

import pytest
from django.test import Client

from accounts import signing_in
from accounts.models import Device
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def post(path: str, **body: object):
    return Client().post(f"/api/auth/{path}", body, content_type="application/json")


def test_every_way_in_notes_the_browser():
    user = make_user(password=PASSWORD)

    post("login", email=user.email.upper(), password=PASSWORD)
    Client().post("/sign-in", {"email": user.email, "password": PASSWORD})

    assert Device.objects.filter(user=user).count() == 2


def test_wrong_e_mail_and_wrong_password_look_alike(settings):
    user = make_user(password=PASSWORD)
    sleeping = make_user(password=PASSWORD, is_active=False)
    asked = [
        (user.email, "wrong-lantern-1"),
        ("nobody@example.com", PASSWORD),
        (sleeping.email, PASSWORD),
        ("not an e-mail", PASSWORD),
    ]

    answers = [post("login", email=email, password=password) for email, password in asked]
    texts = {
        str({key: value for key, value in answer.json().items() if key != "request_id"})
        for answer in answers
    }

    assert {answer.status_code for answer in answers} == {401}
    assert len(texts) == 1


def test_wrong_e_mail_costs_as_much_as_a_wrong_password(settings):
    """The password is hashed for unknown users, too: the slowest part of an answer."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    user = make_user(password=PASSWORD)

    def seconds(email: str) -> float:
        began_at = time.perf_counter()
        post("login", email=email, password="wrong-lantern-1")
        return time.perf_counter() - began_at

    known = min(seconds(user.email) for _ in range(3))
    unknown = min(seconds("nobody@example.com") for _ in range(3))

    assert 0.4 < known / unknown < 2.5


def test_errors_have_codes():
    assert (signing_in.WrongCredentialsError.code, signing_in.CodeWantedError.code) == (
        "wrong_credentials",
        "second_factor_required",
    )
