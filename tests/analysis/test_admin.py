"""What staff do on the pages of jobs, results, corrections and strategies."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from analysis.choices import Outcome
from analysis.models import Batch, Correction, Job, Strategy
from tests.analysis.factories import (
    make_analysis,
    make_batch,
    make_correction,
    make_failure,
    make_job,
    make_strategy,
)

pytestmark = pytest.mark.django_db
ENDED = {"progress": 100.0, "ended_at": "2026-01-01T00:00Z", "run": None}


def page(name, *args):
    return reverse(f"admin:analysis_{name}", args=args)


def act(client, model, action, rows, *, agreed=True):
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    answer = {"_agreed": "yes"} if agreed else {}
    return client.post(page(f"{model}_changelist"), {**chosen, **answer}, follow=True)


@pytest.mark.parametrize(
    ("model", "action", "make"),
    [
        ("job", "cancel_chosen", make_job),
        ("batch", "cancel_chosen", make_batch),
        ("correction", "take_back", make_correction),
    ],
)
def test_each_act_asks_back_first(admin_client, model, action, make):
    row = make()

    asked = act(admin_client, model, action, [row], agreed=False)

    assert '<strong class="mr-num">1</strong> of 1 chosen' in asked.content.decode()
    before = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    row.refresh_from_db()
    assert {name: getattr(row, name) for name in before} == before


def test_waiting_jobs_are_canceled_and_ended_ones_left_alone(admin_client):
    waiting, ended = make_job(), make_job(final_status="done", **ENDED)

    act(admin_client, "job", "cancel_chosen", [waiting, ended])

    assert set(Job.objects.values_list("pk", "final_status")) == {
        (waiting.pk, "canceled"),
        (ended.pk, "done"),
    }
    assert LogEntry.objects.get().object_id == str(waiting.pk)


def test_ended_jobs_are_tried_again(admin_client):
    failed = make_job(final_status="failed", **ENDED)
    done = make_job(analysis=make_analysis(outcome=Outcome.DONE), final_status="done", **ENDED)

    told = act(admin_client, "job", "retry_chosen", [failed, done]).content.decode()

    assert [job.retry_of_id for job in Job.objects.filter(final_status="")] == [failed.pk]
    assert "no place is missing on the map" in told


def test_a_batch_is_canceled(admin_client):
    batch = make_batch()

    act(admin_client, "batch", "cancel_chosen", [batch])

    assert Batch.objects.get().final_status == "canceled"
    assert Job.objects.get().final_status == "canceled"


def test_missing_places_are_tried_again(admin_client):
    analysis = make_analysis(outcome=Outcome.PARTIAL)
    one, _ = make_failure(analysis=analysis, n=1), make_failure(analysis=analysis, n=2, raw="mu")

    act(admin_client, "failure", "retry_chosen", [one])
    answer = act(admin_client, "analysis", "retry_places", [analysis])

    (job,) = Job.objects.all()
    assert job.run is not None
    assert job.run.payload["retry"] == [1]
    (told,) = answer.context["messages"]
    assert str(told).endswith("is still at it")


def test_a_correction_is_taken_back(admin_client):
    correction = make_correction(for_everybody=True)

    act(admin_client, "correction", "take_back", [correction])

    assert Correction.objects.get().is_taken_back
    assert LogEntry.objects.get().change_message == "Taken back."


@pytest.mark.parametrize(("status", "found"), [("queued", 1), ("failed", 1), ("done", 0)])
def test_jobs_are_filtered_by_status(admin_client, status, found):
    make_job()
    make_job(final_status="failed", **ENDED)

    answer = admin_client.get(page("job_changelist"), {"status": status})

    assert answer.context["cl"].result_count == found


def test_a_strategy_with_results_is_fixed_and_can_be_copied(admin_client):
    strategy = make_strategy(model_temp=0.5)
    make_analysis(strategy=strategy)
    shown = admin_client.get(page("strategy_change", strategy.pk)).context["adminform"]

    sent = {"_form_submitted": "True", "name": "warmer"}
    admin_client.post(page("strategy_copy", strategy.pk), sent)

    assert {"model", "model_temp", "geocode_mode"} <= set(shown.readonly_fields)
    copy = Strategy.objects.get(name="warmer")
    assert (copy.model_temp, copy.pk != strategy.pk) == (0.5, True)
    assert admin_client.post(page("strategy_delete", strategy.pk)).status_code == 403


@pytest.mark.parametrize(("model", "named"), [("gpt-9", "gpt-9"), ("", "offline")])
def test_a_new_strategy_names_the_installations_model_at_first(
    admin_client, settings, model, named
):
    settings.LLM_MODEL = model

    form = admin_client.get(page("strategy_add")).context["adminform"].form

    assert form["model"].value() == named


def test_the_form_refuses_a_prompt_that_there_is_not(admin_client):
    strategy = make_strategy()
    names = ("name", "model", "model_temp", "compression_ratio", "geocode_mode")
    values = {name: getattr(strategy, name) for name in names}

    answer = admin_client.post(
        page("strategy_change", strategy.pk), {**values, "extraction_prompt_v": 99}
    )

    assert "extraction_prompt_v" in answer.context["adminform"].form.errors
