import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from proxies.models import ProxySource
from tests.proxies.admin.pages import FORM, page
from tests.proxies.factories import (
    NOW,
    make_proxy,
    make_proxy_source,
    make_source_entry,
)

pytestmark = pytest.mark.django_db


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
