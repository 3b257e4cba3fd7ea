import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from project.core.models import Run
from proxies.models import ProxySource
from tests.factories import make_staff
from tests.proxies.admin.pages import FORM, page
from tests.proxies.factories import (
    make_proxy,
)

pytestmark = pytest.mark.django_db


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
