"""The dashboard shows what happens while it happens."""

import re
from datetime import timedelta

from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import expect

from project.core.models import Run
from tests.browser.making import end, make_job, make_process, make_run, report, start


def test_dashboard_follows_a_run_without_reload(open_page):
    page = open_page()
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("window.isSamePage = true")

    run = start(make_run("binance:BTC/USDT 1m"))
    row = page.locator(f'#work [data-key="{run.pk}"]')
    expect(row).to_contain_text("binance:BTC/USDT 1m")
    report(run, phase="collecting", progress=40, counts={"candles": 1200})
    expect(row).to_contain_text("40 %")
    expect(row).to_contain_text("collecting")
    expect(row).to_contain_text("candles 1,200")
    end(run, status="failed", error_type="upstream_refused", error_message="418, banned")

    ended = page.locator(f'#ended [data-key="{run.pk}"]')
    expect(ended).to_contain_text("Failed")
    expect(ended).to_contain_text("418, banned")
    expect(row).to_have_count(0)
    expect(page.locator('#figures [data-key="runs_failed"]')).to_contain_text("1")
    assert page.locator("#figures .is-coming").count() == 0
    assert page.evaluate("window.isSamePage") is True


def test_dashboard_shows_a_late_job_first_and_as_an_issue(open_page):
    make_job("Aa on time")
    late = make_job("Zz late", seconds=60)
    long_ago = timezone.now() - timedelta(hours=2)
    PeriodicTask.objects.filter(pk=late.pk).update(last_run_at=long_ago)

    page = open_page()

    first = page.locator("#jobs .mr-job").first
    expect(first).to_contain_text("Zz late")
    expect(first.locator('[data-field="late"]')).to_have_text("Late")
    expect(page.locator("#issues")).to_contain_text("Zz late is late")


def test_run_now_asks_back_and_makes_one_run(open_page):
    job = make_job("Tidy up")
    page = open_page()
    row = page.locator(f'[data-job="{job.name}"]')

    row.get_by_role("button", name="Run now").click()
    page.locator(".mr-confirm").get_by_role("button", name="Keep as it is").click()
    kept = Run.objects.count()
    row.get_by_role("button", name="Run now").click()
    page.locator(".mr-confirm").get_by_role("button", name="Run now").click()

    expect(page.get_by_text("Tidy up runs.")).to_be_visible()
    expect(page.locator("#work")).to_contain_text("Tidy up")
    assert kept == 0
    assert list(Run.objects.values_list("schedule", "requested_by__email")) == [
        ("Tidy up", "ada@example.org")
    ]


def test_pause_and_resume_from_the_dashboard(open_page):
    job = make_job("Tidy up")
    page = open_page()

    page.get_by_role("button", name="Pause").click()
    page.locator(".mr-confirm").get_by_role("button", name="Pause").click()
    expect(page.locator(f'[data-job="{job.name}"] [data-field="late"]')).to_have_text("Paused")
    job.refresh_from_db()
    was_enabled = job.enabled
    page.get_by_role("button", name="Resume").click()
    page.locator(".mr-confirm").get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Tidy up goes on.")).to_be_visible()
    job.refresh_from_db()

    assert (was_enabled, job.enabled) == (False, True)


def test_processes_are_shown_by_role(open_page):
    make_process("worker", beat_at=timezone.now() + timedelta(minutes=5))
    make_process("beat", beat_at=timezone.now() - timedelta(minutes=5))

    page = open_page()

    expect(page.locator('[data-role="worker"]')).to_contain_text("1 alive")
    expect(page.locator('[data-role="beat"]')).to_contain_text("silent")


def test_dashboard_comes_back_when_its_socket_is_lost(open_page):
    sockets = []

    def through(socket):
        socket.connect_to_server()
        sockets.append(socket)

    page = open_page()
    page.route_web_socket(re.compile(r"/ws/live/"), through)
    page.goto("/admin/")
    expect(page.locator("#live")).to_have_text("live")

    sockets[0].close(code=1012)
    expect(page.locator("#live")).to_have_text("reconnecting")
    run = make_run("binance:BTC/USDT 1m")

    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator(f'#work [data-key="{run.pk}"]')).to_be_visible()
    assert len(sockets) == 2


def test_dashboard_polls_where_no_socket_opens(open_page):
    page = open_page()
    page.route_web_socket(re.compile(r"/ws/live/"), lambda socket: socket.close())
    page.goto("/admin/")
    expect(page.locator("#live")).to_have_text("polling", timeout=15_000)

    run = make_run("binance:BTC/USDT 1m")

    expect(page.locator(f'#work [data-key="{run.pk}"]')).to_be_visible(timeout=10_000)
    expect(page.locator('#figures [data-key="runs_running"]')).to_contain_text("1 waiting")
