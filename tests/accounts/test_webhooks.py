from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import webhooks
from accounts.models import Webhook, WebhookDelivery
from tests.factories import make_key, make_user, make_webhook, make_webhook_delivery
from tests.project.rivals import rivals

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(user) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user).secret}")


def asked(**fields: Any) -> dict[str, Any]:
    return {"url": "https://93.184.216.34/in", "events": ["gap.repaired"], **fields}


def test_secret_is_shown_once_and_rests_encrypted(client, user):
    made = client.post("/api/webhooks", asked(description="mine"))

    assert made.status_code == 201
    secret = made.json()["secret"]
    assert Webhook.objects.get().secret == secret
    assert secret not in str(Webhook.objects.values("description", "url", "events"))
    shown = client.get("/api/webhooks").json()["results"]
    assert shown == [{key: value for key, value in made.json().items() if key != "secret"}]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"url": "http://127.0.0.1:8000/"}, "forbidden_address"),
        ({"url": "http://localhost/"}, "forbidden_address"),
        ({"url": "http://[::1]/"}, "forbidden_address"),
        ({"url": "http://169.254.169.254/latest"}, "forbidden_address"),
        ({"url": "http://2130706433/"}, "forbidden_address"),
        ({"url": "http://0x7f.1/"}, "forbidden_address"),
        ({"url": "http://[64:ff9b::7f00:1]/"}, "forbidden_address"),
        ({"url": "ftp://example.com/"}, "bad_webhook"),
        ({"url": "https://user:pw@example.com/"}, "bad_webhook"),
        ({"url": "http://[nonsense"}, "bad_webhook"),
        ({"url": "http://example.com:99999/"}, "bad_webhook"),
        ({"url": "nonsense"}, "bad_webhook"),
        ({"events": []}, "bad_webhook"),
        ({"events": ["no.such"]}, "bad_webhook"),
        ({"events": "gap.repaired"}, "invalid"),
        ({"secret": "mine"}, "unknown_field"),
    ],
)
def test_webhook_that_may_not_be_is_refused(client, fields, code):
    answer = client.post("/api/webhooks", asked(**fields))

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Webhook.objects.exists()


def test_name_without_an_address_is_taken_and_checked_later(client):
    assert client.post("/api/webhooks", asked(url="https://nowhere.invalid/")).status_code == 201


def test_webhook_is_changed_and_deleted(client, user):
    row = make_webhook(user=user)

    changed = client.patch(f"/api/webhooks/{row.pk}", {"is_on": False, "events": ["pool.low"]})
    refused = client.patch(f"/api/webhooks/{row.pk}", {"url": "http://10.0.0.1/"})

    assert (changed.json()["is_on"], changed.json()["events"]) == (False, ["pool.low"])
    assert refused.json()["code"] == "forbidden_address"
    assert client.delete(f"/api/webhooks/{row.pk}").status_code == 204
    assert client.delete(f"/api/webhooks/{row.pk}").status_code == 404


def test_replay_is_a_delivery_of_its_own_with_the_same_event(client, user):
    old = make_webhook_delivery(
        webhook=make_webhook(user=user), status="failed", next_try_at=None, attempts=8
    )

    answer = client.post(f"/api/webhooks/deliveries/{old.pk}/replay")
    log = client.get(f"/api/webhooks/{old.webhook_id}/deliveries").json()["results"]

    assert answer.status_code == 202
    assert answer.json()["replay_of"] == old.pk
    assert [(row["status"], row["event_id"]) for row in log] == [
        ("waiting", str(old.event_id)),
        ("failed", str(old.event_id)),
    ]


def test_staff_send_again_and_turn_off(admin_client):
    old = make_webhook_delivery(status="failed", next_try_at=None)

    for path, action, pk in (
        ("webhookdelivery", "replay", old.pk),
        ("webhook", "turn_off", old.webhook_id),
    ):
        page = f"/admin/accounts/{path}/"
        admin_client.get(page, {"action": action, "_selected_action": pk})
        admin_client.post(page, {"action": action, "_selected_action": pk})  # asks back
        assert WebhookDelivery.objects.count() == (1 if action == "replay" else 2)
        assert Webhook.objects.get().is_on
        agreed = {"action": action, "_selected_action": pk, "_agreed": "yes"}
        admin_client.post(page, agreed)

    assert WebhookDelivery.objects.filter(replay_of=old).count() == 1
    assert not Webhook.objects.get().is_on
    assert (
        "whsec_test"
        not in admin_client.get(
            f"/admin/accounts/webhook/{old.webhook_id}/change/"
        ).content.decode()
    )


@pytest.mark.django_db(transaction=True)
def test_rivals_register_no_more_than_the_most(monkeypatch):
    monkeypatch.setattr(webhooks, "MOST", 3)
    user = make_user()

    def one(_: int) -> bool:
        try:
            webhooks.create(user, **asked(), now=timezone.now())
        except webhooks.TooManyWebhooksError:
            return False
        return True

    assert sum(rivals(8, one)) == Webhook.objects.count() == 3
