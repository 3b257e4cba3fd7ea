"""What all pages of the console have in common, as hands and eyes meet it."""

import re

from django_celery_beat.models import PeriodicTask
from playwright.sync_api import expect

from project.core.models import Halt, SavedFilter
from tests.browser.making import make_job, make_run


def test_a_switch_asks_and_every_page_says_so(open_page):
    page = open_page("/admin/core/halt/")
    row = page.locator('[data-switch="collecting"]')

    row.get_by_placeholder("Why?").fill("moving house")
    row.get_by_role("button", name="Stop").click()
    expect(page.locator("dialog[open]")).to_contain_text("Stop collecting?")
    assert not Halt.objects.exists()
    page.locator("dialog[open]").get_by_role("button", name="Stop", exact=True).click()
    expect(row.locator(".mr-pill")).to_have_text("Stopped")
    page.goto("/admin/core/run/")
    badge = page.locator(".mr-badge", has_text="Collecting stopped")
    expect(badge).to_contain_text("by ada@example.org: moving house")
    badge.click()
    page.locator('[data-switch="collecting"]').get_by_role("button", name="Let it go on").click()
    page.locator("dialog[open]").get_by_role("button", name="Let it go on").click()

    expect(page.locator(".mr-badge", has_text="Collecting stopped")).to_have_count(0)
    assert not Halt.objects.exists()


def test_the_palette_takes_the_keyboard_alone(open_page):
    run = make_run("the only waterwheel")
    page = open_page()

    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("waterwheel")
    expect(page.locator("#command-results-list a")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(str(run.pk)))


def test_the_tour_opens_the_palette(open_page):
    page = open_page("/admin/tour/palette/")

    expect(page.locator("#search-input-command")).to_be_visible()


def test_a_filter_is_kept_and_opened_again(open_page):
    make_run("wheel")
    page = open_page("/admin/core/run/?status__exact=queued")

    page.get_by_text("Keep this filter").click()
    page.get_by_placeholder("Name").fill("Waiting")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator(".mr-saved-one.is-open")).to_contain_text("Waiting")
    page.goto("/admin/core/run/")
    page.locator(".mr-saved").get_by_role("link", name="Waiting", exact=True).click()

    page.wait_for_url(re.compile(r"\?status__exact=queued$"))
    assert SavedFilter.objects.get().name == "Waiting"


def test_what_was_done_is_in_the_trail_and_on_the_object(open_page):
    job = make_job("Tidy up")
    page = open_page(f"/admin/django_celery_beat/periodictask/{job.pk}/change/")

    page.fill("#id_description", "Every evening")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/periodictask/$"))
    page.goto("/admin/core/auditentry/")
    row = page.locator("#result_list tbody tr").first
    expect(row).to_contain_text("ada@example.org")
    expect(row.locator(".mr-is")).to_have_text("Every evening")
    page.goto(f"/admin/django_celery_beat/periodictask/{job.pk}/history/")

    expect(page.locator(".mr-entry .mr-is")).to_have_text("Every evening")
    assert PeriodicTask.objects.get(pk=job.pk).description == "Every evening"


def test_a_trend_is_drawn_from_the_least_to_the_most(open_page):
    page = open_page()

    drawn = page.evaluate(
        """async () => {
            const { drawTrend, pointsOf } = await import("/static/millrace/parts/trend.js");
            const spark = document.createElementNS("http://www.w3.org/2000/svg", "svg");
            spark.append(document.createElementNS("http://www.w3.org/2000/svg", "polyline"));
            const change = document.createElement("span");
            drawTrend(spark, change, [3, 5, 1]);
            const shown = [spark.firstElementChild.getAttribute("points"), change.textContent];
            drawTrend(spark, change, []);
            return [...shown, spark.hasAttribute("hidden"), pointsOf([7, 7])];
        }"""
    )

    assert drawn == ["0.0,12.0 50.0,2.0 100.0,22.0", "▼ 2", True, "0.0,12.0 100.0,12.0"]
