import re

import pytest
from django.conf import settings

from accounts import keys
from accounts.models import ApiKey, User
from tests.factories import PASSWORD, make_api_key, make_user

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
    admin_client.post("/admin/accounts/apikey/", chosen)

    key.refresh_from_db()
    assert key.revoked_at is not None


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
