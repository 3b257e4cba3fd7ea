import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from proxies.models import Lease, LeaseSlot
from tests.factories import make_user
from tests.proxies.conftest import client_of
from tests.proxies.factories import make_lease, make_proxy

URL = "/api/proxies/leases"
pytestmark = pytest.mark.django_db


def borrow(client, **body):
    return client.post(URL, body)


def test_acquire_lends_a_proxy_with_its_credentials(api):
    proxy = make_proxy(username="hans", password="ge@heim", exit_ip="203.0.113.9", country="DE")

    answer = borrow(api, target="api.binance.com", ttl=60, request_id="r", protocol="http")

    lease = Lease.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": lease.pk,
        "token": str(lease.token),
        "proxy_url": f"http://hans:ge%40heim@{proxy.host}:8080",
        "proxy": {
            "id": proxy.pk,
            "scheme": "http",
            "host": proxy.host,
            "port": 8080,
            "country": "DE",
            "exit_ip": "203.0.113.9",
        },
        "expires_at": answer.json()["expires_at"],
        "reused": False,
    }
    assert answer.json()["expires_at"].endswith("Z")
    assert lease.expires_at - lease.acquired_at == timedelta(seconds=60)


def test_acquire_again_with_the_same_request_id_answers_200(api):
    make_proxy()
    first = borrow(api, request_id="r").json()

    answer = borrow(api, request_id="r")

    assert (answer.status_code, answer.json()) == (200, {**first, "reused": True})


