"""Every model has staff pages, and rows do not cost queries (all pages: project/admin/test_every_page)."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import limiting
from tests.architecture.places import APPS

OWN = {app: [f"tests.{folder}.factories" for folder in app.tests] for app in APPS}
#: Apps whose rows anybody may make: each of their models has a maker.
COMPLETE = {"core", "accounts"}


def is_ours(model: Any) -> bool:
    return any(app.owns(model.__module__) for app in APPS)


def has_composite_key(model: Any) -> bool:
    return len(model._meta.pk_fields) > 1


#: Shown in full on the page of the run that they belong to; as the device that they are, since
#: a session's number is its secret.
ON_THEIR_PARENT = {"core.RunEvent", "accounts.Session"}
OURS = [model for model in apps.get_models() if is_ours(model)]
SHOWN = [
    model
    for model in OURS
    if not has_composite_key(model) and model._meta.label not in ON_THEIR_PARENT
]


def name(model: Any) -> str:
    return str(model._meta.label)


def maker_of(model: Any) -> Callable[[], Any] | None:
    """Return what makes a row of ``model``: ``make_<model>`` of a module of factories."""
    own = next(names for app, names in OWN.items() if app.owns(model.__module__))
    for module in (*own, "tests.factories"):
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        words = "".join(f"_{x.lower()}" if x.isupper() else x for x in model.__name__)
        for wanted in (f"make{words}", f"make_{model.__name__.lower()}"):
            maker: Callable[[], Any] | None = getattr(found, wanted, None)
            if maker is not None:
                return maker
    return None


def changelist(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.mark.parametrize("model", SHOWN, ids=name)
def test_changelist_opens_and_searches(model, admin_client):
    assert admin.site.is_registered(model)

    for query in ({}, {"q": "x"}):
        answer = admin_client.get(changelist(model), query)
        assert answer.status_code == 200 or "e=1" not in answer.get("Location", "e=1")


@pytest.mark.parametrize("model", SHOWN, ids=name)
def test_changelist_costs_the_same_for_any_number_of_rows(model, admin_client):
    maker = maker_of(model)
    if maker is None:
        assert model._meta.app_label not in COMPLETE, f"tests/factories.py lacks {model}"
        pytest.skip("no factory makes rows of it")
    maker()
    admin_client.get(changelist(model))  # fills caches of content types and the like
    limiting.forget()  # its rules are read every two seconds, else
    with CaptureQueriesContext(connection) as one:
        assert admin_client.get(changelist(model)).status_code == 200
    maker()
    maker()
    admin_client.get(changelist(model))  # new rows may make what was remembered of callers old
    limiting.forget()
    with CaptureQueriesContext(connection) as three:
        assert admin_client.get(changelist(model)).status_code == 200

    assert len(three) == len(one), [query["sql"] for query in three]


#: Acts that lead to a page or file, and change nothing.
LOOKS = {
    "markets.CollectorConfig.import_files",  # shows what would change, and asks then
    "markets.CollectorConfig.next_cycle",
    "markets.CollectorConfig.show_file",
    "markets.Market.open_import",
    "markets.QualitySummary.report",
}
PLACES = ("actions_list", "actions_detail", "actions_row", "actions_submit_line")


def acts(model: Any, places: tuple[str, ...]) -> dict[str, Callable[..., Any]]:
    """Return the acts of a model's staff pages by name, those of menus, too."""
    page, found = admin.site.get_model_admin(model), {}
    for place in places:
        for one in getattr(page, place, ()) or ():
            for word in one["items"] if isinstance(one, dict) else [one]:
                found[f"{name(model)}.{word}"] = getattr(page, word)
    return found


@pytest.mark.parametrize("model", admin.site._registry, ids=name)
def test_every_act_by_a_button_has_a_dialog(model):
    silent = [one for one, act in acts(model, PLACES).items() if not getattr(act, "dialog", None)]

    assert set(silent) <= LOOKS, "what changes something has a dialog, and so is POST only"


@pytest.mark.parametrize(
    "model", [model for model in SHOWN if admin.site.get_model_admin(model).actions], ids=name
)
def test_acts_on_chosen_rows_change_nothing_until_agreed(model, admin_client):
    maker, page = maker_of(model), admin.site.get_model_admin(model)
    assert maker is not None, f"tests/factories.py lacks {model}"
    row = maker()
    before = model.objects.values().get(pk=row.pk)

    for one in page.actions or ():
        chosen = {"action": one, "_selected_action": [str(row.pk)]}
        answer = admin_client.post(changelist(model), chosen)
        assert (answer.status_code, answer.template_name) == (200, "admin/core/ask_back.html"), one

    assert model.objects.values().get(pk=row.pk) == before


@pytest.mark.parametrize("model", SHOWN, ids=name)
@pytest.mark.django_db
def test_pages_of_rows_without_permission_are_closed(model, client):
    from tests.factories import make_user

    client.force_login(make_user())

    assert client.get(changelist(model)).status_code == 302
