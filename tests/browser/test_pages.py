"""Every page of the console opens clean, on a desk and on a phone, and looks as it should."""

import re
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.making import end, make_job, make_process, make_run, report, start


def addresses() -> list[str]:
    """Return the list and the add page of every model that staff may open."""
    found = []
    for app in admin.site._registry:
        name = f"admin:{app._meta.app_label}_{app._meta.model_name}"
        found += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
    return found


def is_narrow(page: Page) -> bool:
    """Say whether nothing sticks out to the right."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"))


def test_every_list_and_add_page_opens_clean(open_page):
    page = open_page()
    shut = []

    for address in addresses():
        status = page.request.get(address).status
        if status == 403 and address.endswith("/add/"):
            continue  # written by workers only
        if status != 200:
            shut.append((status, address))
            continue
        page.goto(address)
        # some lists have a page of our own around their rows
        expect(page.locator("#content-main, .mr-page").first).to_be_visible()

    assert shut == []


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/nowhere"])
def test_pages_for_everybody_open_clean_and_fit_a_phone(browser, server, transactional_db, path):
    asked, said = [], []
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: said.append(str(error)))

    page.goto(f"{server}{path}")
    page.wait_for_load_state("networkidle")

    assert is_narrow(page)
    assert said == []
    assert [url for url in asked if not url.startswith((server, "data:"))] == []
    assert page.locator("h1").count() == 1
    context.close()


def test_palette_finds_a_run(open_page):
    run = make_run("binance:BTC/USDT 1m")
    page = open_page()

    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially("BTC/USDT")
    found = page.locator("#command-results-list a").first
    expect(found).to_contain_text("BTC/USDT")
    found.click()

    page.wait_for_url(re.compile(str(run.pk)))


def test_row_action_of_a_job_goes_through_its_dialog(open_page):
    job = make_job("Tidy up")
    page = open_page("/admin/django_celery_beat/periodictask/")

    page.locator("td.field-actions_holder span", has_text="more_horiz").click()
    page.get_by_text("Pause", exact=True).click()
    page.locator("#dialog").get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Tidy up is paused.")).to_be_visible()

    job.refresh_from_db()
    assert job.enabled is False


def test_change_form_of_a_job_saves(open_page):
    job = make_job("Tidy up")
    page = open_page(f"/admin/django_celery_beat/periodictask/{job.pk}/change/")

    page.fill("#id_description", "Every evening")
    page.get_by_role("button", name="Save", exact=True).click()

    page.wait_for_url(re.compile(r"/periodictask/$"))
    job.refresh_from_db()
    assert job.description == "Every evening"


def test_people_without_rights_see_no_buttons(open_page, staff):
    run = make_run()
    staff.is_superuser = False
    staff.save(update_fields=["is_superuser"])
    staff.user_permissions.add(Permission.objects.get(codename="view_run"))

    page = open_page(f"/admin/core/run/{run.pk}/change/")

    expect(page.locator('[data-field="status"]')).to_have_text("Queued")
    assert page.get_by_role("button", name="Cancel").count() == 0
    assert page.locator("#nav-sidebar").get_by_text("API keys").count() == 0


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_pictures(open_page, tmp_path_factory, look):
    folder = Path(tmp_path_factory.getbasetemp()) / "pictures"
    folder.mkdir(exist_ok=True)
    for role in ("web", "worker", "beat"):
        make_process(role, name=f"far:{role}")
    failed = start(make_run("binance:SOL/USDT 1h"))
    end(failed, status="failed", error_type="upstream_refused", error_message="418, banned")
    working = start(make_run("binance:BTC/USDT 1m"))
    report(working, phase="collecting", progress=42, counts={"candles": 12_400})
    make_job("Collect candles", description="New candles of every market", seconds=60)
    page = open_page(dark=look == "dark", phone=look == "phone")
    places = {
        "dashboard": "/admin/",
        "run": f"/admin/core/run/{working.pk}/change/",
        "runs": "/admin/core/run/",
        "jobs": "/admin/django_celery_beat/periodictask/",
        "processes": "/admin/core/processheartbeat/",
    }

    for name, path in places.items():
        page.goto(path)
        page.wait_for_timeout(400)
        page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
        assert is_narrow(page), name
