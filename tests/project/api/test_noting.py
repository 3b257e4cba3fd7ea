"""What staff do over the API is in the trail; what is anybody's own is not."""

import pytest
from django.test import Client

from project.core.models import AuditEntry
from tests.factories import make_key, make_run, make_staff, make_user
from tests.markets.factories import make_collector_config, make_series
from tests.proxies.factories import make_proxy

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def ada():
    return make_staff(email="ada@example.org")


@pytest.fixture
def key(ada):
    return make_key(ada, scopes=["admin", "proxies:read", "markets:read"])


@pytest.fixture
def staff(key):
    return Client(headers={"Authorization": f"Api-Key {key.secret}", "X-Request-ID": "req-7"})


def trail():
    rows = AuditEntry.objects.order_by("pk")
    return [(row.model, row.object_id, row.said) for row in rows]


def test_a_strangers_run_canceled_by_staff_is_noted_with_where_it_came_from(staff, key, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    run = make_run(requested_by=make_user(), subject="theirs")

    staff.post(f"/api/runs/{run.pk}/cancel", {}, JSON, headers={"X-Forwarded-For": "203.0.113.9"})

    entry = AuditEntry.objects.get()
    assert (entry.model, entry.object_id, entry.object_name) == ("core.run", str(run.pk), str(run))
    assert (entry.said, entry.act, entry.changes) == ("Canceled.", "done", [])
    assert (entry.user_name, entry.channel, entry.request_id) == ("ada@example.org", "api", "req-7")
    assert (entry.address, entry.key_id) == ("203.0.113.9", key.key.pk)


def test_what_is_ones_own_or_refused_is_not_noted(staff, ada):
    own = make_run(requested_by=ada)
    ended = make_run(requested_by=make_user(), status="done")

    answers = [
        staff.post(f"/api/runs/{own.pk}/cancel", {}, JSON),
        staff.post(f"/api/runs/{ended.pk}/cancel", {}, JSON),
        staff.post("/api/collectors/999/run", {}, JSON),
        staff.post("/api/proxies/validate", {"unknown": 1}, JSON),
    ]

    assert [answer.status_code for answer in answers] == [202, 409, 404, 422]
    assert trail() == []


def test_a_users_deeds_are_not_staffs(db):
    user = make_user()
    run = make_run(requested_by=user)

    answer = Client(headers={"Authorization": f"Api-Key {make_key(user).secret}"}).post(
        f"/api/runs/{run.pk}/cancel", {}, JSON
    )

    assert answer.status_code == 202
    assert trail() == []


def test_what_was_asked_is_told_and_what_came_of_it(staff):
    market, collector = make_series(timeframe="1m").market, make_collector_config()
    make_proxy()
    body = {"timeframe": "1m"}

    checked = staff.post(f"/api/markets/{market.pk}/quality/check", body, JSON)
    ran = staff.post(f"/api/collectors/{collector.pk}/run", {}, JSON)
    validated = staff.post("/api/proxies/validate", {"limit": 5}, JSON)

    answers = (checked, ran, validated)
    assert [answer.status_code for answer in answers] == [202] * 3
    runs = [answer.json()["run_id"] for answer in answers]
    assert trail() == [
        ("markets.market", str(market.pk), f"Asked for a check of its quality, as run {runs[0]}."),
        ("markets.collectorconfig", str(collector.pk), f"Ran it, as run {runs[1]}."),
        ("", "", f"Asked for proxies to be checked, as run {runs[2]}."),
    ]
    assert [entry.changes for entry in AuditEntry.objects.order_by("pk")] == [
        [{"name": "Timeframe", "before": "", "after": "1m"}],
        [],
        [{"name": "Limit", "before": "", "after": "5"}],
    ]


def test_secrets_handed_out_are_noted_and_in_no_entry(staff):
    make_proxy(username="hans", password="geheim-7")

    for query in ("", "?secrets=true"):
        assert staff.get(f"/api/proxies/export{query}").status_code == 200
    staff.post("/api/proxies/import?dry_run=true", "1.2.3.4:80", "text/plain")
    staff.post("/api/proxies/import", "1.2.3.4:80:hans:geheim-8", "text/plain")

    told = [said.split(",")[0] for _, _, said in trail()]
    assert told == ["Exported the pool with its credentials.", "Imported proxies"]
    assert "geheim" not in str(list(AuditEntry.objects.values()))
