import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.models import User
from tests.factories import PASSWORD, make_staff, make_user

pytestmark = pytest.mark.django_db


def test_email_is_the_login_however_it_is_capitalised():
    user = make_user(email="Ann@Example.com", password=PASSWORD)

    assert user.email == "ann@example.com"
    for written in ("ann@example.com", "ANN@example.COM", " ann@example.com "):
        assert authenticate(username=written, password=PASSWORD) == user
    assert authenticate(username="ann@example.com", password="wrong") is None


def test_user_made_by_a_form_can_sign_in_however_the_email_was_written():
    user = User(email="Ann@Example.com")
    user.set_password(PASSWORD)

    user.full_clean()
    user.save()

    assert user.email == "ann@example.com"
    assert authenticate(username="Ann@Example.com", password=PASSWORD) == user


def test_second_user_of_an_email_is_refused_whatever_its_letters():
    make_user(email="ann@example.com")

    with pytest.raises(ValidationError):
        User(email="ANN@example.com", password="x").full_clean()
    with pytest.raises(IntegrityError):
        make_user(email="ANN@example.com")


def test_email_in_capitals_is_refused_by_the_database():
    with pytest.raises(IntegrityError, match="user_email_in_lower_case"):
        User.objects.create(email="Ann@example.com")


def test_user_without_password_cannot_sign_in():
    user = make_user()

    assert not user.has_usable_password()
    assert authenticate(username=user.email, password="") is None


def test_superuser_may_use_the_admin(client):
    staff = User.objects.create_superuser("root@example.com", PASSWORD)

    assert (staff.is_staff, staff.is_superuser) == (True, True)
    client.force_login(staff)
    assert client.get("/admin/accounts/user/").status_code == 200


def test_user_is_greeted_by_name_or_email():
    assert make_user(email="a@example.com").get_full_name() == "a@example.com"
    assert make_user(name="Ann").get_short_name() == "Ann"
    assert str(make_staff(email="s@example.com", name="Sue")) == "s@example.com"
