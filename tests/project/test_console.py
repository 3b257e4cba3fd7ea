"""What is common to all pages of the console: the trail, badges, filters, switches, the tour."""

import pytest
from django.contrib import admin
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from project.core import auditing, halting, touring
from project.core.callers import SYSTEM
from project.core.choices import Act, Channel
from project.core.console import ConsoleSite
from project.core.models import AuditEntry, Halt, SavedFilter
from tests.factories import make_job, make_run, make_saved_filter, make_staff


@pytest.fixture
def console(client, db):
    client.force_login(make_staff(email="ada@example.org"))
    return client


def newest() -> AuditEntry:
    found = AuditEntry.objects.order_by("-pk").first()
    assert found is not None
    return found


def test_the_site_is_ours():
    assert isinstance(admin.site, ConsoleSite)


def test_a_changed_form_is_noted_with_its_values(console):
    job = make_job(every_s=60, name="Oil the wheel", kwargs="{}")
    other = IntervalSchedule.objects.create(every=5, period="minutes")
    page = reverse("admin:django_celery_beat_periodictask_change", args=[job.pk])
    form = console.get(page).context["adminform"].form
    given = {name: value for name, value in form.initial.items() if value not in (None, False)}
    given |= {"enabled": "", "interval": other.pk, "name": "Oil it", "kwargs": "{}"}

    answer = console.post(page, given, headers={"X-Request-ID": "wheel-1"})

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    entry = newest()
    assert (entry.act, entry.user_name, entry.request_id) == (
        "changed",
        "ada@example.org",
        "wheel-1",
    )
    found = {each["name"]: (each["before"], each["after"]) for each in entry.changes}
    assert found["Name"] == ("Oil the wheel", "Oil it")
    assert found["Enabled"] == ("yes", "no")
    assert found["Every"] == ("every 60 seconds", "every 5 minutes")
    assert b"Oil the wheel" in console.get(page.replace("change", "history")).content


def test_what_a_deleted_row_held_is_noted(console):
    row = IntervalSchedule.objects.create(every=7, period="days")

    console.post(
        reverse("admin:django_celery_beat_intervalschedule_delete", args=[row.pk]), {"post": "yes"}
    )

    entry = newest()
    assert (entry.act, entry.object_id) == (Act.DELETED, str(row.pk))
    assert {"name": "Number of periods", "before": "7", "after": ""} in entry.changes


def test_an_act_that_notes_nothing_itself_is_noted_for_each_row(console):
    jobs = [make_job(every_s=60, name=f"job {n}") for n in range(2)]
    PeriodicTask.objects.update(enabled=False)

    console.post(
        reverse("admin:django_celery_beat_periodictask_changelist"),
        {
            "action": "pause_chosen",
            "_selected_action": [str(job.pk) for job in jobs],
            "_agreed": "yes",
        },
    )

    said = "Pause the chosen jobs: Paused: 0."
    found = AuditEntry.objects.values_list("model", "object_id", "act", "said")
    assert sorted(found) == sorted(
        ("django_celery_beat.periodictask", str(job.pk), "done", said) for job in jobs
    )


def test_an_act_that_notes_itself_is_noted_once(console):
    job = make_job(every_s=60)

    console.post(
        reverse("admin:django_celery_beat_periodictask_pause", args=[job.pk]),
        {"_form_submitted": "True"},
    )

    (entry,) = AuditEntry.objects.all()
    assert (entry.said, entry.channel, entry.address) == ("Paused.", "console", "127.0.0.1")


def test_the_trail_is_narrowed_by_the_way_that_things_were_done(console, now):
    run = make_run()
    by, deed = SYSTEM, auditing.Deed(Act.DONE, "Oiled by hand.")
    with auditing.through(Channel.COMMAND):
        auditing.note(run, deed, by=by, now=now)
    auditing.note(run, auditing.Deed(Act.DONE, "Swept by itself."), by=by, now=now)

    page = console.get(reverse("admin:core_auditentry_changelist"), {"channel": "command"})

    text = page.content.decode()
    assert ("Oiled by hand." in text, "Swept by itself." in text) == (True, False)


@pytest.mark.parametrize("method", ["get", "post"])
def test_pages_that_only_show_or_refuse_are_not_noted(console, method):
    job = make_job(every_s=60, name="still")
    page = reverse("admin:django_celery_beat_periodictask_change", args=[job.pk])

    answer = getattr(console, method)(page, {"name": ""})

    assert answer.status_code == 200
    assert not AuditEntry.objects.exists()


def test_strangers_leave_no_trail(client, db):
    job = make_job(every_s=60)

    client.post(reverse("admin:django_celery_beat_periodictask_pause", args=[job.pk]))

    assert PeriodicTask.objects.get(pk=job.pk).enabled
    assert not AuditEntry.objects.exists()


