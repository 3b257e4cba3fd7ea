from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from project.core.callers import SYSTEM
from project.core.models import AuditEntry, Run
from proxies import lending
from proxies.lending import Ask
from proxies.models import Lease, Proxy, ProxySource, TargetState
from tests.factories import make_staff
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


def act(client, model, action, rows, **more):
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], "_agreed": "yes"}
    return client.post(page(f"{model}_changelist"), {**chosen, **more}, follow=True)


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
    make_source_entry(source=source, proxy=make_proxy(last_ok_at=NOW))
    make_source_entry(source=source, proxy=make_proxy(state="failing"))

    text = admin_client.get(page("proxysource_changelist")).content.decode()

    assert "1 of 2 passed (50 %) · 1 work now" in text


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


def test_actions_move_ban_and_retire(admin_client):
    rows = [make_proxy(pool="cold"), make_proxy(pool="cold"), make_proxy(state="failing")]

    act(admin_client, "proxy", "move", rows, pool="hot")
    assert sorted(Proxy.objects.values_list("pool", flat=True)) == ["", "hot", "hot"]
    act(admin_client, "proxy", "ban", rows[:1], target="api.binance.com", hours="2")
    banned = TargetState.objects.get()
    assert (banned.target, banned.proxy_id, banned.blocked_for) == (
        "binance.com",
        rows[0].pk,
        "blocked",
    )
    act(admin_client, "proxy", "retire", rows[:2])
    assert Proxy.objects.filter(state="retired").count() == 2
    said = AuditEntry.objects.values_list("said", flat=True)
    assert {"Moved 2 to hot.", "Banned 1 at api.binance.com.", "Retired 2."} <= set(said)


@pytest.mark.parametrize(
    ("model", "action"),
    [("proxy", name) for name in ("check_now", "move", "ban", "retire", "take_out", "let_in")]
    + [("lease", "end"), ("targetstate", "lift"), ("proxysource", "fetch_now")],
)
def test_every_action_asks_back_and_changes_nothing_until_then(admin_client, model, action):
    rows = {
        "proxy": make_proxy,
        "lease": make_lease,
        "targetstate": make_target_state,
        "proxysource": make_proxy_source,
    }
    row: Any = rows[model]()
    before = list(type(row).objects.values())

    chosen = {"action": action, "_selected_action": [row.pk]}
    answer = admin_client.post(page(f"{model}_changelist"), chosen)

    text = answer.content.decode()
    assert (answer.status_code, answer.template_name) == (200, "admin/core/ask_back.html")
    assert f'name="_selected_action" value="{row.pk}"' in text
    assert "of 1 chosen" in text
    assert list(type(row).objects.values()) == before
    assert not Run.objects.exists()
    assert not TargetState.objects.exclude(pk=getattr(row, "pk", 0)).exists() or model != "proxy"


def told_lease(proxy, **fields):
    usual = {
        "target": "binance.com",
        "outcome": "captcha",
        "state": "released",
        "ended_at": NOW,
        "released_at": NOW,
        "request_id": "order-66",
        "renewals": 2,
        "rested_since": NOW - timedelta(seconds=40),
        "score": 61.0,
    }
    return make_lease(proxy=proxy, **{**usual, **fields})


def test_a_row_of_the_leases_opens_on_its_story_and_its_neighbours(
    admin_client, django_assert_max_num_queries
):
    proxy = make_proxy()
    told_lease(proxy, holder="the-neighbour")
    told_lease(proxy)
    address = page("lease_changelist")
    admin_client.get(address)

    with CaptureQueriesContext(connection) as two:
        text = admin_client.get(address).content.decode()
    for _ in range(4):
        told_lease(make_proxy())
    with django_assert_max_num_queries(len(two)):
        admin_client.get(address)

    for words in ("Why this proxy", "last lent 40 s before", "order-66", "2 times", "Captcha"):
        assert words in text
    assert text.count("the-neighbour") >= 3  # its own row and story, and its neighbour's table


def test_the_page_of_a_proxy_has_its_leases_to_be_opened(admin_client):
    proxy, idle = make_proxy(), make_proxy()
    told_lease(proxy)

    text = admin_client.get(page("proxy_change", proxy.pk)).content.decode()
    none = admin_client.get(page("proxy_change", idle.pk)).content.decode()

    assert '<details class="mr-lease">' in text
    assert "last lent 40 s before" in text
    assert "Never lent." in none


