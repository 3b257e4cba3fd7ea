import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts import locking_out, mailing
from accounts.models import ApiKey, User
from project.core.models import AuditEntry
from tests.factories import PASSWORD, make_device, make_key, make_staff, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("first_plans")]
NEW = "a-new-swamp-8"


@pytest.fixture
def ann(db: Any) -> User:
    return make_user(email="ann@example.com", password=PASSWORD)


def browser(user: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    submit(client, "/sign-in", email=user.email, password=PASSWORD)
    return client


def submit(client: Client, path: str, *, page: str = "", **fields: Any) -> Any:
    """Fill a page's form in as a person would."""
    html = client.get(page or path).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
    assert token is not None, html
    return client.post(path, {"csrfmiddlewaretoken": token[1], **fields})


def test_new_user_registers_makes_a_key_and_revokes_it(settings):
    settings.REGISTRATION = "open"
    client = Client(enforce_csrf_checks=True)

    made = submit(client, "/register", email="Bob@example.com", password=PASSWORD)
    assert made["Location"] == "/sign-in"
    came = submit(client, "/sign-in", email="bob@example.com", password=PASSWORD)
    assert came["Location"] == "/account"
    page = submit(client, "/account", name="laptop", scopes=["markets:read"]).content.decode()

    secret = re.search(r"mr_[\w-]{43}", page)
    assert secret is not None
    assert (
        client.get("/api/runs", headers={"Authorization": f"Api-Key {secret[0]}"}).status_code
        == 200
    )
    assert secret[0] not in client.get("/account").content.decode()
    key = ApiKey.objects.get()
    assert (key.name, key.scopes) == ("laptop", ["markets:read"])
    submit(client, f"/account/keys/{key.pk}/revoke", page="/account")
    assert "No keys yet" in client.get("/account").content.decode()


def test_keys_that_staff_make_on_their_own_page_are_in_the_trail():
    ada = make_staff(email="ada@example.org", password=PASSWORD)
    client = browser(ada)

    submit(client, "/account", name="laptop", scopes=["markets:read"])
    key = ApiKey.objects.get()
    submit(client, f"/account/keys/{key.pk}/revoke", page="/account")

    rows = AuditEntry.objects.order_by("pk")
    assert list(rows.values_list("object_id", "said", "user_name", "channel", "address")) == [
        (str(key.pk), said, "ada@example.org", "account", "127.0.0.1")
        for said in ("Made a key of ada@example.org.", "Revoked.")
    ]


def test_pages_have_no_script_in_them_and_are_not_kept(ann):
    client = browser(ann)

    for path in ("/sign-in", "/register", "/account", "/account/password", "/password/reset",
                 "/password/reset/x"):  # fmt: skip
        answer = client.get(path)
        html = answer.content.decode()
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store"), path
        own = ['<script type="module" src="/static/millrace/account.js">']
        assert re.findall("<script[^>]*>", html) == (own if path == "/account" else [])
        assert "style=" not in html
        assert not re.search(r"\son\w+=", html)


def test_wrong_password_is_a_word_and_then_a_lock(ann):
    client = Client()
    for _ in range(locking_out.FROM_ONE):
        page = client.post("/sign-in", {"email": ann.email, "password": "wrong"})
        assert "Wrong e-mail or password" in page.content.decode()

    page = client.post("/sign-in", {"email": ann.email, "password": PASSWORD})

    assert "too many failed sign-ins" in page.content.decode()
    assert "sessionid" not in client.cookies


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "/admin/"])
def test_sign_in_leads_to_own_pages_alone(ann, place):
    answer = Client().post("/sign-in", {"email": ann.email, "password": PASSWORD, "next": place})

    assert answer["Location"] == (place if place == "/admin/" else "/account")


def test_account_is_closed_to_strangers_and_their_things(ann):
    key, device = make_key().key, make_device()

    assert Client().get("/account")["Location"] == "/sign-in?next=/account"
    client = browser(ann)
    submit(client, f"/account/keys/{key.pk}/revoke", page="/account")
    submit(client, f"/account/devices/{device.pk}/revoke", page="/account")

    key.refresh_from_db()
    device.refresh_from_db()
    assert key.revoked_at is None


def test_nothing_changes_by_get(ann):
    client, key = browser(ann), make_key(ann).key

    for path in ("/sign-out", f"/account/keys/{key.pk}/revoke", "/account/devices/revoke-others"):
        assert client.get(path).status_code == 405
    assert client.get("/account").status_code == 200


def test_other_browsers_are_signed_out(ann):
    here, there, third = browser(ann), browser(ann), browser(ann)
    for client in (there, third):
        client.get("/account")

    submit(here, "/account/devices/revoke-others", page="/account")

    assert [client.get("/account").status_code for client in (here, there, third)] == [
        200,
        302,
        302,
    ]
    submit(here, "/sign-out", page="/account")
    assert here.get("/account").status_code == 302


def test_password_is_changed_and_others_end(ann):
    here, there = browser(ann), browser(ann)

    wrong = submit(here, "/account/password", current_password="x", new_password=NEW)
    done = submit(here, "/account/password", current_password=PASSWORD, new_password=NEW)

    assert "another one" in wrong.content.decode()
    assert done["Location"] == "/account"
    assert [client.get("/account").status_code for client in (here, there)] == [200, 302]


def test_forgotten_password_is_set_by_the_link(ann):
    client = Client(enforce_csrf_checks=True)
    token = mailing.token_of(ann)

    asked = submit(client, "/password/reset", email="nobody@example.com")
    done = submit(client, f"/password/reset/{token}", new_password=NEW)

    assert asked["Location"] == done["Location"] == "/sign-in"
    ann.refresh_from_db()
    assert ann.check_password(NEW)
    assert "does not hold" in client.get(f"/password/reset/{token}").content.decode()


def test_closed_registration_shows_no_form(settings):
    settings.REGISTRATION = "closed"

    assert "Accounts are made by staff" in Client().get("/register").content.decode()
    assert Client().post("/register", {"email": "a@b.de", "password": PASSWORD}).status_code == 200
    assert not User.objects.exists()


def test_style_sheet_is_there():
    assert (Path(settings.BASE_DIR) / "static/millrace/account.css").exists()
