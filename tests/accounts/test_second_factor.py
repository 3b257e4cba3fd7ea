import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import locking_out, second_factor
from accounts.models import SecondFactor, User
from project.core.admin.asking import AGREED
from tests.factories import PASSWORD, make_key, make_staff, make_user
from tests.project.rivals import rivals

pytestmark = pytest.mark.django_db
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def code_of(user: User, now: datetime | None = None) -> str:
    secret = SecondFactor.objects.get(user=user).secret
    return second_factor.code_at(secret, second_factor.step_of(now or timezone.now()))


def enrolled(user: User, at: datetime | None = None) -> list[str]:
    """Turn it on, some time ago so that the present code is not used up."""
    at = at or timezone.now() - timedelta(minutes=5)
    second_factor.begin(user)
    return second_factor.confirm(user, code_of(user, at), now=at)


@pytest.mark.parametrize(
    ("second", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_rfc(second, code):
    step = second_factor.step_of(datetime.fromtimestamp(second, UTC))

    assert second_factor.code_at(RFC_SECRET, step) == code


def test_code_holds_once_and_half_a_minute_around(now, user):
    enrolled(user, now)
    later = now + timedelta(minutes=10)
    code = code_of(user, later)

    second_factor.require(user, code, address="", now=later + timedelta(seconds=30))
    with pytest.raises(second_factor.WrongCodeError):
        second_factor.require(user, code, address="", now=later + timedelta(seconds=30))
    old = code_of(user, later - timedelta(seconds=90))
    with pytest.raises(second_factor.WrongCodeError):
        second_factor.require(user, old, address="", now=later + timedelta(minutes=5))


def test_recovery_code_holds_once(now, user):
    codes = enrolled(user, now)

    assert len(set(codes)) == 10
    second_factor.require(user, f" {codes[3].upper()} ", address="", now=now)
    with pytest.raises(second_factor.WrongCodeError):
        second_factor.require(user, codes[3], address="", now=now)
    assert codes[0] not in str(SecondFactor.objects.values_list("recovery", flat=True))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("which", ["app", "recovery"])
def test_rivals_use_a_code_once(now, which):
    user = make_user()
    codes = enrolled(user, now)
    later = now + timedelta(minutes=10)
    code = codes[0] if which == "recovery" else code_of(user, later)

    def use(_: int) -> bool:
        try:
            second_factor.require(user, code, address="", now=later)
        except (second_factor.WrongCodeError, locking_out.LockedOutError):
            return False
        return True

    assert sum(rivals(6, use)) == 1


def test_wrong_codes_lock_out_though_the_password_is_right():
    user = make_user(password=PASSWORD)
    enrolled(user)
    wanted = {"email": user.email, "password": PASSWORD, "code": "000000"}

    found = [
        Client().post("/api/auth/login", wanted, content_type="application/json").json()["code"]
        for _ in range(11)
    ]

    assert found == ["wrong_code"] * 10 + ["locked_out"]
    right = {**wanted, "code": code_of(user)}
    answer = Client().post("/api/auth/login", right, content_type="application/json")
    assert answer.json()["code"] == "locked_out"


def test_rest_sign_in_wants_the_code():
    user = make_user(password=PASSWORD)
    enrolled(user)
    client = Client()

    def ask(**more: str) -> Any:
        wanted = {"email": user.email, "password": PASSWORD, **more}
        return client.post("/api/auth/login", wanted, content_type="application/json")

    assert (ask().status_code, ask().json()["code"]) == (401, "second_factor_required")
    assert ask(password="wrong-lantern-1").json()["code"] == "wrong_credentials"
    assert client.get("/api/auth/me").status_code == 401
    assert ask(code=code_of(user)).status_code == 200
    assert client.get("/api/auth/me").status_code == 200


@pytest.mark.parametrize("path", ["/sign-in", "/admin/login/"])
def test_pages_want_the_code(path):
    user = make_staff(password=PASSWORD)
    enrolled(user)
    client = Client()
    name = "username" if "admin" in path else "email"
    given = {name: user.email, "password": PASSWORD, "next": "/account"}

    without = client.post(path, given)
    wrong = client.post(path, {**given, "code": "12"})

    assert without.status_code == wrong.status_code == 200
    assert "code" in without.content.decode()
    assert client.get("/account").status_code == 302
    assert client.post(path, {**given, "code": code_of(user)}).status_code == 302
    assert client.get("/account").status_code == 200


def test_enrolling_on_the_page_shows_recovery_codes_once(user):
    user.set_password(PASSWORD)
    user.save()
    client = Client()
    client.force_login(user)
    other = Client()
    other.force_login(user)

    assert "<svg" not in client.get("/account/second-factor").content.decode()
    assert not SecondFactor.objects.exists()
    page = client.post("/account/second-factor", {"deed": "begin"}, follow=True).content.decode()
    secret = SecondFactor.objects.get().secret
    assert "<svg" in page
    assert secret in page
    assert "http" not in re.findall(r"<img[^>]+", page)
    wrong = client.post("/account/second-factor", {"code": "000000"}).content.decode()
    assert "another code" in wrong
    done = client.post("/account/second-factor", {"code": code_of(user)}).content.decode()

    assert done.count("<li><code>") == 10
    assert secret not in done
    assert "<svg" not in client.get("/account/second-factor").content.decode()
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 302  # signed out: it came in without the code


def test_turning_it_off_wants_a_code(user):
    codes = enrolled(user)
    client = Client()
    client.force_login(user)

    client.post("/account/second-factor", {"code": "000000", "deed": "off"})
    assert second_factor.is_on(User.objects.get(pk=user.pk))
    client.post("/account/second-factor", {"code": codes[0], "deed": "off"})

    assert not second_factor.is_on(User.objects.get(pk=user.pk))
    assert not SecondFactor.objects.exists()


def test_staff_without_one_are_led_to_enrol_where_it_is_required(settings):
    settings.STAFF_SECOND_FACTOR = True
    staff, plain = make_staff(), make_user()
    client, other = Client(), Client()
    client.force_login(staff)
    other.force_login(plain)
    key = Client(headers={"Authorization": f"Api-Key {make_key(staff, scopes=['admin']).secret}"})

    led = client.get("/admin/core/run/")

    assert (led.status_code, led["Location"]) == (302, "/account/second-factor")
    assert client.get("/api/system/tasks").status_code == 403
    assert client.post("/admin/core/run/").status_code == 302
    assert key.get("/api/system/tasks").status_code == 200
    assert "Staff need a second factor" in client.get("/account/second-factor").content.decode()
    enrolled(staff)
    assert client.get("/admin/core/run/").status_code == 200
    assert client.get("/api/system/tasks").status_code == 200
    assert other.get("/api/auth/me").status_code == 200


def test_it_can_not_be_turned_on_twice(user):
    enrolled(user)

    with pytest.raises(second_factor.AlreadyOnError):
        second_factor.begin(user)
    with pytest.raises(second_factor.AlreadyOnError):
        second_factor.confirm(user, "000000", now=timezone.now())


def test_staff_take_a_lost_one_away(admin_client, user):
    enrolled(user)

    admin_client.get(
        "/admin/accounts/user/",
        {"action": "remove_second_factor", "_selected_action": user.pk, AGREED: "yes"},
    )
    assert SecondFactor.objects.exists()
    admin_client.post(
        "/admin/accounts/user/",
        {"action": "remove_second_factor", "_selected_action": user.pk, AGREED: "yes"},
    )

    assert not SecondFactor.objects.exists()
    assert not second_factor.is_on(User.objects.get(pk=user.pk))


def test_secret_rests_encrypted_and_is_in_no_page_of_staffs(admin_client, user):
    enrolled(user)
    row = SecondFactor.objects.get()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_secondfactor")
        assert row.secret not in str(cursor.fetchall())
    for path in ("secondfactor/", f"secondfactor/{row.pk}/change/", f"user/{user.pk}/change/"):
        page = admin_client.get(f"/admin/accounts/{path}")
        assert page.status_code == 200
        assert row.secret not in page.content.decode()
