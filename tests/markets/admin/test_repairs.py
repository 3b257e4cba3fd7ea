"""Staff pages of gaps and backfill tasks."""

import pytest
from django.urls import reverse

from markets.models import BackfillTask, Gap
from tests.markets.factories import MINUTE, NOW, START_MS, make_backfill_task, make_gap, make_series

pytestmark = pytest.mark.django_db
AGREED = {"_agreed": "yes"}
SENT = {"_form_submitted": "True"}


def test_chosen_gaps_are_backfilled_due_or_not(admin_client):
    series = make_series()
    chosen = make_gap(series, next_look_at=NOW.replace(year=2100))
    make_gap(series, START_MS + 5 * MINUTE, START_MS + 6 * MINUTE)
    url = reverse("admin:markets_gap_changelist")

    admin_client.post(url, {"action": "backfill_chosen", "_selected_action": [chosen.pk], **AGREED})

    task = BackfillTask.objects.get()
    assert (task.start_ms, task.run_id is not None) == (chosen.start_ms, True)


@pytest.mark.parametrize("deed", ["backfill", "mark"])
def test_a_deed_by_get_changes_nothing(admin_client, deed):
    gap = make_gap()

    admin_client.get(reverse(f"admin:markets_gap_{deed}", args=[gap.pk]))

    assert Gap.objects.get().state == "open"
    assert not BackfillTask.objects.exists()


def test_a_gap_is_settled_with_a_note(admin_client):
    gap = make_gap()
    address = reverse("admin:markets_gap_mark", args=[gap.pk])

    admin_client.post(address, {**SENT, "note": "exchange was hacked"})

    gap.refresh_from_db()
    assert (gap.state, gap.reason) == ("unavailable", "marked_by_staff")
    assert gap.evidence[-1]["note"] == "exchange was hacked"
    assert gap.evidence[-1]["by"].startswith("admin")


def test_chosen_gaps_are_settled(admin_client):
    gaps = [make_gap() for _ in range(2)]
    url = reverse("admin:markets_gap_changelist")

    said = {"action": "mark_chosen", "_selected_action": [g.pk for g in gaps], **AGREED}
    admin_client.post(url, said)  # without a note it isn't done
    assert set(Gap.objects.values_list("state", flat=True)) == {"open"}
    admin_client.post(url, {**said, "reason": "calendar", "note": "a holiday"})

    assert set(Gap.objects.values_list("state", "reason")) == {("unavailable", "calendar")}
    assert {gap.evidence[-1]["note"] for gap in Gap.objects.all()} == {"a holiday"}


def test_a_gap_is_backfilled_from_its_page(admin_client):
    gap = make_gap()

    admin_client.post(reverse("admin:markets_gap_backfill", args=[gap.pk]), SENT)

    assert Gap.objects.get().state == "filling"


def test_failed_tasks_are_tried_again(admin_client):
    failed = make_backfill_task(status="failed", ended_at=NOW)
    other = make_backfill_task(status="failed", ended_at=NOW)
    url = reverse("admin:markets_backfilltask_changelist")

    admin_client.get(reverse("admin:markets_backfilltask_retry", args=[failed.pk]))
    assert BackfillTask.objects.filter(status="failed").count() == 2
    admin_client.post(reverse("admin:markets_backfilltask_retry", args=[failed.pk]), SENT)
    admin_client.post(url, {"action": "retry_chosen", "_selected_action": [other.pk], **AGREED})

    assert set(BackfillTask.objects.values_list("status", flat=True)) == {"pending"}


def test_all_failed_tasks_are_tried_again_but_canceled_ones(admin_client):
    failed = make_backfill_task(status="failed", error_type="network", ended_at=NOW)
    canceled = make_backfill_task(status="failed", error_type="canceled", ended_at=NOW)
    address = reverse("admin:markets_backfilltask_retry_failed")

    admin_client.get(address)
    assert BackfillTask.objects.filter(status="failed").count() == 2
    admin_client.post(address, SENT)

    failed.refresh_from_db()
    canceled.refresh_from_db()
    assert (failed.status, canceled.status) == ("pending", "failed")


@pytest.mark.parametrize("model", ["gap", "backfilltask"])
def test_pages_of_a_row_open(admin_client, model):
    row = {"gap": make_gap, "backfilltask": make_backfill_task}[model]()

    page = admin_client.get(reverse(f"admin:markets_{model}_change", args=[row.pk]))

    assert page.status_code == 200
