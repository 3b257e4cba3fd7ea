from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from project.core.callers import SYSTEM
from project.core.models import Run
from proxies import lending
from proxies.lending import Ask
from proxies.models import Lease, Proxy, ProxySource, TargetState
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


def page(name, *args):
    return reverse(f"admin:proxies_{name}", args=args)


def act(client, model, action, rows):
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(page(f"{model}_changelist"), chosen, follow=True)


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


FORM = {
    "name": "mine",
    "kind": "url",
    "url": "https://lists.example.com/all.txt",
    "text": "",
    "format": "auto",
    "default_protocol": "http",
    "headers": "",
    "interval_s": "600",
    "is_enabled": "on",
}


def test_a_source_is_made_and_changed(admin_client):
    made = admin_client.post(page("proxysource_add"), {**FORM, "headers": "X-Token: geheim"})
    source = ProxySource.objects.get(name="mine")
    admin_client.post(page("proxysource_change", source.pk), {**FORM, "interval_s": "900"})

    source.refresh_from_db()
    assert made.status_code == 302
    assert (source.interval_s, source.headers) == (900, "X-Token: geheim")
    admin_client.post(page("proxysource_change", source.pk), {**FORM, "headers": "-"})
    source.refresh_from_db()
    assert source.headers == ""


def test_a_change_leaves_what_workers_wrote_meanwhile(admin_client, monkeypatch):
    source = make_proxy_source(name="mine")
    real = ProxySource.full_clean

    def fetched_meanwhile(self, *args, **kwargs):
        ProxySource.objects.update(last_accepted=77)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(ProxySource, "full_clean", fetched_meanwhile)
    admin_client.post(page("proxysource_change", source.pk), {**FORM, "interval_s": "900"})

    source.refresh_from_db()
    assert (source.interval_s, source.last_accepted) == (900, 77)


def test_a_list_may_be_uploaded(admin_client):
    upload = SimpleUploadedFile("l.txt", b"8.8.8.8:80\n")

    admin_client.post(
        page("proxysource_add"), {**FORM, "kind": "text", "url": "", "upload": upload}
    )

    assert ProxySource.objects.get(name="mine").text == "8.8.8.8:80\n"


@pytest.mark.parametrize(
    "wrong", [{"url": ""}, {"url": "ftp://x.example"}, {"interval_s": "5"}, {"kind": "text"}]
)
def test_a_source_without_sense_is_refused_with_a_word(admin_client, wrong):
    answer = admin_client.post(page("proxysource_add"), {**FORM, **wrong})

    assert answer.status_code == 200
    assert answer.context["errors"] or answer.context["adminform"].form.errors
    assert not ProxySource.objects.filter(name="mine").exists()


def test_a_source_shows_how_many_of_its_proxies_live(admin_client):
    source = make_proxy_source()
    make_source_entry(source=source)
    make_source_entry(source=source, proxy=make_proxy(state="failing"))

    text = admin_client.get(page("proxysource_changelist")).content.decode()

    assert "1 of 2 (50 %)" in text


def test_actions_ask_for_runs(admin_client):
    source, proxy = make_proxy_source(), make_proxy()

    act(admin_client, "proxysource", "fetch_now", [source])
    act(admin_client, "proxy", "check_now", [proxy])
    again = act(admin_client, "proxy", "check_now", [proxy])

    asked = Run.objects.order_by("kind").values_list("kind", "payload")
    assert list(asked) == [
        ("proxies.fetch", {"sources": [source.pk]}),
        ("proxies.validate", {"ids": [proxy.pk], "limit": 2000, "asked": True}),
    ]
    assert "A validation is running" in again.content.decode()


def test_actions_take_out_let_in_lift_and_end(admin_client):
    proxy = make_proxy()
    ban = make_target_state(
        proxy=proxy, blocked_until=NOW + timedelta(days=1), blocked_for="blocked"
    )
    granted = lending.acquire(Ask(holder="tests"), by=SYSTEM, now=NOW)

    act(admin_client, "lease", "end", [Lease.objects.get(pk=granted.id)])
    assert Lease.objects.get().state == "revoked"
    act(admin_client, "targetstate", "lift", [ban])
    assert TargetState.objects.get().blocked_until is None
    act(admin_client, "proxy", "take_out", [proxy])
    assert Proxy.objects.get().state == "blocked"
    act(admin_client, "proxy", "let_in", [proxy])
    assert Proxy.objects.get().state == "failing"


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("model", ["proxy", "lease", "proxysource", "check", "targetstate"])
def test_lists_cost_the_same_for_any_number_of_rows(
    rows, model, admin_client, django_assert_max_num_queries
):
    from tests.proxies import factories

    makers = {"proxysource": "make_proxy_source", "targetstate": "make_target_state"}
    for _ in range(rows):
        getattr(factories, makers.get(model, f"make_{model}"))()

    with django_assert_max_num_queries(10):
        admin_client.get(page(f"{model}_changelist"))
