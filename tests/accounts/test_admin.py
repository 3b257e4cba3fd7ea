import re

import pytest
from django.conf import settings
from django.utils import timezone

from accounts import keys, refusals
from accounts.models import ApiKey, User
from project.core.admin.asking import AGREED
from project.core.limits import Verdict
from tests.factories import PASSWORD, make_api_key, make_device, make_key, make_user

pytestmark = pytest.mark.django_db


def form(user: User, **fields: object) -> dict[str, object]:
    """What a browser sends to make a key."""
    return {"user": user.pk, "name": "n", "scopes": ["markets:read"], "expires_at_0": "",
            "expires_at_1": "", **fields}  # fmt: skip


def test_key_made_by_staff_is_shown_once(admin_client, user, now):
    answer = admin_client.post("/admin/accounts/apikey/add/", form(user), follow=True)

    (secret,) = set(re.findall(r"mr_[\w-]{43}", answer.content.decode()))
    found = keys.recognise(secret, now=now)
    assert found is not None
    assert (found[0], found[1].scopes) == (user, frozenset({"markets:read"}))
    page = admin_client.get(f"/admin/accounts/apikey/{ApiKey.objects.get().pk}/change/")
    assert secret not in page.content.decode()


@pytest.mark.parametrize("scopes", [["admin"], ["nonsense"], ["markets:read", "admin"]])
def test_key_that_cannot_be_made_is_a_word_at_the_form(scopes, admin_client, user):
    answer = admin_client.post("/admin/accounts/apikey/add/", form(user, scopes=scopes))

    assert answer.status_code == 200
    assert "scopes" in answer.context["adminform"].form.errors
    assert not ApiKey.objects.exists()


def test_chosen_keys_are_revoked_by_post_alone(admin_client):
    key = make_api_key()
    chosen = {"action": "revoke", "_selected_action": [key.pk]}

    admin_client.get("/admin/accounts/apikey/", chosen)
    key.refresh_from_db()
    assert key.revoked_at is None
    asked = admin_client.post("/admin/accounts/apikey/", chosen)
    key.refresh_from_db()
    assert key.revoked_at is None
    assert "Revoke these keys?" in asked.content.decode()
    admin_client.post("/admin/accounts/apikey/", {**chosen, AGREED: "yes"})

    key.refresh_from_db()
    assert key.revoked_at is not None


def test_key_is_rotated_in_a_dialog_and_the_new_one_shown_once(admin_client, now):
    old = make_key(make_user(), scopes=["markets:read"])
    address = f"/admin/accounts/apikey/{old.key.pk}/rotate/"

    admin_client.get(address)
    assert keys.recognise(old.secret, now=now) is not None
    answer = admin_client.post(address, {"_form_submitted": "True"}, follow=True)

    (secret,) = set(re.findall(r"mr_[\w-]{43}", answer.content.decode()))
    assert keys.recognise(old.secret, now=now) is None
    found = keys.recognise(secret, now=now)
    assert found is not None
    assert found[1].scopes == frozenset({"markets:read"})
    again = admin_client.post(address, {"_form_submitted": "True"}, follow=True)
    assert "was taken back already" in again.content.decode()


def test_page_of_a_user_tells_plan_use_browsers_keys_and_refusals(admin_client, first_plans):
    user = make_user(email="ann@example.com")
    key = make_key(user).key
    make_device(user=user, agent="Firefox on a farm")
    when = timezone.now()
    for _ in range(3):
        refusals.note(f"key:{key.pk}", Verdict(False, "api", 60, 0, 5), now=when)

    page = admin_client.get(f"/admin/accounts/user/{user.pk}/change/").content.decode()
    listed = admin_client.get("/admin/accounts/user/").content.decode()

    assert "Plan Free" in page
    assert "Turned away by limits today" in page
    assert re.search(rf"{key.prefix}….*3 \(api: 60\)", page, re.DOTALL)
    assert f"/admin/accounts/apikey/{key.pk}/rotate" in page
    assert "Leases at once" in page
    assert re.search(r"field-keys_held[^>]*>\s*1\b", listed)


def test_user_is_signed_out_everywhere_in_a_dialog(admin_client, client):
    user = make_user()
    client.force_login(user)
    address = f"/admin/accounts/user/{user.pk}/sign_out/"

    admin_client.get(address)
    assert client.get("/api/auth/me").status_code == 200
    admin_client.post(address, {"_form_submitted": "True"})

    assert client.get("/api/auth/me").status_code == 401


def test_user_made_by_staff_can_sign_in_however_the_email_was_written(admin_client, client):
    fields = {"email": "Ann@Example.com", "password1": PASSWORD, "password2": PASSWORD,
              "usable_password": "true"}  # fmt: skip

    admin_client.post("/admin/accounts/user/add/", fields)

    assert User.objects.get(email="ann@example.com").check_password(PASSWORD)


@pytest.mark.parametrize("rows", [1, 3])
def test_keys_cost_the_same_for_any_number_of_rows(rows, admin_client, django_assert_num_queries):
    for _ in range(rows):
        make_api_key(user=make_user())
    admin_client.get("/admin/accounts/apikey/")

    with django_assert_num_queries(5 + (not settings.REDIS_URL)):
        admin_client.get("/admin/accounts/apikey/")


def test_key_without_chosen_scopes_may_all_but_admin(admin_client, user):
    admin_client.post("/admin/accounts/apikey/add/", form(user, scopes=[]))

    assert len(ApiKey.objects.get().scopes) == 8


def test_key_can_be_renamed_by_staff(admin_client, user):
    key = make_api_key(user=user, scopes=["markets:read"])

    admin_client.post(f"/admin/accounts/apikey/{key.pk}/change/", form(user, name="renamed"))

    key.refresh_from_db()
    assert (key.name, key.scopes) == ("renamed", ["markets:read"])
