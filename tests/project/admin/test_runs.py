"""Staff cancel runs and have them tried again; others may only look."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from project.core.choices import RunStatus
from project.core.models import AuditEntry, Run
from tests.factories import make_event, make_run, make_staff

AGREED = {"_form_submitted": "True"}


def told(answer) -> list[str]:
    """Return the messages on the page that an answer led to."""
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.django_db
def test_cancel_stops_a_waiting_run_and_is_logged(console, ada):
    run = make_run()

    answer = console.post(reverse("admin:core_run_cancel", args=[run.pk]), AGREED, follow=True)

    run.refresh_from_db()
    entry = AuditEntry.objects.get(object_id=str(run.pk))
    assert told(answer) == ["The run is canceled."]
    assert (run.status, entry.user, entry.said) == (RunStatus.CANCELED, ada, "Canceled.")


@pytest.mark.django_db
def test_cancel_asks_a_working_run_to_stop(console):
    run = make_run(status=RunStatus.RUNNING)

    answer = console.post(reverse("admin:core_run_cancel", args=[run.pk]), AGREED, follow=True)

    run.refresh_from_db()
    assert told(answer) == ["The run stops at its next safe point."]
    assert run.status == RunStatus.RUNNING
    assert run.cancel_asked_at is not None


@pytest.mark.django_db
def test_cancel_of_an_ended_run_says_why_not(console):
    run = make_run(status=RunStatus.DONE)

    answer = console.post(reverse("admin:core_run_cancel", args=[run.pk]), AGREED, follow=True)

    assert told(answer) == ["The run has ended: the run ended done"]


@pytest.mark.django_db
def test_retry_leads_to_the_new_run(console):
    run = make_run(status=RunStatus.FAILED, payload={"series_id": 7})

    answer = console.post(reverse("admin:core_run_retry", args=[run.pk]), AGREED)

    new = Run.objects.get(retry_of=run)
    assert answer["Location"] == reverse("admin:core_run_change", args=[new.pk])
    assert (new.payload, new.status) == ({"series_id": 7}, RunStatus.QUEUED)


@pytest.mark.django_db
def test_retry_of_a_waiting_run_says_why_not(console):
    run = make_run()

    answer = console.post(reverse("admin:core_run_retry", args=[run.pk]), AGREED, follow=True)

    assert told(answer) == ["The run has not ended: the run is queued"]


@pytest.mark.parametrize("deed", ["cancel", "retry"])
@pytest.mark.django_db
def test_a_run_that_is_not_there_is_said(console, deed):
    absent = "00000000-0000-4000-8000-000000000000"

    answer = console.post(reverse(f"admin:core_run_{deed}", args=[absent]), AGREED)

    assert answer.status_code == 302


@pytest.mark.parametrize("deed", ["cancel", "retry"])
@pytest.mark.django_db
def test_staff_who_may_only_look_are_refused(deed):
    looker = make_staff(is_superuser=False)
    looker.user_permissions.add(Permission.objects.get(codename="view_run"))
    client = Client()
    client.force_login(looker)
    run = make_run()

    answer = client.post(reverse(f"admin:core_run_{deed}", args=[run.pk]), AGREED)

    run.refresh_from_db()
    assert (answer.status_code, run.status) == (403, RunStatus.QUEUED)
    assert client.get(reverse("admin:core_run_change", args=[run.pk])).status_code == 200


@pytest.mark.django_db
def test_chosen_runs_are_canceled_and_retried(console):
    waiting, failed = make_run(), make_run(status=RunStatus.FAILED)
    both = {"_selected_action": [str(waiting.pk), str(failed.pk)]}
    address = reverse("admin:core_run_changelist")

    first = console.post(
        address, {"action": "cancel_chosen", "_agreed": "yes", **both}, follow=True
    )
    waiting.refresh_from_db()
    second = console.post(
        address, {"action": "retry_chosen", "_agreed": "yes", **both}, follow=True
    )

    assert waiting.status == RunStatus.CANCELED
    assert told(first) == ["Canceled: 1."]
    assert told(second) == ["Asked again: 2."]
    assert Run.objects.filter(retry_of__in=[waiting, failed]).count() == 2


@pytest.mark.django_db
def test_news_tells_state_and_later_events(console):
    run = make_run()
    later = make_event(run)
    address = reverse("admin:core_run_news", args=[run.pk])

    found = console.get(address, {"since": "1"}).json()

    assert [event["id"] for event in found["events"]] == [later.seq]
    assert (found["state"]["run_id"], found["state"]["is_final"]) == (str(run.pk), False)


@pytest.mark.django_db
def test_news_of_no_run_is_not_found(console):
    absent = "00000000-0000-4000-8000-000000000000"

    answer = console.get(reverse("admin:core_run_news", args=[absent]))

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.django_db
def test_news_is_for_staff(client):
    run = make_run()

    assert client.get(reverse("admin:core_run_news", args=[run.pk])).status_code == 302


@pytest.mark.django_db
def test_list_is_filtered_by_kind_and_status(console):
    make_run(subject="one to find")
    make_run(subject="another kind", kind="tests.other")
    make_run(subject="another state", status=RunStatus.DONE)
    address = reverse("admin:core_run_changelist")

    page = console.get(address, {"kind": "tests.job", "status__exact": "queued"}).content.decode()

    shown = [name for name in ("one to find", "another kind", "another state") if name in page]
    assert shown == ["one to find"]


@pytest.mark.django_db
def test_board_is_for_staff(client, console):
    address = reverse("admin:core_run_board")

    assert client.get(address).status_code == 302
    assert set(console.get(address).json()) == {"runs", "issues", "figures"}
