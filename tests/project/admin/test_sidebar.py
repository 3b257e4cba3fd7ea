"""The side bar: each page once, only those a person may open."""

from collections import Counter

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from project.core.admin import sidebar
from tests.factories import make_staff


def asked_by(rf, user, path: str = "/admin/"):
    request = rf.get(path)
    request.user = user
    return request


def links(groups) -> list[str]:
    return [item["link"] for group in groups for item in group["items"]]


@pytest.mark.django_db
def test_every_page_is_there_once(rf, ada):
    found = Counter(links(sidebar.navigation(asked_by(rf, ada))))

    pages = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    ]
    assert {page: found[page] for page in pages} == dict.fromkeys(pages, 1)


@pytest.mark.django_db
def test_only_what_a_person_may_see(rf):
    looker = make_staff(is_superuser=False)
    looker.user_permissions.add(Permission.objects.get(codename="view_run"))

    groups = sidebar.navigation(asked_by(rf, looker))

    assert [group["title"] for group in groups] == ["Operations", "Reference"]
    assert [item["title"] for item in groups[0]["items"]] == ["Dashboard", "Runs", "Saved filters"]


@pytest.mark.django_db
def test_the_open_page_is_marked(rf, ada):
    request = asked_by(rf, ada, reverse("admin:core_run_changelist"))

    groups = sidebar.navigation(request)

    active = [item["title"] for group in groups for item in group["items"] if item["active"](None)]
    assert active == ["Runs"]


@pytest.mark.parametrize(
    ("name", "files", "badge"),
    [
        ("production", (), "Production"),
        ("embedded", ("sandbox.json",), "Demo"),
        ("embedded", (), "Embedded"),
    ],
)
def test_environment_badge(rf, settings, tmp_path, name, files, badge):
    settings.ENVIRONMENT, settings.DATA_DIR = name, tmp_path
    for file in files:
        (tmp_path / file).touch()

    assert sidebar.environment(rf.get("/"))[0] == badge


def test_every_page_has_an_icon_of_its_own():
    labels = {model._meta.label_lower for model in admin.site._registry}

    assert sorted(labels - set(sidebar.ICONS)) == []
    assert sorted(set(sidebar.ICONS) - labels) == []
