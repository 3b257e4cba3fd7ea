"""What staff do on the pages of jobs, results, corrections and strategies."""

import pytest
from django.urls import NoReverseMatch, reverse

from analysis.choices import Outcome
from analysis.models import Batch, Correction, Job, Strategy
from project.core.models import AuditEntry
from tests.analysis.factories import (
    make_analysis,
    make_batch,
    make_correction,
    make_failure,
    make_job,
    make_strategy,
)

pytestmark = pytest.mark.django_db
#: What unfold's dialog sends when it was agreed.
AGREED = {"_form_submitted": "True"}
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
    assert AuditEntry.objects.get().object_id == str(waiting.pk)


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
    assert AuditEntry.objects.get().said == "Taken back."


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


def on_page(client, row, act, **form):
    """Do what the page of one row offers, as its dialog does."""
    address = reverse(f"admin:analysis_{row._meta.model_name}_{act}", args=[row.pk])
    return client.post(address, {**AGREED, **form}, follow=True)


def offered(client, row):
    """Return what the page of a row offers to do."""
    answer = client.get(page(f"{row._meta.model_name}_change", row.pk)).content.decode()
    acts = ("cancel", "retry", "other_strategy", "retry_missing", "take_one_back")
    addresses = {act: f"admin:analysis_{row._meta.model_name}_{act}" for act in acts}
    found = []
    for act, name in addresses.items():
        try:
            address = reverse(name, args=[row.pk])
        except NoReverseMatch:
            continue
        if address in answer:
            found.append(act)
    return found


def test_the_page_of_a_job_offers_what_makes_sense(admin_client):
    waiting, ended = make_job(), make_job(final_status="failed", **ENDED)

    assert offered(admin_client, waiting) == ["cancel", "other_strategy"]
    assert offered(admin_client, ended) == ["retry", "other_strategy"]


def test_a_job_is_canceled_and_tried_again_on_its_page(admin_client):
    job = make_job()

    on_page(admin_client, job, "cancel")
    on_page(admin_client, job, "retry")

    job.refresh_from_db()
    assert job.status == "canceled"
    assert Job.objects.get(retry_of=job).status == "queued"
    told = AuditEntry.objects.filter(object_id=job.pk).order_by("pk")
    assert [one.said.split(" as ")[0] for one in told] == ["Canceled.", "Asked again"]


def test_a_job_is_asked_for_by_another_strategy_on_its_page(admin_client):
    job, other = make_job(), make_strategy(model="another")

    on_page(admin_client, job, "other_strategy", strategy=other.pk)

    made = Job.objects.exclude(pk=job.pk).get()
    assert (made.analysis.strategy, made.analysis.video) == (other, job.analysis.video)


def test_a_batch_is_canceled_on_its_page(admin_client):
    batch = make_batch()
    assert offered(admin_client, batch) == ["cancel"]

    on_page(admin_client, batch, "cancel")

    assert offered(admin_client, batch) == ["retry"]
    assert Job.objects.get().final_status == "canceled"


def test_missing_places_are_tried_again_on_the_page_of_a_result(admin_client):
    analysis = make_analysis(outcome=Outcome.PARTIAL)
    make_failure(analysis=analysis, n=1)

    on_page(admin_client, analysis, "retry_missing")

    (job,) = Job.objects.all()
    assert job.run is not None
    assert job.run.payload["retry"] == [1]


def test_a_correction_is_taken_back_on_its_page(admin_client):
    correction = make_correction(for_everybody=True)

    on_page(admin_client, correction, "take_one_back")

    assert Correction.objects.get().is_taken_back
