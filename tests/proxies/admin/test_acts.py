from datetime import timedelta
from typing import Any

import pytest

from project.core.callers import SYSTEM
from project.core.models import AuditEntry, Run
from proxies import lending
from proxies.lending import Ask
from proxies.models import Lease, Proxy, TargetState
from tests.proxies.admin.pages import act, page
from tests.proxies.factories import (
    NOW,
    make_lease,
    make_proxy,
    make_proxy_source,
    make_target_state,
)

pytestmark = pytest.mark.django_db


def test_actions_ask_for_runs(admin_client):
    source, proxy = make_proxy_source(), make_proxy()

    act(admin_client, "proxysource", "fetch_now", [source])
    act(admin_client, "proxy", "check_now", [proxy])
    again = act(admin_client, "proxy", "check_now", [proxy])

    asked = Run.objects.order_by("kind").values_list("kind", "payload")
    assert list(asked) == [
        ("proxies.fetch", {"sources": [source.pk]}),
        ("proxies.validate", {"ids": [proxy.pk], "limit": 2000, "asked": True}),
    ]
    assert "A validation is running" in again.content.decode()


def test_actions_take_out_let_in_lift_and_end(admin_client):
    proxy = make_proxy()
    ban = make_target_state(
        proxy=proxy, blocked_until=NOW + timedelta(days=1), blocked_for="blocked"
    )
    granted = lending.acquire(Ask(holder="tests"), by=SYSTEM, now=NOW)

    act(admin_client, "lease", "end", [Lease.objects.get(pk=granted.id)])
    assert Lease.objects.get().state == "revoked"
    act(admin_client, "targetstate", "lift", [ban])
    assert TargetState.objects.get().blocked_until is None
    act(admin_client, "proxy", "take_out", [proxy])
    assert Proxy.objects.get().state == "blocked"
    act(admin_client, "proxy", "let_in", [proxy])
    assert Proxy.objects.get().state == "failing"


def test_actions_move_ban_and_retire(admin_client):
    rows = [make_proxy(pool="cold"), make_proxy(pool="cold"), make_proxy(state="failing")]

    act(admin_client, "proxy", "move", rows, pool="hot")
    assert sorted(Proxy.objects.values_list("pool", flat=True)) == ["", "hot", "hot"]
    act(admin_client, "proxy", "ban", rows[:1], target="api.binance.com", hours="2")
    banned = TargetState.objects.get()
    assert (banned.target, banned.proxy_id, banned.blocked_for) == (
        "binance.com",
        rows[0].pk,
        "blocked",
    )
    act(admin_client, "proxy", "retire", rows[:2])
    assert Proxy.objects.filter(state="retired").count() == 2
    said = AuditEntry.objects.values_list("said", flat=True)
    assert {"Moved 2 to hot.", "Banned 1 at api.binance.com.", "Retired 2."} <= set(said)


@pytest.mark.parametrize(
    ("model", "action"),
    [("proxy", name) for name in ("check_now", "move", "ban", "retire", "take_out", "let_in")]
    + [("lease", "end"), ("targetstate", "lift"), ("proxysource", "fetch_now")],
)
def test_every_action_asks_back_and_changes_nothing_until_then(admin_client, model, action):
    rows = {
        "proxy": make_proxy,
        "lease": make_lease,
        "targetstate": make_target_state,
        "proxysource": make_proxy_source,
    }
    row: Any = rows[model]()
    before = list(type(row).objects.values())

    chosen = {"action": action, "_selected_action": [row.pk]}
    answer = admin_client.post(page(f"{model}_changelist"), chosen)

    text = answer.content.decode()
    assert (answer.status_code, answer.template_name) == (200, "admin/core/ask_back.html")
    assert f'name="_selected_action" value="{row.pk}"' in text
    assert "of 1 chosen" in text
    assert list(type(row).objects.values()) == before
    assert not Run.objects.exists()
    assert not TargetState.objects.exclude(pk=getattr(row, "pk", 0)).exists() or model != "proxy"


def test_an_action_tells_how_many_of_the_chosen_would_change(admin_client):
    rows = [make_proxy(), make_proxy(), make_proxy(state="blocked")]

    chosen = {"action": "take_out", "_selected_action": [row.pk for row in rows]}
    answer = admin_client.post(page("proxy_changelist"), chosen)

    assert (answer.context_data["changing"], answer.context_data["chosen"]) == (2, 3)


def test_a_ban_without_sense_is_asked_again_or_told(admin_client):
    proxy = make_proxy()

    asked = act(admin_client, "proxy", "ban", [proxy], target="", hours="2")
    told = act(admin_client, "proxy", "ban", [proxy], target="localhost", hours="2")

    assert "would change" in asked.content.decode()
    assert "This is no site" in told.content.decode()
    assert not TargetState.objects.exists()
