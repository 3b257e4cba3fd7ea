import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import billing
from accounts.models import BillingEvent, Plan, Subscription
from project.core import signing
from project.core.models import AuditEntry
from project.core.moments import stamp
from tests.factories import make_key, make_plan, make_user
from tests.project.rivals import rivals

PATH = "/api/auth/subscription/webhook"
SECRET = "billing-secret"


@pytest.fixture(autouse=True)
def _configured(settings: Any) -> None:
    settings.BILLING_WEBHOOK_SECRETS = ["rotated-away-soon", SECRET]


@pytest.fixture
def pro(db: Any) -> Plan:
    return make_plan(name="gold", title="Gold", jobs_per_day=7)


def send(body: Any, *, secret: str = SECRET, at: Any = None, raw: bytes | None = None) -> Any:
    """Post an event as the billing system does."""
    text = raw if raw is not None else json.dumps(body).encode()
    header = signing.sign(text, secret=secret, at=at or timezone.now())
    headers = {"X-Millrace-Signature": header}
    return Client(headers=headers).post(PATH, text, content_type="application/json")


def event(email: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "evt_1",
        "email": email,
        "plan": "gold",
        "occurred_at": stamp(timezone.now()),
        **fields,
    }


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def test_event_changes_the_plan_at_once(user, pro):
    client = Client(headers={"Authorization": f"Api-Key {make_key(user).secret}"})
    before = client.get("/api/auth/subscription").json()["plan"]["name"]

    answer = send(event(user.email.upper()))

    assert (answer.status_code, answer.json()) == (200, {"id": "evt_1", "applied": True})
    assert before != "gold"
    found = client.get("/api/auth/subscription").json()
    assert (found["plan"]["name"], found["plan"]["jobs_per_day"]) == ("gold", 7)


def test_event_that_comes_again_changes_nothing(user, pro):
    body = event(user.email)
    assert send(body).json()["applied"]
    Subscription.objects.update(plan=make_plan())

    assert send(body).json() == {"id": "evt_1", "applied": False}

    assert Subscription.objects.get().plan != pro
    assert BillingEvent.objects.count() == 1


def test_id_with_another_content_is_refused(user, pro):
    send(event(user.email))

    assert code(send(event(user.email, plan=None))) == (409, "event_reused")
    assert Subscription.objects.get().plan == pro


def test_events_out_of_order_leave_the_latest(user, pro):
    now = timezone.now()
    send(event(user.email, id="late", occurred_at=stamp(now)))

    early = send(
        event(user.email, id="early", plan=None, occurred_at=stamp(now - timedelta(hours=1)))
    )

    assert early.json() == {"id": "early", "applied": False}
    assert Subscription.objects.get().plan == pro


def test_end_of_a_subscription_brings_the_default_plan_back(user, pro):
    send(event(user.email))

    assert send(event(user.email, id="evt_2", plan=None)).json()["applied"]

    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"email": "nobody@example.com"}, (422, "unknown_user")),
        ({"plan": "platinum"}, (422, "unknown_plan")),
        ({"ends_at": "2020-01-01T00:00:00Z"}, (422, "bad_period")),
        ({"plan": 5, "surprise": 1}, (422, "unknown_field")),
        ({"occurred_at": "yesterday"}, (422, "invalid")),
        ({"email": "a\x00b"}, (422, "invalid")),
    ],
)
def test_event_that_can_not_be_applied_is_refused_and_may_come_again(user, pro, change, expected):
    assert code(send({**event(user.email), **change})) == expected

    assert not BillingEvent.objects.exists()
    assert send(event(user.email)).json()["applied"]


def test_unsigned_old_and_foreign_events_are_refused(user, pro, settings):
    now = timezone.now()
    body = event(user.email)

    unsigned = Client().post(PATH, body, content_type="application/json")
    assert code(unsigned) == (403, "bad_signature")
    assert code(send(body, secret="guess")) == (403, "bad_signature")
    assert code(send(body, at=now - timedelta(minutes=6))) == (403, "stale_signature")
    settings.BILLING_WEBHOOK_SECRETS = []
    assert code(send(body)) == (403, "billing_closed")

    assert not Subscription.objects.exists()


def test_signature_is_looked_at_before_the_body(db):
    nonsense = Client().post(PATH, b"\xff{", content_type="application/json")

    assert code(nonsense) == (403, "bad_signature")
    assert code(send(None, raw=b"\xff{")) == (400, "malformed")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ids", [["evt"] * 6, [f"evt-{n}" for n in range(6)]])
def test_rivals_apply_an_event_once(now, ids):
    make_plan(name="gold")
    user = make_user()

    def one(number: int) -> bool:
        change = billing.Change(ids[number], user.email, "gold", now)
        return billing.apply(change, body=b"same", now=now)

    applied: list[bool] = rivals(6, one)

    assert sum(applied) == len(set(ids))
    assert Subscription.objects.count() == 1
    assert BillingEvent.objects.count() == len(set(ids))


def test_a_change_to_come_leaves_what_was_paid_for_until_then(user, pro):
    client = Client(headers={"Authorization": f"Api-Key {make_key(user).secret}"})
    later = make_plan(name="platinum", title="Platinum")
    starts_at = stamp((timezone.now() + timedelta(days=10)).replace(microsecond=0))

    send(event(user.email))
    answer = send(event(user.email, id="evt_2", plan="platinum", starts_at=starts_at))

    assert answer.json()["applied"] is True
    found = client.get("/api/auth/subscription").json()
    assert (found["plan"]["name"], found["started_at"]) == ("gold", None)
    assert found["ends_at"] == starts_at.replace(".000Z", "Z")
    assert found["next_plan"] == "platinum"
    assert Subscription.objects.get().plan == later


def test_what_billing_does_is_in_the_trail(user, pro):
    send(event(user.email))
    send(event(user.email, id="evt_2", plan=None))

    found = AuditEntry.objects.order_by("pk").values_list("object_id", "said", "changes", "channel")
    assert list(found) == [
        (
            str(user.pk),
            f"By billing event {name}.",
            [{"name": "Plan", "before": before, "after": after}],
            "api",
        )
        for name, before, after in (("evt_1", "", "Gold"), ("evt_2", "Gold", ""))
    ]