def test_acquire_with_nothing_free_says_when_to_come_back(api):
    answer = borrow(api)

    assert (answer.status_code, answer.json()["code"]) == (503, "no_proxy_available")
    assert answer["Content-Type"] == "application/problem+json"
    assert int(answer["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"colour": "red"}, "unknown_field"),
        ({"pool": "lukewarm"}, "invalid"),
        ({"protocol": "gopher"}, "invalid"),
        ({"ttl": 0}, "invalid"),
        ({"ttl": 1e9}, "invalid"),
        ({"ttl": True}, "invalid"),
        ({"min_score": True}, "invalid"),
        ({"country": "Germany"}, "invalid"),
        ({"min_score": 101}, "invalid"),
    ],
)
def test_acquire_refuses_what_makes_no_sense(api, body, code):
    make_proxy()

    answer = borrow(api, **body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["field"] == next(iter(body))
    assert not Lease.objects.exists()


def test_without_a_key_nothing_is_lent():
    make_proxy()

    assert borrow(APIClient()).status_code == 401
    assert not Lease.objects.exists()


def test_a_key_that_may_only_read_gets_no_proxy(user):
    make_proxy()
    reader = client_of(user, scopes=["proxies:read"])

    assert borrow(reader).status_code == 403
    assert reader.get(URL).status_code == 200
    assert client_of(user, scopes=["markets:write"]).get(URL).status_code == 403


def lent(api, **body):
    make_proxy()
    found = borrow(api, **body).json()
    return f"{URL}/{found['id']}", found["token"]


def test_renew_moves_the_end(api):
    url, token = lent(api, ttl=10)

    answer = api.post(f"{url}/renew", {"token": token, "ttl": 100})

    assert answer.status_code == 200
    left = Lease.objects.get().expires_at - timezone.now()
    assert timedelta(seconds=90) < left <= timedelta(seconds=100)
    assert set(answer.json()) == {"id", "token", "proxy_url", "proxy", "expires_at", "reused"}


@pytest.mark.parametrize("deed", ["renew", "release"])
def test_another_token_is_stale(api, deed):
    url, _ = lent(api)
    extra = {"outcome": "ok"} if deed == "release" else {}

    answer = api.post(f"{url}/{deed}", {"token": str(uuid.uuid4()), **extra})

    assert (answer.status_code, answer.json()["code"]) == (409, "stale_token")


@pytest.mark.parametrize("deed", ["renew", "release"])
def test_a_stranger_finds_no_lease(api, stranger_api, deed):
    url, token = lent(api)
    extra = {"outcome": "ok"} if deed == "release" else {}

    answer = stranger_api.post(f"{url}/{deed}", {"token": token, **extra})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert Lease.objects.get().state == "active"


def test_renew_after_the_end_is_stale(api):
    url, token = lent(api)
    past = timezone.now() - timedelta(seconds=1)
    LeaseSlot.objects.update(held_until=past)

    answer = api.post(f"{url}/renew", {"token": token})

    assert (answer.status_code, answer.json()["code"]) == (409, "stale_token")


def test_release_records_what_came_of_it(api):
    url, token = lent(api, target="binance.com")
    told = {"outcome": "rate_limited", "status_code": 429, "latency_ms": 12.5, "bytes": 7}

    answer = api.post(f"{url}/release", {"token": token, **told})

    lease = Lease.objects.get()
    assert (answer.status_code, answer.json()["late"]) == (200, False)
    assert set(answer.json()) == {"released_at", "late"}
    assert (lease.outcome, lease.status_code) == ("rate_limited", 429)
    assert (lease.latency_ms, lease.size_bytes) == (12.5, 7)
    assert LeaseSlot.objects.get().token is None


def test_release_again_answers_the_same(api):
    url, token = lent(api)
    first = api.post(f"{url}/release", {"token": token, "outcome": "ok"}).json()

    answer = api.post(f"{url}/release", {"token": token, "outcome": "blocked"})

    assert (answer.status_code, answer.json()) == (200, first)


def test_release_after_the_end_is_late(api):
    url, token = lent(api)
    past = timezone.now() - timedelta(seconds=1)
    Lease.objects.update(acquired_at=past - timedelta(seconds=9), expires_at=past)

    answer = api.post(f"{url}/release", {"token": token, "outcome": "ok"})

    assert (answer.status_code, answer.json()["late"]) == (200, True)


@pytest.mark.parametrize(
    ("body", "field"),
    [({"outcome": "fine"}, "outcome"), ({}, "outcome"), ({"outcome": "ok", "x": 1}, "x")],
)
def test_release_refuses_what_makes_no_sense(api, body, field):
    url, token = lent(api)

    answer = api.post(f"{url}/release", {"token": token, **body})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_a_user_sees_own_leases_and_staff_all_without_secrets(api, stranger_api, staff_api):
    make_proxy(username="hans", password="geheim")
    token = borrow(api, target="api.binance.com").json()["token"]

    mine, others, all_ = (c.get(URL) for c in (api, stranger_api, staff_api))

    assert [len(found.json()["results"]) for found in (mine, others, all_)] == [1, 0, 1]
    item = mine.json()["results"][0]
    assert (item["target"], item["state"], item["outcome"]) == ("binance.com", "active", None)
    assert token not in mine.content.decode()
    assert "geheim" not in all_.content.decode()


def test_active_narrows_the_list_to_leases_that_stand(api, user):
    now = timezone.now()
    standing = make_lease(requested_by=user, acquired_at=now, expires_at=now + timedelta(minutes=1))
    over = make_lease(requested_by=user)

    active = api.get(URL, {"active": "true"}).json()["results"]
    ended = api.get(URL, {"active": "false"}).json()["results"]
    both = api.get(URL).json()["results"]

    assert [each["id"] for each in active] == [standing.pk]
    assert [each["id"] for each in ended] == [over.pk]
    assert len(both) == 2


def test_a_list_costs_the_same_queries_for_one_and_for_three(
    api, user, django_assert_max_num_queries
):
    make_lease(requested_by=user)
    api.get(URL)
    with django_assert_max_num_queries(3) as few:
        api.get(URL)
    make_lease(requested_by=user)
    make_lease(requested_by=make_user())
    make_lease(requested_by=user)
    with django_assert_max_num_queries(len(few)):
        api.get(URL)


def test_pages_go_on_where_they_left_off(api, user):
    made = [make_lease(requested_by=user).pk for _ in range(3)]

    first = api.get(URL, {"limit": 2}).json()
    second = api.get(first["next"]).json()

    found = [each["id"] for each in first["results"] + second["results"]]
    assert found == made[::-1]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("active", "count"), [("true", 1), ("1", 1), ("false", 2), ("0", 2), ("", 3)]
)
def test_active_may_be_said_as_usual(api, user, active, count):
    now = timezone.now()
    make_lease(requested_by=user, acquired_at=now, expires_at=now + timedelta(hours=1))
    for _ in range(2):
        make_lease(requested_by=user, state="released", ended_at=now)

    assert len(api.get(URL, {"active": active}).json()["results"]) == count


def test_active_that_is_no_truth_is_refused(api):
    answer = api.get(URL, {"active": "maybe"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "active")


def test_a_lease_tells_its_holder_why_it_got_this_proxy(api, stranger_api, staff_api):
    proxy = make_proxy(score=61.0, password="geheim")
    lease = borrow(api, target="api.binance.com").json()
    url = f"{URL}/{lease['id']}/explanation"

    answer = api.get(url)

    assert answer.json() == {
        "lease_id": lease["id"],
        "proxy_id": proxy.pk,
        "pool": "warm",
        "target": "binance.com",
        "recorded": True,
        "score": 61.0,
        "rested_seconds": None,
        "away_seconds": None,
        "text": "Free in pool Warm, score 61; never lent before, for binance.com never lent "
        "before. Of those longest rested, the one longest away from the target is lent.",
    }
    assert staff_api.get(url).json() == answer.json()
    assert stranger_api.get(url).json()["code"] == "not_found"
