"""No GET changes anything: every address of the site and every action of the console, asked by
whoever could change something, leaves every row of every table as it was.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest
from django.apps import apps
from django.contrib import admin
from django.core import serializers
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, Device, Session, User
from project.core.choices import RunStatus
from tests.architecture.test_access import VALUES, routes
from tests.architecture.test_admin import SHOWN, changelist, maker_of
from tests.factories import make_key, make_run, make_staff, make_user

pytestmark = pytest.mark.django_db
#: When somebody was last seen is written down behind every request: by whom, nothing else.
SEEN: Final[dict[Any, tuple[str, ...]]] = {
    Device: ("last_seen_at", "address", "agent"),
    ApiKey: ("last_used_at", "last_address", "last_agent"),
    User: ("last_login",),
    Session: ("expire_date",),
}


def state() -> dict[str, dict[str, Any]]:
    """Return every row of every table of ours, by model and key."""
    found: dict[str, dict[str, Any]] = {}
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed or len(model._meta.pk_fields) > 1:
            continue
        rows = {}
        for row in serializers.serialize("python", model._default_manager.all()):
            kept = {k: v for k, v in row["fields"].items() if k not in SEEN.get(model, ())}
            rows[str(row["pk"])] = kept
        found[model._meta.label] = rows
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            found[f"table {table}"] = {"rows": cursor.fetchone()[0]}
    return found


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the rows that are other ones than before, by model."""
    found = {}
    for label, rows in after.items():
        keys = {*rows, *before[label]}
        others = {key for key in keys if rows.get(key) != before[label].get(key)}
        if others:
            found[label] = {key: (before[label].get(key), rows.get(key)) for key in others}
    return found


@pytest.fixture
def rows() -> dict[Any, Any]:
    """Return a row of each model that a test can make, so that addresses lead somewhere."""
    made = {}
    for model in SHOWN:
        if maker := maker_of(model):
            made[model] = maker()
    return made


def filled(address: str, values: dict[str, str]) -> str:
    parts = [
        values.get(part, VALUES.get(part, "1" if part.startswith("<int:") else part))
        for part in address.split("/")
    ]
    return "/" + "/".join(parts)


@pytest.mark.parametrize("who", ["user", "staff", "staff key"])
def test_no_address_changes_anything_by_get(who, rows):
    user = make_user() if who == "user" else make_staff()
    run = make_run(requested_by=user, status=RunStatus.FAILED)
    values = {"<uuid:run_id>": str(run.pk)}
    client = Client(raise_request_exception=False)
    if who == "staff key":
        client = Client(
            headers={"Authorization": f"Api-Key {make_key(user, scopes=['admin']).secret}"}
        )
    else:
        client.force_login(user)
    client.get("/account")  # notes the browser
    before = state()

    for address in routes():
        client.get(filled(address, values))

    assert differences(before, state()) == {}


def console_addresses(rows: dict[Any, Any]) -> list[str]:
    """Return every page and every action of the console, of the rows that there are."""
    found = [reverse("admin:index")]
    for model in SHOWN:
        page: Any = admin.site._registry[model]
        found.append(changelist(model))
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = rows.get(model) or model._default_manager.first()
        if row is None:
            continue
        found += [reverse(f"{name}_{end}", args=[row.pk]) for end in ("change", "delete")]
        on_rows = [*page._get_base_actions_row(), *page._get_base_actions_detail()]
        found += [reverse(f"admin:{one.action_name}", args=[row.pk]) for one in on_rows]
        for one in page.actions or ():
            deed = one if isinstance(one, str) else one.__name__
            query = f"?action={deed}&_selected_action={row.pk}&_agreed=yes&post=yes"
            found.append(changelist(model) + query)
    return found


def test_no_page_or_action_of_the_console_changes_anything_by_get(rows, admin_client):
    admin_client.get("/admin/")
    addresses = console_addresses(rows)
    before = state()

    statuses = {address: admin_client.get(address).status_code for address in addresses}

    assert differences(before, state()) == {}
    assert len(addresses) > 150
    assert {status for status in statuses.values() if status >= 500} == set()


def asks(action: Callable[..., Any] | None) -> bool:
    """Say whether an action on many rows is wrapped by ``asking_back``."""
    return action is not None and action.__code__.co_name == "asked"


def test_every_action_on_many_rows_asks_back():
    bare = {
        f"{model._meta.label}.{name}"
        for model, page in admin.site._registry.items()
        for name in page.actions or ()
        if not asks(getattr(type(page), str(name), None))
    }

    assert bare == set()
