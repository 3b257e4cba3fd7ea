"""Who may do what (docs: the contract's table), for every address and every kind of caller."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.analysis.factories import make_analysis, make_batch, make_job, make_place
from tests.factories import (
    make_device,
    make_key,
    make_run,
    make_staff,
    make_user,
    make_webhook,
    make_webhook_delivery,
)
from tests.proxies.factories import make_lease

Kind = tuple[str, str, str, str, str, str]
#: In this order in each row of answers.
CALLERS: Final = ("nobody", "user", "poor key", "rich key", "staff", "staff key")
OK, NO, WHO = "allowed", "403", "401"
OPEN: Final[Kind] = (OK, OK, OK, OK, OK, OK)
KNOWN: Final[Kind] = (WHO, OK, OK, OK, OK, OK)
SCOPED: Final[Kind] = (WHO, OK, NO, OK, OK, OK)
STAFF: Final[Kind] = (WHO, NO, NO, NO, OK, OK)
COOKIE: Final[Kind] = (WHO, OK, NO, NO, OK, NO)
#: Whoever signs is let in, whoever they are.
UNSIGNED: Final[Kind] = (NO, NO, NO, NO, NO, NO)
#: Whoever isn't signed in is led to the sign-in page, also with a key: see the test of that.
PAGE: Final[Kind] = OPEN

#: (address, method): who may, and the scope that opens it.
TABLE: Final[dict[tuple[str, str], tuple[Kind, str]]] = {
    ("", "GET"): (OPEN, ""),
    ("health", "GET"): (OPEN, ""),
    ("health/live", "GET"): (OPEN, ""),
    ("health/ready", "GET"): (OPEN, ""),
    ("health/metrics", "GET"): (OPEN, ""),
    ("metrics", "GET"): (OPEN, ""),
    ("judge", "GET"): (OPEN, ""),
    ("judge", "POST"): (OPEN, ""),
    ("sign-in", "GET"): (OPEN, ""),
    ("sign-in", "POST"): (OPEN, ""),
    ("sign-out", "POST"): (OPEN, ""),
    ("register", "GET"): (OPEN, ""),
    ("register", "POST"): (OPEN, ""),
    ("password/reset", "GET"): (OPEN, ""),
    ("password/reset", "POST"): (OPEN, ""),
    ("password/reset/<str:token>", "GET"): (OPEN, ""),
    ("password/reset/<str:token>", "POST"): (OPEN, ""),
    ("account", "GET"): (PAGE, ""),
    ("account", "POST"): (PAGE, ""),
    ("account/keys/<int:key_id>/revoke", "POST"): (PAGE, ""),
    ("account/devices/<int:device_id>/revoke", "POST"): (PAGE, ""),
    ("account/devices/revoke-others", "POST"): (PAGE, ""),
    ("account/second-factor", "GET"): (PAGE, ""),
    ("account/second-factor", "POST"): (PAGE, ""),
    ("account/password", "GET"): (PAGE, ""),
    ("account/password", "POST"): (PAGE, ""),
    ("videos", "GET"): (PAGE, ""),
    ("videos/jobs/<uuid:job_id>", "GET"): (PAGE, ""),
    ("videos/jobs/<uuid:job_id>/transcript", "GET"): (PAGE, ""),
    ("api/schema/", "GET"): (OPEN, ""),
    ("api/docs/", "GET"): (OPEN, ""),
    ("api/schema", "GET"): (OPEN, ""),
    ("api/docs", "GET"): (OPEN, ""),
    ("api/health", "GET"): (OPEN, ""),
    ("api/runs", "GET"): (KNOWN, ""),
    ("api/runs/<uuid:run_id>", "GET"): (KNOWN, ""),
    ("api/runs/<uuid:run_id>/cancel", "POST"): (KNOWN, ""),
    ("api/runs/<uuid:run_id>/retry", "POST"): (KNOWN, ""),
    ("api/system/tasks", "GET"): (STAFF, ""),
    ("api/auth/register", "POST"): (OPEN, ""),
    ("api/auth/login", "POST"): (OPEN, ""),
    ("api/auth/logout", "POST"): (KNOWN, ""),
    ("api/auth/me", "GET"): (SCOPED, "accounts:read"),
    ("api/auth/csrf", "GET"): (OPEN, ""),
    ("api/auth/password/change", "POST"): (COOKIE, "accounts:write"),
    ("api/auth/password/reset", "POST"): (OPEN, ""),
    ("api/auth/keys", "GET"): (SCOPED, "accounts:read"),
    ("api/auth/keys", "POST"): (SCOPED, "accounts:write"),
    ("api/auth/keys/<int:key_id>", "DELETE"): (SCOPED, "accounts:write"),
    ("api/auth/devices", "GET"): (SCOPED, "accounts:read"),
    ("api/auth/devices/revoke-others", "POST"): (SCOPED, "accounts:write"),
    ("api/auth/devices/<str:device_id>", "DELETE"): (SCOPED, "accounts:write"),
    ("api/auth/subscription", "GET"): (SCOPED, "accounts:read"),
    ("api/auth/subscription/webhook", "POST"): (UNSIGNED, ""),
    ("api/webhooks", "GET"): (SCOPED, "accounts:read"),
    ("api/webhooks", "POST"): (SCOPED, "accounts:write"),
    ("api/webhooks/<int:webhook_id>", "PATCH"): (SCOPED, "accounts:write"),
    ("api/webhooks/<int:webhook_id>", "DELETE"): (SCOPED, "accounts:write"),
    ("api/webhooks/<int:webhook_id>/deliveries", "GET"): (SCOPED, "accounts:read"),
    ("api/webhooks/deliveries/<int:delivery_id>/replay", "POST"): (SCOPED, "accounts:write"),
    ("api/config/features", "GET"): (KNOWN, ""),
    ("api/plans", "GET"): (KNOWN, ""),
    ("api/proxies", "GET"): (SCOPED, "proxies:read"),
    ("api/proxies/stats", "GET"): (SCOPED, "proxies:read"),
    ("api/proxies/fetch", "POST"): (STAFF, ""),
    ("api/proxies/validate", "POST"): (STAFF, ""),
    ("api/proxies/import", "POST"): (STAFF, ""),
    ("api/proxies/export", "GET"): (SCOPED, "proxies:read"),
    ("api/proxies/leases", "GET"): (SCOPED, "proxies:read"),
    ("api/proxies/leases", "POST"): (SCOPED, "proxies:write"),
    ("api/proxies/leases/<int:lease_id>/renew", "POST"): (SCOPED, "proxies:write"),
    ("api/proxies/leases/<int:lease_id>/release", "POST"): (SCOPED, "proxies:write"),
    ("api/proxies/<int:proxy_id>", "GET"): (SCOPED, "proxies:read"),
    ("api/proxies/<int:proxy_id>/explanation", "GET"): (SCOPED, "proxies:read"),
    ("api/proxies/leases/<int:lease_id>/explanation", "GET"): (SCOPED, "proxies:read"),
    ("api/etl/", "GET"): (OPEN, ""),
    ("api/etl/health", "GET"): (OPEN, ""),
    ("api/etl/snapshots", "POST"): (STAFF, ""),
    ("api/exchanges", "GET"): (SCOPED, "markets:read"),
    ("api/markets", "GET"): (SCOPED, "markets:read"),
    ("api/markets/<int:market_id>/candles", "GET"): (SCOPED, "markets:read"),
    ("api/markets/<int:market_id>/gaps", "GET"): (SCOPED, "markets:read"),
    ("api/markets/<int:market_id>/quality", "GET"): (SCOPED, "markets:read"),
    ("api/markets/<int:market_id>/quality/check", "POST"): (STAFF, ""),
    ("api/markets/<int:market_id>/backfill", "POST"): (STAFF, ""),
    ("api/quality/report", "GET"): (SCOPED, "markets:read"),
    ("api/errors", "GET"): (STAFF, ""),
    ("api/backfill-tasks", "GET"): (STAFF, ""),
    ("api/backfill-tasks/<int:task_id>/retry", "POST"): (STAFF, ""),
    ("api/collectors", "GET"): (STAFF, ""),
    ("api/collectors/<int:collector_id>/run", "POST"): (STAFF, ""),
    ("api/videos/analyze", "POST"): (SCOPED, "analysis:write"),
    ("api/videos/analyze/batch", "POST"): (SCOPED, "analysis:write"),
    ("api/videos/<str:video_id>/locations", "GET"): (SCOPED, "analysis:read"),
    ("api/videos/<str:video_id>/locations/<int:n>", "PATCH"): (SCOPED, "analysis:write"),
    ("api/videos/<str:video_id>/failures", "GET"): (SCOPED, "analysis:read"),
    ("api/videos/<str:video_id>/geocode/retry", "POST"): (SCOPED, "analysis:write"),
    ("api/jobs", "GET"): (SCOPED, "analysis:read"),
    ("api/jobs/<uuid:job_id>", "GET"): (SCOPED, "analysis:read"),
    ("api/jobs/<uuid:job_id>/cancel", "POST"): (SCOPED, "analysis:write"),
    ("api/jobs/<uuid:job_id>/retry", "POST"): (SCOPED, "analysis:write"),
    ("api/batches/<uuid:batch_id>", "GET"): (SCOPED, "analysis:read"),
    ("api/batches/<uuid:batch_id>/cancel", "POST"): (SCOPED, "analysis:write"),
    ("api/strategies", "GET"): (SCOPED, "analysis:read"),
}
SCOPES: Final = frozenset(
    f"{app}:{verb}"
    for app in ("proxies", "markets", "analysis", "accounts")
    for verb in ("read", "write")
)
#: Where a body decides whether the view comes to look at who asks.
BODIES: Final = {"api/auth/password/change": {"current_password": "x", "new_password": "y"}}
VALUES: Final = {
    "<uuid:run_id>": "5f8b0b8e-0000-4000-8000-000000000000",
    "<str:device_id>": "s999999",
    "<str:token>": "token",
    "<str:video_id>": "nobody",
    "<uuid:job_id>": "5f8b0b8e-0000-4000-8000-000000000000",
    "<uuid:batch_id>": "5f8b0b8e-0000-4000-8000-000000000000",
}


def routes() -> dict[str, Any]:
    """Return every address of ours with its view; the admin's are its own."""
    return dict(_below(get_resolver()))


