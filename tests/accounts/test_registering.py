import pytest

from accounts import mailing, registering
from accounts.models import User
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def test_registration_is_closed_unless_opened(settings):
    for value, is_open in (("open", True), ("closed", False), ("", False)):
        settings.REGISTRATION = value
        assert registering.is_open() is is_open


def test_rivals_of_one_address_make_one_account(settings, monkeypatch):
    settings.REGISTRATION = "open"
    make_user(email="ann@example.com")
    nobody = User.objects.none()
    monkeypatch.setattr(User.objects, "filter", lambda **_: nobody)

    registering.register("ann@example.com", PASSWORD)

    assert User.objects.count() == 1


def test_reset_is_for_those_who_may_sign_in(monkeypatch):
    sent: list[User] = []
    monkeypatch.setattr(mailing, "password_reset", sent.append)
    known, out = make_user(), make_user(is_active=False)

    for email in (known.email.upper(), out.email, "nobody@example.com"):
        registering.ask_for_reset(email)

    assert sent == [known]
    assert registering.owner_of(mailing.token_of(out)) is None
    assert registering.owner_of(mailing.token_of(known)) == known


def test_weak_password_names_the_field():
    with pytest.raises(registering.WeakPasswordError) as caught:
        registering.require_strong("12345", user=User(email="a@example.com"), field="password")

    assert {problem.field for problem in caught.value.fields} == {"password"}
    assert len(caught.value.fields) >= 2
