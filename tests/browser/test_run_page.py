"""The page of a run follows it, by websocket or by polling, and stops or repeats it."""

import re

from playwright.sync_api import expect

from project.core.choices import RunStatus
from project.core.models import Run
from tests.browser.making import end, make_run, report, start


def address(run: Run) -> str:
    return f"/admin/core/run/{run.pk}/change/"


def test_run_page_follows_events_to_the_end(open_page):
    run = make_run("binance:BTC/USDT 1m")
    page = open_page(address(run))
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("window.isSamePage = true")

    taken = start(run)
    report(taken, phase="planning", progress=2)
    for percent in (20, 40, 60):
        report(taken, phase="collecting", progress=percent, counts={"candles": percent * 10})
    expect(page.locator('[data-field="percent"]')).to_have_text("60 %")
    expect(page.locator("#phases")).to_contain_text("planning")
    expect(page.locator("#phases .is-current")).to_contain_text("collecting")
    line = page.locator("#timeline .mr-event").first
    expect(line).to_contain_text("\N{MULTIPLICATION SIGN}3")
    expect(line).to_contain_text("candles 600")
    end(taken, progress=100)

    expect(page.locator('[data-field="status"]')).to_have_text("Done")
    expect(page.locator("#live")).to_have_text("ended")
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(page.locator('[data-field="worker"]')).not_to_have_text("—")
    assert page.evaluate("window.isSamePage") is True


def test_run_page_polls_where_no_socket_opens(open_page):
    run = make_run()
    page = open_page()
    page.route_web_socket(re.compile(r"/ws/runs/"), lambda socket: socket.close())
    page.goto(address(run))
    expect(page.locator("#live")).to_have_text("polling", timeout=15_000)

    report(start(run), phase="collecting", progress=33)

    expect(page.locator('[data-field="percent"]')).to_have_text("33 %")
    expect(page.locator("#timeline")).to_contain_text("collecting")


def test_run_page_cancels_a_waiting_run(open_page):
    run = make_run()
    page = open_page(address(run))

    page.get_by_role("button", name="Cancel").click()
    page.locator(".mr-confirm").get_by_role("button", name="Cancel").click()

    expect(page.get_by_text("The run is canceled.")).to_be_visible()
    expect(page.locator('[data-field="status"]')).to_have_text("Canceled")
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELED


def test_run_page_retries_a_failed_run_as_a_new_one(open_page):
    run = start(make_run(payload={"series_id": 7}))
    end(run, status="failed", error_type="upstream_refused", error_message="418, banned")
    page = open_page(address(run))
    expect(page.locator('[data-field="error"]')).to_contain_text("418, banned")

    page.get_by_role("button", name="Run again").click()
    page.locator(".mr-confirm").get_by_role("button", name="Run again").click()

    expect(page.get_by_text("This is the new run.")).to_be_visible()
    new = Run.objects.get(retry_of=run)
    assert (new.payload, new.status) == ({"series_id": 7}, RunStatus.QUEUED)
    assert page.url.endswith(address(new))


def test_run_page_shows_what_was_asked_without_secrets(open_page):
    payload = {"proxy_url": "http://user:hunter2@1.2.3.4:80", "api_key": "abc", "series_id": 7}
    page = open_page(address(make_run(payload=payload)))

    shown = page.locator(".mr-code").inner_text()

    assert "series_id" in shown
    assert "hunter2" not in shown
    assert "abc" not in shown
