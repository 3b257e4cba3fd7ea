"""The staff pages."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from project.core.models import Run
from project.storage.models import Backup
from tests.storage.factories import make_backup, make_sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]
LIST = "/admin/storage/backup/"
POOLS = "/admin/storage/poolsample/"


def client_of(**fields) -> Client:
    user = get_user_model().objects.create(email="s@example.com", is_staff=True, **fields)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff() -> Client:
    return client_of(is_superuser=True)


def test_pages_open(staff):
    backup = make_backup(copy_error="away")
    make_backup(state="bad", problem="cut off")
    make_sample(10)

    for address in (LIST, f"{LIST}{backup.pk}/change/", POOLS, f"{POOLS}live/"):
        answer = staff.get(address)
        assert answer.status_code == 200, address
    assert b"cut off" in staff.get(LIST).content
    assert b"storage/pools.js" in staff.get(f"{POOLS}live/").content
    assert b"<script>" not in staff.get(f"{POOLS}live/").content.partition(b'id="content"')[2]


def test_feed_is_json(staff):
    answer = staff.get(f"{POOLS}feed/?minutes=5")

    assert set(answer.json()) == {"seconds", "series", "findings"}
    assert staff.get(f"{POOLS}feed/?minutes=x").status_code == 200


def actions() -> list[tuple[str, str]]:
    return [
        ("back_up_now", "core.backup"),
        ("drill", "storage.drill"),
        ("verify", "storage.verify"),
    ]


def address_of(name: str, backup: Backup) -> str:
    return f"{LIST}{backup.pk}/{name}/" if name == "verify" else f"{LIST}{name}/"


@pytest.mark.parametrize(("name", "kind"), actions())
def test_action_by_post_asks_for_a_run(staff, name, kind):
    address = address_of(name, make_backup())

    answer = staff.post(address, {"_form_submitted": "on"})

    assert answer.status_code in {200, 302}
    assert [run.kind for run in Run.objects.all()] == [kind]
    staff.post(address, {"_form_submitted": "on"})
    assert Run.objects.count() == 1


@pytest.mark.parametrize(("name", "kind"), actions())
def test_action_by_get_changes_nothing(staff, name, kind):
    staff.get(address_of(name, make_backup()))

    assert not Run.objects.exists()


@pytest.mark.parametrize(("name", "kind"), actions())
def test_action_of_staff_without_the_right_changes_nothing(name, kind):
    from django.contrib.auth.models import Permission

    client = client_of()
    user = get_user_model().objects.get(email="s@example.com")
    user.user_permissions.add(Permission.objects.get(codename="view_backup"))

    client.post(address_of(name, make_backup()), {"_form_submitted": "on"})

    assert client.get(LIST).status_code == 200
    assert not Run.objects.exists()


def test_pools_are_closed_to_staff_without_the_right():
    client = client_of()

    assert client.get(f"{POOLS}live/").status_code == 403
    assert client.get(f"{POOLS}feed/").status_code == 403


def test_backup_list_asks_the_same_number_of_queries_for_one_and_three(
    staff, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    make_backup()
    staff.get(LIST)
    with CaptureQueriesContext(connection) as one:
        staff.get(LIST)
    make_backup()
    make_backup()
    with CaptureQueriesContext(connection) as three:
        staff.get(LIST)

    assert len(one) == len(three)
