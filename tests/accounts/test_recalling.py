from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import devices, keys, recalling
from accounts.models import ApiKey, Plan, Subscription, User
from project.core import lookups
from project.core.caching import Place
from project.core.callers import SYSTEM
from tests.factories import (
    PASSWORD,
    make_api_key,
    make_key,
    make_plan,
    make_staff,
    make_subscription,
    make_user,
)

pytestmark = pytest.mark.django_db
redis = pytest.mark.redis


def program(secret: str) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Api-Key {secret}")


def cost(client: Client) -> int:
    """How many queries the question takes that asks for nothing but who asks."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.generic("POST", "/api/auth/logout", b'{"x": 1}', "application/json")
    assert answer.json()["code"] == "unknown_field"
    return len(queries)


def signed_in(user: User) -> Client:
    client = Client()
    answer = client.post(
        "/api/auth/login", {"email": user.email, "password": PASSWORD}, "application/json"
    )
    assert answer.status_code == 200
    return client


@pytest.mark.parametrize("how", ["key", "login", "forced"])
def test_authenticated_request_costs_a_query_cold_and_none_warm(how):
    user = make_subscription(user=make_user(password=PASSWORD)).user
    client: Client = program(make_key(user).secret)
    if how != "key":
        client = signed_in(user) if how == "login" else Client()
        client.force_login(user) if how == "forced" else None
    caches["shared"].clear()

    assert [cost(client) for _ in range(3)] == ([1, 0, 0] if settings.REDIS_URL else [1, 1, 1])


@pytest.mark.parametrize("how", ["key", "login"])
def test_without_the_shared_cache_it_is_one_query_always(how, monkeypatch):
    user = make_user(password=PASSWORD)
    client = program(make_key(user).secret) if how == "key" else signed_in(user)
    away = Place("redis://127.0.0.1:1/0", watch=lambda _: None)
    monkeypatch.setattr(caches["shared"], "place", away)

    assert [cost(client) for _ in range(3)] == [1, 1, 1]


@redis
def test_remembered_key_is_the_one_that_was_read(now):
    plan = make_plan(api_per_minute=7, is_unlimited=False)
    user = make_subscription(plan=plan, ends_at=now + timedelta(days=900)).user
    secret = make_key(user, scopes=["markets:read"], name="a").secret
    first = keys.recognise(secret, now=now)

    with CaptureQueriesContext(connection) as queries:
        again = keys.recognise(secret, now=now)
        assert again is not None
        assert first is not None
        owner, caller = again
        assert (owner, owner.email, owner.subscription.plan) == (user, user.email, plan)
        assert (caller, caller.allowance) == (first[1], first[1].allowance)
        assert (owner.is_active, owner.is_staff, owner.date_joined) == (
            True,
            False,
            user.date_joined,
        )

    assert len(queries) == 0
    assert owner.password == user.password  # read when asked for


CHANGES = {
    "key revoked": lambda user, key: keys.revoke(key, now=timezone.now()),
    "key revoked by its owner": lambda user, key: keys.revoke_own(
        user, key.pk, by=SYSTEM, now=timezone.now()
    ),
}


@redis
@pytest.mark.parametrize("change", list(CHANGES))
def test_revoked_key_is_refused_at_once(change):
    made = make_key()
    client = program(made.secret)
    assert client.get("/api/auth/me").status_code == 200

    CHANGES[change](made.key.user, made.key)

    assert client.get("/api/auth/me").status_code == 401


@redis
def test_key_that_ends_is_refused_though_it_is_remembered(now):
    made = make_key(expires_at=now + timedelta(seconds=30), now=now)
    assert keys.recognise(made.secret, now=now)

    assert keys.recognise(made.secret, now=now + timedelta(seconds=31)) is None


@redis
@pytest.mark.parametrize("how", ["key", "session"])
def test_what_staff_change_of_a_user_holds_at_the_next_request(how, admin_client):
    user = make_user(password=PASSWORD)
    client = program(make_key(user).secret) if how == "key" else signed_in(user)
    assert client.get("/api/auth/me").json()["name"] == ""
    form = {"email": user.email, "name": "Ann", "is_active": "on"}
    page = f"/admin/accounts/user/{user.pk}/change/"

    assert admin_client.post(page, form).status_code == 302
    assert client.get("/api/auth/me").json()["name"] == "Ann"
    assert admin_client.post(page, {**form, "is_active": ""}).status_code == 302

    assert client.get("/api/auth/me").status_code == 401


@redis
def test_what_staff_change_of_plans_holds_at_the_next_request(admin_client):
    user = make_subscription().user
    client = program(make_key(user).secret)
    assert client.get("/api/auth/subscription").json()["plan"]["jobs_per_day"] is None
    plan = Plan.objects.get(pk=user.subscription.plan_id)

    page = f"/admin/accounts/plan/{plan.pk}/change/"
    form = {"name": plan.name, "title": plan.title, "jobs_per_day": 5, "is_public": "on"}
    assert admin_client.post(page, form).status_code == 302
    assert client.get("/api/auth/subscription").json()["plan"]["jobs_per_day"] == 5

    gone = Subscription.objects.get()
    answer = admin_client.post(f"/admin/accounts/subscription/{gone.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert client.get("/api/auth/subscription").json()["plan"]["name"] != plan.name


@redis
def test_deleted_user_is_nobody_at_once(admin_client):
    made = make_key()
    client = program(made.secret)
    assert client.get("/api/auth/me").status_code == 200

    chosen = {"action": "delete_selected", "_selected_action": [made.key.user_id], "post": "yes"}
    admin_client.post("/admin/accounts/user/", chosen)

    assert not ApiKey.objects.exists()
    assert client.get("/api/auth/me").status_code == 401


@redis
def test_session_that_is_signed_out_from_afar_ends_at_once():
    user = make_user(password=PASSWORD)
    here, there = signed_in(user), signed_in(user)
    assert there.get("/api/auth/me").status_code == 200

    devices.revoke_others(user, but=here.session.session_key or "")

    assert [one.get("/api/auth/me").status_code for one in (here, there)] == [200, 401]


@redis
def test_new_password_by_staff_ends_sessions_at_once(admin_client):
    user = make_user(password=PASSWORD)
    client = signed_in(user)
    assert client.get("/api/auth/me").status_code == 200
    new = {"password1": "other-lantern-43", "password2": "other-lantern-43"}

    admin_client.post(
        f"/admin/accounts/user/{user.pk}/password/", {**new, "usable_password": "true"}
    )

    assert client.get("/api/auth/me").status_code == 401


@redis
def test_session_holds_what_was_saved_last():
    client = signed_in(make_staff(password=PASSWORD))
    session = client.session
    for number in range(3):
        session["number"] = number
        session.save()
        assert client.session["number"] == number


def test_lives_are_those_of_the_specification():
    assert (recalling.USER_S, recalling.SUBSCRIPTION_S) == (600, 300)
    assert (recalling.SESSION_S, recalling.DEVICE_S) == (120, 1800)


@redis
def test_nothing_that_opens_an_account_is_remembered(now):
    user = make_user(password=PASSWORD)
    made = make_key(user)
    signed_in(user)
    keys.recognise(made.secret, now=now)
    shared: Any = caches["shared"]
    redis_ = shared.place.client.get_client()
    kept = b"".join(redis_.get(name) for name in redis_.scan_iter("cache:shared:*"))

    assert user.email.encode() in kept
    for secret in (made.secret, user.password, PASSWORD, make_api_key().digest):
        assert secret.encode() not in kept
    assert lookups.find(f"user:{user.pk}")
