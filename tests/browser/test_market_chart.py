"""A market's chart draws its candles, leaves holes open, and reaches further back."""

import re

import pytest
from playwright.sync_api import Page, expect

from markets.choices import TaskStatus
from tests.markets.factories import (
    MINUTE,
    NOW,
    START_MS,
    make_audit_difference,
    make_backfill_task,
    make_candles,
    make_finding,
    make_gap,
    make_series,
)

#: How many pixels of the chart are coloured: whatever is drawn that is no grid and no text.
COLOURED = """() => [...document.querySelectorAll('.mr-chart canvas')].reduce((sum, canvas) => {
  if (!canvas.width || !canvas.height) return sum;
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, alpha] = data.slice(at, at + 4);
    if (alpha > 60 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) sum += 1;
  }
  return sum;
}, 0)"""


def opened(open_page, series, **look) -> Page:
    page: Page = open_page(f"/admin/markets/market/{series.market_id}/change/", **look)
    expect(page.locator('[data-field="summary"]')).to_contain_text("candles")
    return page


def test_chart_draws_candles_and_their_values(open_page):
    series = make_series("BTC/USDT")
    make_candles(series, 200)

    page = opened(open_page, series)

    expect(page.locator('[data-field="summary"]')).to_have_text("200 candles · no gaps")
    expect(page.locator('[data-field="values"]')).to_contain_text("2026-01-05 03:19")
    expect(page.locator('[data-field="repair"]')).to_be_hidden()
    assert page.evaluate(COLOURED) > 1_000


def test_chart_leaves_holes_open_and_says_how_many_are_missing(open_page):
    series = make_series("BTC/USDT")
    make_candles(series, 100, without=range(80, 94))
    make_gap(series, START_MS + 80 * MINUTE, START_MS + 94 * MINUTE)

    page = opened(open_page, series)

    summary = page.locator('[data-field="summary"]')
    expect(summary).to_have_text("86 candles · 1 gap, 14 missing")
    expect(page.locator('[data-field="repair"]')).to_be_visible()


def test_click_on_a_hole_opens_its_task(open_page):
    series = make_series("BTC/USDT")
    make_candles(series, 60, without=range(20, 40))
    make_gap(series, START_MS + 20 * MINUTE, START_MS + 40 * MINUTE)
    done = {"status": TaskStatus.FAILED, "ended_at": NOW}
    make_backfill_task(series, START_MS, START_MS + 10 * MINUTE, **done)
    task = make_backfill_task(series, START_MS + 20 * MINUTE, START_MS + 40 * MINUTE)
    page = opened(open_page, series)
    canvas = page.locator(".mr-chart-canvas").bounding_box()
    assert canvas is not None

    # sixty candles and four of room to the right: the middle of the hole is at 30 of 64
    page.mouse.click(canvas["x"] + (canvas["width"] - 70) * 30 / 64, canvas["y"] + 120)

    page.wait_for_url(re.compile(rf"/admin/markets/backfilltask/{task.pk}/change/"))


def test_chart_loads_more_as_one_pans(open_page):
    series = make_series("BTC/USDT")
    make_candles(series, 900)
    page = opened(open_page, series)
    summary = page.locator('[data-field="summary"]')
    expect(summary).to_have_text("600 candles · no gaps")
    canvas = page.locator(".mr-chart-canvas").bounding_box()
    assert canvas is not None
    left, right, height = canvas["x"] + 40, canvas["x"] + canvas["width"] - 120, canvas["y"] + 90

    for _ in range(12):
        page.mouse.move(left, height)
        page.mouse.down()
        page.mouse.move(right, height, steps=4)
        page.mouse.up()
        page.wait_for_timeout(150)

    expect(summary).to_have_text("900 candles · no gaps")


def test_timeframes_are_switched(open_page):
    make_candles(make_series("BTC/USDT", timeframe="1h"), 30, step_ms=60 * MINUTE)
    series = make_series("BTC/USDT", timeframe="1m")
    make_candles(series, 200)
    page = opened(open_page, series)

    page.get_by_role("button", name="1h", exact=True).click()

    expect(page.locator('[data-field="summary"]')).to_have_text("30 candles · no gaps")
    expect(page.get_by_role("button", name="1h", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_new_candles_come_without_reload(open_page):
    series = make_series("BTC/USDT")
    make_candles(series, 100)
    page = opened(open_page, series)

    make_candles(series, 5, start_ms=START_MS + 100 * MINUTE)

    expect(page.locator('[data-field="summary"]')).to_have_text(
        "105 candles · no gaps", timeout=15_000
    )


def test_a_feed_that_fails_is_said(open_page):
    series = make_series("BTC/USDT")
    make_candles(series, 10)
    page = open_page()
    empty = {"status": 204, "body": ""}
    page.route(re.compile(r"/chart\.json"), lambda route: route.fulfill(**empty))

    page.goto(f"/admin/markets/market/{series.market_id}/change/")

    expect(page.locator('[data-field="broken"]')).to_be_visible()


@pytest.mark.parametrize(
    "look", [{}, {"dark": True}, {"phone": True}], ids=["light", "dark", "phone"]
)
def test_pictures_of_the_chart(open_page, tmp_path_factory, look):
    series = make_series("BTC/USDT")
    make_candles(series, 300, without=range(240, 254))
    page = opened(open_page, series, **look)
    folder = tmp_path_factory.getbasetemp() / "pictures"
    folder.mkdir(exist_ok=True)

    page.wait_for_timeout(300)
    page.screenshot(path=folder / f"market-{'-'.join(look) or 'light'}.png", full_page=True)

    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_a_timeframe_that_is_not_kept_is_made_and_marks_are_drawn(open_page, tmp_path_factory):
    series = make_series("BTC/USDT")
    make_candles(series, 300, without=range(240, 254))
    make_gap(series, START_MS + 240 * MINUTE, START_MS + 254 * MINUTE, reason="no_trades")
    make_finding(series, start_ms=START_MS + 270 * MINUTE, end_ms=START_MS + 271 * MINUTE)
    make_audit_difference(series, open_time=START_MS + 285 * MINUTE)
    page = opened(open_page, series)
    folder = tmp_path_factory.getbasetemp() / "pictures"
    folder.mkdir(exist_ok=True)
    page.wait_for_timeout(300)
    page.screenshot(path=folder / "market-marks.png")

    page.get_by_role("button", name="5m", exact=True).click()

    summary = page.locator('[data-field="summary"]')
    expect(summary).to_contain_text("made of 1m")
    page.wait_for_timeout(300)
    page.screenshot(path=folder / "market-made.png")
