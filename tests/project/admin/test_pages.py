"""What holds for every page of the console, whichever app it belongs to."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import limiting
from project.core import errors
from project.core.admin import pages
from tests.factories import make_job, make_run

#: Actions that only give a file, or open a page whose forms are sent by POST.
ONLY_SHOW = ("/file/", "/next-cycle/", "/import/", "/import-candles/", "/report/")
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


def actions() -> list[tuple[str, bool]]:
    """Return every list, row and detail action as (address, whether a dialog asks first)."""
    found = []
    pages: list[Any] = list(admin.site._registry.values())
    for page in pages:
        on_list: list[tuple[Any, list[str]]] = [
            (action, []) for action in page._get_base_actions_list()
        ]
        on_rows = [*page._get_base_actions_row(), *page._get_base_actions_detail()]
        for action, args in [*on_list, *((action, ["1"]) for action in on_rows)]:
            address = reverse(f"admin:{action.action_name}", args=args)
            found.append((address, bool(action.dialog)))
    return found


def test_every_action_asks_in_a_dialog():
    """Without a dialog unfold carries an action out on a plain GET, past the CSRF check."""
    bare = [address for address, has_dialog in actions() if not has_dialog]

    assert [address for address in bare if not address.endswith(ONLY_SHOW)] == []


@pytest.mark.django_db
def test_no_action_changes_anything_by_get(console):
    wrote = []

    for address, _ in actions():
        with CaptureQueriesContext(connection) as asked:
            console.get(address)
        if any(query["sql"].startswith(WRITES) for query in asked):
            wrote.append(address)

    assert actions()
    assert wrote == []


@pytest.mark.django_db
def test_lists_of_runs_and_jobs_ask_as_much_for_one_row_as_for_three(console):
    def count(address: str) -> int:
        limiting.forget()  # read every two seconds, else
        with CaptureQueriesContext(connection) as asked:
            console.get(address)
        return len(asked)

    addresses = [
        reverse("admin:core_run_changelist"),
        reverse("admin:django_celery_beat_periodictask_changelist"),
        reverse("admin:index"),
    ]
    make_run()
    make_job(every_s=60)
    [count(address) for address in addresses]  # content types are remembered
    for_one = [count(address) for address in addresses]
    for _ in range(2):
        make_run()
        make_job(every_s=60)

    assert [count(address) for address in addresses] == for_one


@pytest.mark.django_db
def test_carry_out_tells_of_a_refusal_and_goes_to_our_own_places_only(rf, ada):
    def refuse() -> str:
        raise errors.ConflictError("it is at work")

    request = rf.post("/", {"next": "https://elsewhere.example/"})
    request.user = ada
    told = []
    request._messages = type("Told", (), {"add": lambda self, *args: told.append(args)})()

    answer = pages.carry_out(request, refuse, to="/admin/")

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert [args[1] for args in told] == ["Conflict: it is at work"]


def test_lead_tells_htmx_by_a_header(rf):
    request = rf.post("/", {"next": "/admin/core/run/"}, headers={"HX-Request": "true"})

    answer = pages.lead(request, "/admin/")

    assert (answer.status_code, answer["HX-Redirect"]) == (200, "/admin/core/run/")


def test_caller_of_is_staff(rf, ada):
    request = rf.get("/")
    request.user = ada

    caller = pages.caller_of(request)

    assert (caller.user_id, caller.is_staff) == (ada.pk, True)


#: Keys that no row has: gone, of another kind, larger than a column, with more digits than a number.
NO_KEYS = ("1", "x", "0" * 8 + "-0000-4000-8000-" + "0" * 12, "9" * 19, "9" * 5000, "\u0663")


@pytest.mark.django_db
@pytest.mark.parametrize("key", NO_KEYS, ids=range(len(NO_KEYS)))
def test_an_act_on_a_row_that_is_not_there_is_no_fault_of_ours(console, key):
    console.raise_request_exception = False
    faults = []
    pages: list[Any] = list(admin.site._registry.values())
    for page in pages:
        name = f"admin:{page.opts.app_label}_{page.opts.model_name}"
        addresses = [reverse(f"{name}_{end}", args=[key]) for end in ("change", "history")]
        on_rows = [*page._get_base_actions_row(), *page._get_base_actions_detail()]
        addresses += [reverse(f"admin:{action.action_name}", args=[key]) for action in on_rows]
        for address in addresses:
            told = {console.get(address).status_code, console.post(address, {}).status_code}
            if any(status >= 500 for status in told):
                faults.append(address[:80])

    assert faults == []


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["9" * 5000, "-1", "x", "\u0663"])
def test_a_number_in_an_address_that_is_none_is_passed_by(console, number):
    run = make_run()
    for address in (
        reverse("admin:proxies_poolsnapshot_feed"),
        reverse("admin:storage_poolsample_feed"),
        reverse("admin:core_run_news", args=[run.pk]),
        reverse("admin:core_auditentry_changelist"),
    ):
        query = {"minutes": number, "since": number, "user": number}
        assert console.get(address, query if "audit" not in address else {"user": number})