def test_an_action_tells_how_many_of_the_chosen_would_change(admin_client):
    rows = [make_proxy(), make_proxy(), make_proxy(state="blocked")]

    chosen = {"action": "take_out", "_selected_action": [row.pk for row in rows]}
    answer = admin_client.post(page("proxy_changelist"), chosen)

    assert (answer.context_data["changing"], answer.context_data["chosen"]) == (2, 3)


def test_a_ban_without_sense_is_asked_again_or_told(admin_client):
    proxy = make_proxy()

    asked = act(admin_client, "proxy", "ban", [proxy], target="", hours="2")
    told = act(admin_client, "proxy", "ban", [proxy], target="localhost", hours="2")

    assert "would change" in asked.content.decode()
    assert "This is no site" in told.content.decode()
    assert not TargetState.objects.exists()


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


def test_the_overview_opens_and_feeds(admin_client):
    make_proxy(country="DE")
    answer = admin_client.get(page("poolsnapshot_changelist"))
    feed = admin_client.get(reverse("admin:proxies_poolsnapshot_feed"), {"minutes": "60"}).json()

    assert "millrace/pool.js" in answer.content.decode()
    assert sorted(feed) == ["countries", "history", "now", "sources", "targets"]
    assert feed["countries"][0]["name"] == "Germany"


@pytest.mark.parametrize(
    ("data", "word"), [(b"", "something in it"), (b"\x1f\x8b\x08" + b"x" * 99, "a gzip file")]
)
def test_an_upload_that_is_no_list_is_refused_in_words(admin_client, data, word):
    def file():
        return SimpleUploadedFile("l.txt", data)

    looked = admin_client.post(reverse("admin:proxies_importupload_preview"), {"file": file()})
    taken = admin_client.post(
        reverse("admin:proxies_importupload_take"), {"file": file()}, follow=True
    )
    form = {**FORM, "kind": "text", "url": "", "upload": file()}
    source = admin_client.post(page("proxysource_add"), form)

    assert looked.status_code == 422
    assert word in looked.json()["detail"]
    assert word in taken.content.decode()
    assert not Run.objects.exists()
    assert not ProxySource.objects.filter(name="mine").exists()
    assert ("empty" if not data else word) in source.content.decode()


def test_an_import_is_looked_at_then_taken(admin_client):
    make_proxy(host="8.8.4.4", port=80)
    text = "8.8.8.8:80\nhans:geheim@9.9.9.9:80\n8.8.4.4:80\n10.0.0.1:80\n1.2.3.4:99999\n"
    upload = SimpleUploadedFile("l.txt", text.encode())

    preview = reverse("admin:proxies_importupload_preview")
    found = admin_client.post(preview, {"file": upload, "format": "auto"})
    taken = admin_client.post(reverse("admin:proxies_importupload_take"), {"text": text})

    told = found.json()
    assert (told["accepted"], told["duplicates"], told["rejected"]) == (2, 1, 2)
    assert [one["proxy"] for one in told["taken"]] == [
        "http://8.8.8.8:80",
        "http://hans:***@9.9.9.9:80",
    ]
    assert [(one["line"], one["reason"]) for one in told["refused"]] == [
        (4, "private_address"),
        (5, "bad_port"),
    ]
    assert "geheim" not in found.content.decode()
    run = Run.objects.get()
    assert (run.kind, taken["Location"]) == (
        "proxies.import",
        reverse("admin:core_run_change", args=[run.pk]),
    )


def test_an_import_without_a_list_or_by_get_does_nothing(admin_client):
    assert admin_client.get(reverse("admin:proxies_importupload_take")).status_code == 405
    empty = admin_client.post(reverse("admin:proxies_importupload_preview"), {"text": " "})
    told = admin_client.post(reverse("admin:proxies_importupload_take"), {}, follow=True)

    assert (empty.status_code, empty.json()["code"]) == (422, "empty_import")
    assert "The list is empty" in told.content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize("name", ["take", "preview"])
def test_whoever_may_only_look_imports_nothing(client, name):
    from django.contrib.auth.models import Permission

    viewer = make_staff(is_superuser=False)
    viewer.user_permissions.add(Permission.objects.get(codename="view_importupload"))
    client.force_login(viewer)

    url = reverse(f"admin:proxies_importupload_{name}")
    assert client.post(url, {"text": "8.8.8.8:80"}).status_code == 403


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