def _below(resolver: URLResolver, before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for entry in resolver.url_patterns:
        address = f"{before}{entry.pattern}"
        if isinstance(entry, URLPattern):
            found.append((address, entry.callback))
        elif address != "admin/":
            found += _below(entry, address)
    return [one for one in found if one[0] != "admin"]


def test_every_address_and_method_has_its_row() -> None:
    missing = []
    for address, view in routes().items():
        shape = getattr(view, "cls", None) or getattr(view, "view_class", None)
        rows = {method for path, method in TABLE if path == address}
        methods = {
            name.upper()
            for name in ("get", "post", "put", "patch", "delete")
            if hasattr(shape, name)
        }
        if not rows or methods - rows:
            missing.append((address, sorted(methods - rows)))

    assert missing == []
    assert {address for address, _ in TABLE} - set(routes()) == set()


@pytest.fixture
def client_of(db: None) -> Callable[[str, str], Client]:
    """Return what makes a caller's client, given who it is and which scope opens the address."""

    def make(who: str, scope: str) -> Client:
        if who == "nobody":
            return _client()
        if who in ("user", "staff"):
            client = _client()
            client.force_login(make_user() if who == "user" else make_staff())
            return client
        if who == "staff key":
            return _client(make_key(make_staff(), scopes=["admin"]).secret)
        scopes = [scope or "analysis:read"] if who == "rich key" else sorted(SCOPES - {scope})
        return _client(make_key(scopes=scopes).secret)

    return make


def _client(secret: str = "") -> Client:
    headers = {"Authorization": f"Api-Key {secret}"} if secret else {}
    return Client(headers=headers, raise_request_exception=False)


def class_of(status: int) -> str:
    """Return the class of an answer; that nothing is free is no refusal."""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return str(status)
    is_bug = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE
    return f"bug {status}" if is_bug else OK


@pytest.mark.parametrize(("address", "method"), list(TABLE))
def test_callers_may_what_the_table_says(
    address: str, method: str, client_of: Callable[[str, str], Client]
) -> None:
    expected, scope = TABLE[address, method]
    answers = []
    for who in CALLERS:
        client = client_of(who, scope)
        if address == "api/auth/login":  # 401 there says that the password is wrong
            make_user(email=f"{CALLERS.index(who)}@example.com", password="swamp-lantern-42")
            body = {"email": f"{CALLERS.index(who)}@example.com", "password": "swamp-lantern-42"}
        else:
            body = BODIES.get(address, {})
        answer = client.generic(method, f"/{_filled(address)}", _json(body), "application/json")
        answers.append(class_of(answer.status_code))

    assert dict(zip(CALLERS, answers, strict=True)) == dict(zip(CALLERS, expected, strict=True))


def _json(body: dict[str, str]) -> bytes:
    return json.dumps(body).encode()


def _filled(address: str) -> str:
    parts = [
        VALUES.get(part, "999999" if part.startswith("<int:") else part)
        for part in address.split("/")
    ]
    return "/".join(parts)


@pytest.mark.parametrize(
    "address", [address for address, _ in TABLE if address.startswith("account")]
)
@pytest.mark.parametrize("who", ["nobody", "rich key", "staff key"])
def test_account_pages_lead_to_the_sign_in(
    address: str, who: str, client_of: Callable[[str, str], Client]
) -> None:
    answer = client_of(who, "accounts:write").post(f"/{_filled(address)}")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in?next=/account")


@pytest.mark.django_db
def test_strangers_objects_are_not_there() -> None:
    """What is somebody else's answers as what isn't there at all."""
    owner = make_user()
    lease, run, key, device = (
        make_lease(requested_by=owner),
        make_run(requested_by=owner),
        make_key(owner).key,
        make_device(user=owner),
    )
    analysis = make_analysis(outcome="partial")
    make_place(analysis=analysis, n=1)
    job, batch = make_job(analysis=analysis, owner=owner), make_batch(owner=owner)
    video_id = analysis.video.video_id
    delivery = make_webhook_delivery(webhook=make_webhook(user=owner))
    told = {"token": str(lease.token), "outcome": "ok"}
    asked: list[tuple[str, str, dict[str, str]]] = [
        ("GET", f"/api/runs/{run.pk}", {}),
        ("POST", f"/api/runs/{run.pk}/cancel", {}),
        ("POST", f"/api/runs/{run.pk}/retry", {}),
        ("POST", f"/api/proxies/leases/{lease.pk}/renew", {"token": str(lease.token)}),
        ("POST", f"/api/proxies/leases/{lease.pk}/release", told),
        ("GET", f"/api/jobs/{job.pk}", {}),
        ("POST", f"/api/jobs/{job.pk}/cancel", {}),
        ("GET", f"/api/batches/{batch.pk}", {}),
        ("GET", f"/api/videos/{video_id}/locations", {}),
        ("GET", f"/api/videos/{video_id}/failures", {}),
        ("POST", f"/api/videos/{video_id}/geocode/retry", {}),
        ("PATCH", f"/api/videos/{video_id}/locations/1", {"location": "x"}),
        ("GET", f"/api/webhooks/{delivery.webhook_id}/deliveries", {}),
        ("POST", f"/api/webhooks/deliveries/{delivery.pk}/replay", {}),
        ("PATCH", f"/api/webhooks/{delivery.webhook_id}", {}),
        ("DELETE", f"/api/auth/keys/{key.pk}", {}),
        ("DELETE", f"/api/auth/devices/s{device.pk}", {}),
        ("DELETE", f"/api/auth/devices/k{key.pk}", {}),
    ]
    owners, strangers = _client(make_key(owner).secret), _client(make_key().secret)

    def ask(client: Client) -> list[int]:
        return [
            client.generic(method, path, _json(body), "application/json").status_code
            for method, path, body in asked
        ]

    assert ask(strangers) == [404] * len(asked)
    assert 404 not in ask(owners)[:15]
