from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import ApiKey, Plan
from tests.factories import (
    PASSWORD,
    make_device,
    make_key,
    make_staff,
    make_subscription,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("first_plans")]


def program(secret: str, **facts: Any) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Api-Key {secret}", **facts)


def browser(user, **facts) -> Client:
    client = Client(**facts)
    client.post(
        "/api/auth/login",
        {"email": user.email, "password": PASSWORD},
        content_type="application/json",
    )
    return client


@pytest.fixture
def ann(db):
    return make_user(email="ann@example.com", password=PASSWORD)


def test_key_is_made_used_listed_and_revoked(ann):
    client = browser(ann)
    asked = {"name": "laptop", "scopes": ["markets:read", "accounts:read"],
             "allowed_networks": ["127.0.0.0/8"]}  # fmt: skip

    made = client.post("/api/auth/keys", asked, content_type="application/json")

    body = made.json()
    secret = body.pop("key")
    assert made.status_code == 201
    assert (body["name"], body["scopes"]) == ("laptop", ["accounts:read", "markets:read"])
    assert program(secret).get("/api/auth/me").status_code == 200
    listed = client.get("/api/auth/keys").json()
    assert (listed["next"], [row["id"] for row in listed["results"]]) == (None, [body["id"]])
    assert secret not in str(listed)
    assert client.delete(f"/api/auth/keys/{body['id']}").status_code == 204
    assert client.delete(f"/api/auth/keys/{body['id']}").status_code == 204
    assert program(secret).get("/api/auth/me").status_code == 401


def test_key_holds_from_its_networks_alone(ann):
    secret = make_key(ann, allowed_networks=["203.0.113.0/24"]).secret

    assert program(secret).get("/api/auth/me").status_code == 401
    assert program(secret, REMOTE_ADDR="203.0.113.9").get("/api/auth/me").status_code == 200


def test_strangers_key_is_not_found(ann):
    key = make_key().key

    answer = browser(ann).delete(f"/api/auth/keys/{key.pk}")

    key.refresh_from_db()
    assert (answer.status_code, answer.json()["code"], key.revoked_at) == (404, "not_found", None)


@pytest.mark.parametrize(
    "asked",
    [
        {"scopes": ["admin"]},
        {"scopes": ["nonsense"]},
        {"allowed_networks": ["nonsense"]},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"user": 1},
    ],
)
def test_key_that_may_not_be_is_refused(ann, asked):
    answer = browser(ann).post("/api/auth/keys", asked, content_type="application/json")

    assert answer.status_code == 422
    assert not ApiKey.objects.exists()


def test_key_makes_no_key_that_may_more(ann):
    client = program(make_key(ann, scopes=["accounts:write"]).secret)

    refused = client.post("/api/auth/keys", {"scopes": ["markets:read"]})
    same = client.post("/api/auth/keys", {})

    assert refused.status_code == 403
    assert (same.status_code, same.json()["scopes"]) == (201, ["accounts:write"])
    reader = program(make_key(ann, scopes=["accounts:read"]).secret)
    assert reader.post("/api/auth/keys", {}).status_code == 403
    assert reader.get("/api/auth/keys").status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_cost_the_same_for_any_number_of_rows(ann, rows, django_assert_num_queries):
    client = browser(ann)
    for _ in range(rows):
        make_key(ann)
        make_device(user=ann)
    client.get("/api/auth/keys")

    client.get("/api/auth/devices")
    known = 0 if settings.REDIS_URL else 1  # session and user together, unless remembered
    with django_assert_num_queries(known + 1):  # keys
        assert len(client.get("/api/auth/keys").json()["results"]) == rows
    with django_assert_num_queries(known + 3):  # devices, their sessions, keys
        client.get("/api/auth/devices")


def test_devices_are_sessions_and_keys(ann):
    make_device()
    here = browser(ann, HTTP_USER_AGENT="Firefox/130", REMOTE_ADDR="203.0.113.9")
    browser(ann, HTTP_USER_AGENT="Chrome/130")
    key = make_key(ann, name="laptop")
    program(key.secret, HTTP_USER_AGENT="curl/8").get("/api/auth/me")

    found = here.get("/api/auth/devices").json()["results"]

    assert [(row["kind"], row["agent"], row["address"], row["is_current"]) for row in found] == [
        ("key", "curl/8", "127.0.0.1", False),
        ("session", "Chrome/130", "127.0.0.1", False),
        ("session", "Firefox/130", "203.0.113.9", True),
    ]


def test_device_is_signed_out_at_once(ann):
    here, there = browser(ann), browser(ann)
    key = make_key(ann)
    rows = here.get("/api/auth/devices").json()["results"]
    other = next(row["id"] for row in rows if row["kind"] == "session" and not row["is_current"])

    assert here.delete(f"/api/auth/devices/{other}").status_code == 204
    assert here.delete(f"/api/auth/devices/k{key.key.pk}").status_code == 204

    assert there.get("/api/auth/me").status_code == 401
    assert program(key.secret).get("/api/auth/me").status_code == 401
    assert here.get("/api/auth/me").status_code == 200


def test_all_others_are_signed_out(ann):
    here, *others = [browser(ann) for _ in range(3)]

    assert here.post("/api/auth/devices/revoke-others", content_type="application/json").json() == {
        "revoked": 2
    }

    assert [client.get("/api/auth/me").status_code for client in (here, *others)] == [200, 401, 401]


@pytest.mark.parametrize("name", ["s{}", "k{}", "x1", "s", "sx", "s99999999999999999999"])
def test_strangers_device_is_not_found(ann, name):
    device, key = make_device(), make_key().key
    path = name.format(device.pk if name.startswith("s") else key.pk)

    assert browser(ann).delete(f"/api/auth/devices/{path}").status_code == 404


def test_plans_are_listed_for_whoever_is_known(ann, client):
    assert client.get("/api/plans").status_code == 401

    found = browser(ann).get("/api/plans").json()

    assert [row["name"] for row in found["results"]] == ["free", "pro"]
    assert found["results"][0]["api_per_minute"] == 60


def test_subscription_shows_the_plan_that_holds(ann):
    client = browser(ann)
    assert client.get("/api/auth/subscription").json()["plan"]["name"] == "free"
    now = timezone.now()
    ends_at = now + timedelta(days=1)
    make_subscription(user=ann, plan=Plan.objects.get(name="pro"), ends_at=ends_at)

    found = client.get("/api/auth/subscription").json()

    assert found["plan"]["name"] == "pro"
    assert found["ends_at"] == ends_at.isoformat().replace("+00:00", "Z")
    staff = browser(make_staff(password=PASSWORD))
    found = staff.get("/api/auth/subscription").json()
    assert (found["plan"]["name"], found["plan"]["is_unlimited"]) == ("staff", True)
    assert {use["limit"] for use in found["usage"]} == {None}
