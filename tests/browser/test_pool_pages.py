"""The pages of the pool: what is drawn, previewed, asked back and revealed."""

import re
import time

import pytest
from playwright.sync_api import expect

from project.core.models import AuditEntry, Run
from proxies.models import Proxy
from tests.browser.test_pages import is_narrow
from tests.proxies.factories import (
    make_lease,
    make_pool_snapshot,
    make_proxy,
    make_proxy_source,
    make_source_fetch,
)


def make_pool():
    from datetime import timedelta

    from django.utils import timezone

    now = timezone.now()
    minute = int(time.time()) // 60 * 60
    for number, country in enumerate(["DE", "US", "US", "RU", "FJ"]):
        make_proxy(country=country, pool="hot", exit_ip=f"8.8.8.{number}", latency_ms=80)
    for back in range(5):
        for pool in ("hot", "warm", "cold", ""):
            make_pool_snapshot(second=minute - 60 * back, pool=pool, size=back + 1, score_p50=70)
    proxy = Proxy.objects.all()[0]
    for target, outcome in (("binance.com", "ok"), ("okx.com", "blocked")):
        ended = {
            "acquired_at": now - timedelta(seconds=9),
            "expires_at": now + timedelta(seconds=9),
            "ended_at": now,
            "released_at": now,
        }
        make_lease(proxy=proxy, target=target, outcome=outcome, state="released", **ended)
    make_source_fetch(source=make_proxy_source(name="a list"), at=now)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_overview_draws_charts_map_targets_and_sources(open_page, look, tmp_path_factory):
    make_pool()
    page = open_page("/admin/proxies/poolsnapshot/", dark=look == "dark", phone=look == "phone")

    expect(page.locator("#pool [data-field=state]")).to_contain_text("until")
    expect(page.locator(".mr-world path[data-heat]")).to_have_count(4)
    expect(page.locator(".mr-world a[href*='country=US'] title")).to_contain_text("2 of 2 healthy")
    expect(page.locator("[data-field=countries] li")).to_have_count(4)
    expect(page.locator(".mr-heat td[data-heat]")).to_have_count(2)
    expect(page.locator("[data-field=sources] tr")).to_have_count(1)
    assert (
        page.evaluate(
            "Chart.getChart(document.querySelector('[data-chart=sizes]')).data.datasets[0].data.length"
        )
        == 5
    )
    assert is_narrow(page)
    folder = tmp_path_factory.getbasetemp() / "pictures"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"pool-{look}.png", full_page=True)


def test_a_country_of_the_map_leads_to_its_proxies(open_page):
    make_pool()
    page = open_page("/admin/proxies/poolsnapshot/")

    page.locator("[data-field=countries] a", has_text="Germany").click()

    page.wait_for_url(re.compile("country=DE"))
    expect(page.locator("#result_list tbody tr.data-row")).to_have_count(1)


def test_a_pasted_list_is_looked_at_and_imported(open_page):
    page = open_page("/admin/proxies/importupload/")

    page.fill("#import textarea", "8.8.8.8:80\n10.0.0.1:80\nhans:geheim@9.9.9.9:1080\n")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("[data-field=taken] tr")).to_have_count(2)
    expect(page.locator("[data-field=refused]")).to_contain_text("private_address")
    assert "geheim" not in page.locator("[data-field=result]").inner_text()
    assert is_narrow(page)
    page.locator("#import").get_by_role("button", name="Import").click()
    page.locator("dialog").get_by_role("button", name="Import").click()

    page.wait_for_url(re.compile("/admin/core/run/"))
    assert Run.objects.get().kind == "proxies.import"


def test_a_dropped_file_is_looked_at(open_page):
    page = open_page("/admin/proxies/importupload/", phone=True)

    page.set_input_files(
        "#import input[type=file]",
        {
            "name": "list.txt",
            "mimeType": "text/plain",
            "buffer": b"8.8.8.8:80\n1.2.3.4:99999\n",
        },
    )

    expect(page.locator("[data-field=taken] tr")).to_have_count(1)
    expect(page.locator("[data-field=refused]")).to_contain_text("bad_port")
    assert is_narrow(page)


def test_acts_on_proxies_ask_back(open_page):
    make_proxy()
    make_proxy(state="blocked")
    page = open_page("/admin/proxies/proxy/")

    page.locator("#action-toggle").press(
        "Space"
    )  # by key: a page that still moves dodges the mouse
    expect(page.locator("input.action-select:checked")).to_have_count(2)
    page.locator("select[name=action]").select_option("take_out")
    page.locator(
        "#changelist-actions button[type=submit], #changelist-actions button"
    ).first.click()

    expect(page.locator(".mr-ask-count")).to_contain_text("1 of 2 chosen proxies would change")
    assert is_narrow(page)
    page.get_by_role("button", name="Take out").click()
    expect(page.get_by_text("Took out 1.")).to_be_visible()
    assert set(Proxy.objects.values_list("state", flat=True)) == {"blocked"}


def test_credentials_are_shown_in_the_dialog_once(open_page):
    proxy = make_proxy(username="hans", password="geheim")
    page = open_page(f"/admin/proxies/proxy/{proxy.pk}/change/")
    assert "geheim" not in page.content()

    page.get_by_text("Reveal credentials").first.click()
    page.locator("#dialog").get_by_role("button", name="Show").click()

    expect(page.locator("[data-revealed]")).to_contain_text("hans:geheim@")
    assert AuditEntry.objects.get().said == "Credentials revealed."
    page.reload()
    assert "geheim" not in page.content()
