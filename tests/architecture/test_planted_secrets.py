"""A secret of each kind is planted, and looked for wherever the product shows or writes anything."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import keys, summarising
from project.core import events, logs, processes, scrubbing
from project.core.choices import RunStatus
from project.core.models import RunEvent
from proxies import exporting, fetching
from proxies.exporting import Chosen
from proxies.models import Proxy
from tests.architecture.test_admin import SHOWN, changelist
from tests.factories import (
    PASSWORD,
    make_key,
    make_run,
    make_staff,
    make_user,
    make_webhook,
    make_webhook_delivery,
)
from tests.project.test_tracing import posted, spans
from tests.proxies.factories import make_proxy

__all__ = ["spans"]

pytestmark = pytest.mark.django_db
PROXY_PASSWORD = "planted-proxy-pw-7731"
WEBHOOK_SECRET = "whsec_planted-8842"
HEADER_SECRET = "planted-header-5512"
USERINFO = "planted-userinfo-4413"


@pytest.fixture
def planted() -> dict[str, str]:
    """Secrets that rest in the database, by what they are."""
    user = make_user(password=PASSWORD)
    make_proxy(username="u", password=PROXY_PASSWORD)
    webhook = make_webhook(user=user, secret=WEBHOOK_SECRET)
    make_webhook_delivery(webhook=webhook)
    session = Client()
    session.force_login(user)
    secret = keys.create(user, now=timezone.now()).secret
    Client(headers={"Authorization": f"Api-Key {secret}"}).get("/api/auth/me")
    return {
        "proxy password": PROXY_PASSWORD,
        "webhook secret": WEBHOOK_SECRET,
        "session": session.cookies["sessionid"].value,
        "api key": secret,
        "password": PASSWORD,
        "password's digest": user.password,
        "key's digest": keys.digest(secret),
    }


def found_in(text: str, planted: dict[str, str]) -> list[str]:
    return [name for name, secret in planted.items() if secret in text]


def test_planted_secrets_are_there_to_be_found(planted):
    """What follows proves something only if the secrets are in the database."""
    proxy = Proxy.objects.get()

    assert proxy.password == PROXY_PASSWORD
    assert all(planted.values())


def test_staff_pages_show_none(planted, admin_client):
    shown = []
    for model in SHOWN:
        addresses = [changelist(model)]
        info = model._meta.app_label, model._meta.model_name
        if row := model._default_manager.first():
            addresses.append(reverse("admin:{}_{}_change".format(*info), args=[row.pk]))
        for address in addresses:
            page = admin_client.get(address)
            shown += [(name, address) for name in found_in(page.content.decode(), planted)]

    assert admin.site._registry
    assert shown == []


@pytest.mark.parametrize("who", ["owner", "staff"])
def test_answers_show_none(planted, who):
    client = Client()
    client.force_login(make_staff() if who == "staff" else make_user())
    addresses = [
        "/",
        "/account",
        "/account/second-factor",
        "/metrics",
        "/health/ready",
        "/api/health",
        "/api/schema/",
        "/api/runs",
        "/api/proxies",
        f"/api/proxies/{Proxy.objects.get().pk}",
        "/api/auth/me",
        "/api/auth/keys",
        "/api/auth/devices",
        "/api/webhooks",
        "/api/plans",
    ]
    shown = []
    for address in addresses:
        answer = client.get(address)
        shown += [(name, address) for name in found_in(answer.content.decode(), planted)]

    assert shown == []


@pytest.fixture(params=["json", "console"])
def written(request: Any, settings: Any) -> Iterator[io.StringIO]:
    """What is logged, as the configured format writes it."""
    found = io.StringIO()
    before = logging.getLogger().handlers[:]
    with redirect_stderr(found):
        logs.configure({"format": request.param, "level": "DEBUG"})
        yield found
    logging.getLogger().handlers = before
    logs.configure(settings.LOGGING)


def test_logs_hold_none(written):
    log = logging.getLogger("planted")
    secret = "mr_planted0123456789"
    headers = {
        "Authorization": f"Api-Key {secret}",
        "Cookie": f"sessionid={HEADER_SECRET}; csrftoken=x",
        "X-Millrace-Signature": "t=1,v1=abc",
    }
    url = f"socks5://user:{USERINFO}@proxy.example:1080"

    log.warning("asked with %s at %s", f"Authorization: Api-Key {secret}", url)
    log.warning("asked", extra={"headers": headers, "url": url, "password": HEADER_SECRET})
    log.warning("asked", extra={"deep": [{"token": HEADER_SECRET, "authorization": HEADER_SECRET}]})
    try:
        int(f"{url} with Authorization: Bearer {HEADER_SECRET}")
    except ValueError:
        log.exception("failed")
    try:
        int(f"host=db user=u password={HEADER_SECRET} dbname=x")
    except ValueError as error:
        log.warning("gone: %s", error, extra={"why": repr(error)}, exc_info=True)

    text = written.getvalue()
    assert "asked" in text
    assert "ValueError" in text
    assert [one for one in (secret, HEADER_SECRET, USERINFO) if one in text] == []


def test_errors_and_events_of_runs_hold_none():
    run = make_run(status=RunStatus.RUNNING)
    message = scrubbing.text(
        f"socks5://user:{USERINFO}@proxy.example failed, Api-Key mr_planted123"
    )
    changes: dict[str, Any] = {
        "status": RunStatus.FAILED,
        "error_message": message,
        "claimed_until": None,
    }
    changes["ended_at"] = timezone.now()
    events.record(run, where={}, changes=changes, now=timezone.now())

    told = json.dumps(list(RunEvent.objects.filter(run=run).values_list("data", flat=True)))
    assert USERINFO not in told
    assert "mr_planted123" not in told


def test_problem_documents_hold_none():
    client = Client(headers={"Authorization": f"Api-Key {HEADER_SECRET}"})

    refused = client.get("/api/auth/me")
    wrong = Client().post(
        "/api/auth/login",
        {"email": "a@example.com", "password": HEADER_SECRET, "extra": HEADER_SECRET},
        content_type="application/json",
    )

    assert (refused.status_code, wrong.status_code) == (401, 422)
    for answer in (refused, wrong):
        assert HEADER_SECRET not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", exporting.FORMATS)
def test_exports_without_secrets_hold_none(planted, name):
    async def whole() -> bytes:
        return b"".join([part async for part in exporting.FORMATS[name][1](Chosen())])

    text = async_to_sync(whole)().decode()

    assert Proxy.objects.get().host in text
    assert found_in(text, planted) == []


def fails(*_: object, **__: object) -> None:
    raise RuntimeError(f"password={HEADER_SECRET} at socks5://u:{USERINFO}@proxy.example")


@pytest.mark.parametrize(
    ("method", "address", "accept"),
    [("post", "/api/proxies/fetch", "application/json"), ("get", "/account", "text/html")],
)
def test_pages_and_logs_of_errors_hold_none(written, monkeypatch, method, address, accept):
    monkeypatch.setattr(fetching, "submit", fails)
    monkeypatch.setattr(summarising, "at_user", fails)
    staff = make_staff()
    client = Client(raise_request_exception=False, headers={"Accept": accept})
    secret = make_key(staff, scopes=["admin"]).secret
    address = f"{address}?token={HEADER_SECRET}"
    if method == "post":
        named = {"Authorization": f"Api-Key {secret}"}
        answer = client.post(address, "{}", content_type="application/json", headers=named)
    else:
        client.force_login(staff)
        answer = client.get(address)

    log = written.getvalue()
    assert answer.status_code == 500
    assert "RuntimeError" in log
    for text in (answer.content.decode(), log):
        assert [one for one in (HEADER_SECRET, USERINFO, secret) if one in text] == []


@pytest.mark.django_db(transaction=True)
def test_spans_hold_none(spans, monkeypatch):
    monkeypatch.setattr(processes, "begin", lambda _: None)
    monkeypatch.setattr(fetching, "submit", fails)
    secret = make_key(make_staff(), scopes=["admin"]).secret

    posted("/api/proxies/fetch", {}, authorization=f"Api-Key {secret}", cookie=HEADER_SECRET)

    told = str(spans())
    assert "/api/proxies/fetch" in told
    assert [one for one in (secret, HEADER_SECRET, USERINFO, "geheim") if one in told] == []