def test_every_page_shows_what_is_stopped(console, now):
    halting.stop(halting.find("collecting"), why="moving house", by=SYSTEM, now=now)

    for name in ("index", "core_run_changelist", "tour", "core_halt_changelist"):
        shown = console.get(reverse(f"admin:{name}")).content.decode()
        assert "Collecting stopped" in shown, name
        assert "since 2026-01-05 12:00 UTC: moving house" in shown, name


def test_a_switch_is_turned_by_post_alone(console):
    stop = reverse("admin:core_halt_stop", args=["analysis"])

    assert console.get(stop).status_code == 405
    assert not Halt.objects.exists()
    console.post(stop, {"why": "  too hot "})
    assert {halt.why for halt in halting.off()} == {"too hot"}
    console.post(reverse("admin:core_halt_release", args=["analysis"]))
    assert not Halt.objects.exists()
    assert [entry.said for entry in AuditEntry.objects.order_by("pk")] == [
        "Stopped: Analysis. too hot",
        "Goes on: Analysis.",
    ]


def test_a_switch_that_is_none_is_told(console):
    answer = console.post(reverse("admin:core_halt_stop", args=["nothing"]), follow=True)

    assert [str(message) for message in answer.context["messages"]] == [
        "No such switch: no switch nothing"
    ]


def test_who_may_not_switch_does_not(client, db):
    client.force_login(make_staff(is_superuser=False))

    assert client.post(reverse("admin:core_halt_stop", args=["analysis"])).status_code == 403
    assert not Halt.objects.exists()


def test_a_filter_is_kept_opened_renamed_and_deleted(console):
    lists = reverse("admin:core_run_changelist")
    keep = reverse("admin:keep_filter")
    given = {"page": "core.run", "query": "p=2&status__exact=failed", "name": "Broken"}

    assert b"Keep this filter" in console.get(f"{lists}?status__exact=failed").content
    console.post(keep, given)
    row = SavedFilter.objects.get()
    shown = console.get(f"{lists}?status__exact=failed").content
    assert b"Keep this filter" not in shown
    assert b'href="?status__exact=failed" aria-current="true">Broken' in shown
    page = reverse("admin:core_savedfilter_change", args=[row.pk])
    console.post(page, {"name": "Failed ones", "is_shared": "on"})
    row.refresh_from_db()
    assert (row.name, row.is_shared, row.query) == ("Failed ones", True, "status__exact=failed")
    console.post(page.replace("change", "delete"), {"post": "yes"})
    assert not SavedFilter.objects.exists()


def test_a_filter_of_somebody_else_is_shut(client, db):
    row = make_saved_filter()
    client.force_login(make_staff(is_superuser=False))
    page = reverse("admin:core_savedfilter_change", args=[row.pk])

    client.post(page, {"name": "Mine now"})

    row.refresh_from_db()
    assert row.name != "Mine now"


@pytest.mark.parametrize(("page", "status"), [("core.run", 403), ("core.nothing", 404), ("x", 404)])
def test_filters_are_kept_for_lists_that_one_may_see(client, db, page, status):
    client.force_login(make_staff(is_superuser=False))
    given = {"page": page, "query": "a=1", "name": "x"}

    assert client.post(reverse("admin:keep_filter"), given).status_code == status


def test_the_tour_ticks_off_what_was_seen(console):
    steps = touring.steps()
    assert len(steps) > 10

    for step in steps:
        answer = console.get(reverse("admin:tour_step", args=[step.name]))
        place = answer["Location"].partition("#")[0]
        assert console.get(place).status_code == 200, step.name
    page = console.get(reverse("admin:tour"))

    assert (page.context["seen"], page.context["next"]) == (len(steps), None)
    assert console.get(reverse("admin:tour_step", args=["nowhere"])).status_code == 404


def test_the_palette_finds_what_was_just_made(console):
    search = reverse("admin:search")
    before = console.get(search, {"s": "waterwheel", "extended": "1"}).content
    make_run(subject="waterwheel")

    after = console.get(search, {"s": "waterwheel", "extended": "1"}).content

    assert (b"waterwheel" in before, b"tests.job waterwheel" in after) == (False, True)
    assert b"Audit trail" in console.get(search, {"s": "audit"}).content
    assert console.get(search, {"s": "\0"}).content == b""


def test_the_badge_of_health_is_never_an_error_of_the_page(console):
    answer = console.get(reverse("admin:health"))

    assert answer.status_code == 200
    assert answer.json()["status"] in {"healthy", "degraded", "unhealthy"}
    assert (answer.json()["issues"] == 0) is (answer.json()["status"] == "healthy")
