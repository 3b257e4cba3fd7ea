"""A transcript is handed in and its job followed while it works, in two tabs and over a reload."""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection
from django.urls import reverse
from playwright.sync_api import expect

from analysis.models import Job, Strategy
from tests.analysis import doing
from tests.analysis.factories import make_batch, make_correction, make_failure, make_strategy
from tests.browser.test_pages import is_narrow
from tests.browser.test_videos import a_job

SRT = """1
00:00:01,000 --> 00:00:04,000
today we begin in taipei

2
00:00:05,000 --> 00:00:09,000
then up to jiufen, and on to atlantis
"""
LONG_MS = 60_000


@pytest.fixture
def default_strategy(transactional_db: None) -> Strategy:
    """The strategy of those who name none; other tests may have emptied the table."""
    found = Strategy.objects.filter(is_default=True).first()
    return found or make_strategy(name="offline", is_default=True)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Let the extractor wait until the test has looked."""
    outside, opened = doing.Outside(), Event()

    def wait() -> None:
        opened.wait(4 * LONG_MS / 1000)

    outside.before_extract = wait
    outside.install(monkeypatch.setattr)
    return opened


def _finish(job: Job) -> None:
    try:
        doing.finish(job)
    finally:
        connection.close()


@pytest.mark.usefixtures("default_strategy")
def test_a_job_is_followed_live_in_two_tabs(open_page, gate: Event):
    page = open_page("/videos")
    streams: list[str] = []
    page.context.on("request", lambda one: streams.append(one.url))
    film = {"name": "taiwan.srt", "mimeType": "text/plain", "buffer": SRT.encode()}
    page.set_input_files("#file", [film])
    page.click("#ask button[type=submit]")
    page.wait_for_url(re.compile(r"/videos/jobs/"), timeout=LONG_MS)
    expect(page.locator("#status")).to_have_text("queued", timeout=LONG_MS)
    second = page.context.new_page()
    second.goto(page.url)
    tabs = (page, second)

    with ThreadPoolExecutor(1) as worker:
        work = worker.submit(_finish, Job.objects.get())
        try:
            for tab in tabs:
                expect(tab.locator("#status")).to_have_text("running", timeout=LONG_MS)
                expect(tab.locator("#percent")).to_have_text("35 %", timeout=LONG_MS)
            page.reload()
            expect(page.locator("#percent")).to_have_text("35 %", timeout=LONG_MS)
        finally:
            gate.set()
        for tab in tabs:
            expect(tab.locator("#status")).to_have_text("partial", timeout=LONG_MS)
            expect(tab.locator("#percent")).to_have_text("100 %", timeout=LONG_MS)
            expect(tab.locator("#places li")).to_have_count(2, timeout=LONG_MS)
            expect(tab.locator("#failed li")).to_contain_text("atlantis", timeout=LONG_MS)
        work.result(timeout=LONG_MS / 1000)
    assert len([url for url in streams if re.search(r"/api/jobs/.*/stream", url)]) >= 2


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_staff_pages_of_jobs_open_clean_and_fit(open_page, staff, look, pictures):
    job = a_job(staff, status="partial")
    make_batch(owner=staff)
    make_correction(made_by=staff, for_everybody=True)
    make_correction(made_by=staff, is_taken_back=True)
    make_failure(analysis=job.analysis, raw="mu")
    page = open_page(dark=look == "dark", phone=look == "phone")

    for name in ("job", "batch", "analysis", "failure", "correction", "strategy"):
        page.goto(reverse(f"admin:analysis_{name}_changelist"))
        expect(page.locator("#result_list tbody tr").first).to_be_attached()
        assert is_narrow(page), name
        page.screenshot(path=pictures / f"{name}-{look}.png", full_page=True)
    page.goto(reverse("admin:analysis_job_changelist"))
    page.locator("input.action-select").first.check(force=True)
    page.locator("select[name=action]").select_option("cancel_chosen", force=True)
    page.evaluate("document.querySelector('#changelist-form').submit()")
    expect(page.locator("#ask-head")).to_have_text("Cancel these jobs?")
    assert is_narrow(page)
    page.screenshot(path=pictures / f"ask-{look}.png", full_page=True)


@pytest.fixture
def pictures(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.getbasetemp() / "pictures"
    folder.mkdir(exist_ok=True)
    return folder
