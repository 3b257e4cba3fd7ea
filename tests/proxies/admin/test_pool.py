from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from project.core.models import AuditEntry
from tests.proxies.admin.pages import page
from tests.proxies.factories import (
    NOW,
    make_import_upload,
    make_lease,
    make_proxy,
    make_proxy_source,
    make_source_entry,
    make_target_state,
)

pytestmark = pytest.mark.django_db


def test_pages_show_no_secrets(admin_client):
    proxy = make_proxy(username="hans", password="geheim")
    source = make_proxy_source(headers="X-Token: geheim")
    upload = make_import_upload(text="geheim")
    lease = make_lease(proxy=proxy)
    pages = [
        page("proxy_changelist"),
        page("proxy_change", proxy.pk),
        page("proxysource_change", source.pk),
        page("importupload_change", upload.pk),
        page("lease_change", lease.pk),
        f"{page('lease_changelist')}?proxy__id__exact={proxy.pk}",
    ]

    for url in pages:
        answer = admin_client.get(url)
        assert answer.status_code == 200, url
        assert "geheim" not in answer.content.decode(), url
        assert str(lease.token) not in answer.content.decode(), url


def test_a_proxy_says_why_it_has_its_score(admin_client):
    proxy = make_proxy(good_weight=3, total_weight=4, evidence_at=NOW)

    assert "of it good" in admin_client.get(page("proxy_change", proxy.pk)).content.decode()


def test_credentials_are_revealed_by_a_logged_post_alone(admin_client, caplog):
    proxy = make_proxy(username="hans", password="ge@heim")
    url = reverse("admin:proxies_proxy_reveal", args=[proxy.pk])

    asked = admin_client.get(url)
    assert "heim" not in asked.content.decode()
    assert not AuditEntry.objects.exists()
    with caplog.at_level("INFO"):
        shown = admin_client.post(url, {"_form_submitted": "True"})

    assert "http://hans:ge%40heim@" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert AuditEntry.objects.get().said == "Credentials revealed."
    assert "heim" not in caplog.text


def test_filters_narrow_the_pool(admin_client):
    wanted = make_proxy(
        country="DE", network="AS1 One", score=90, latency_ms=50, pool="hot", anonymity="elite"
    )
    make_proxy(country="US", network="AS2 Two", score=20, latency_ms=900, pool="cold")
    make_target_state(
        proxy=make_proxy(country="DE", score=95, pool="hot"),
        blocked_until=timezone.now() + timedelta(days=1),
        blocked_for="blocked",
    )
    make_source_entry(proxy=wanted, source=make_proxy_source(name="good list"))

    def found(query):
        answer = admin_client.get(f"{page('proxy_changelist')}?{query}")
        assert answer.status_code == 200, query
        return [row.pk for row in answer.context["cl"].result_list]

    for query in (
        "country=DE&pool__exact=hot&score_from=80&score_to=94",
        "network=AS1",
        "latency_ms_to=100",
        "country=DE&country=FR&open_to=api.binance.com",
        "named_by=good",
        "anonymity__exact=elite&state__exact=healthy&state__exact=failing",
    ):
        assert found(query) == [wanted.pk], query


def test_a_row_opens_on_its_leases_and_targets(admin_client):
    proxy = make_proxy()
    make_lease(proxy=proxy, holder="collect:btc", target="okx.com")
    make_target_state(proxy=proxy, target="okx.com", last_outcome="ok")

    text = admin_client.get(page("proxy_changelist")).content.decode()

    assert "collect:btc" in text
    assert "okx.com" in text


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("model", ["proxy", "lease", "proxysource", "check", "targetstate"])
def test_lists_cost_the_same_for_any_number_of_rows(
    rows, model, admin_client, django_assert_max_num_queries
):
    from tests.proxies import factories

    makers = {"proxysource": "make_proxy_source", "targetstate": "make_target_state"}
    for _ in range(rows):
        getattr(factories, makers.get(model, f"make_{model}"))()

    with django_assert_max_num_queries(11):  # three of them read the limits, every two seconds
        admin_client.get(page(f"{model}_changelist"))
