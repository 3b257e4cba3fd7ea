from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from accounts import keys
from accounts.choices import ALL_BUT_ADMIN, Scope
from accounts.keys import Wish
from accounts.models import ApiKey, User
from project.core.callers import SYSTEM, Caller
from project.core.models import AuditEntry
from tests.factories import make_api_key, make_key, make_staff, make_user
from tests.project.rivals import rivals

pytestmark = pytest.mark.django_db


def test_create_stores_a_digest_and_never_the_key(now, user):
    made = keys.create(user, Wish(name="laptop"), now=now)

    row = ApiKey.objects.get()
    assert made.key == row
    assert made.secret.startswith("mr_")
    assert len(made.secret) >= 45
    assert made.secret not in str(ApiKey.objects.values().get())
    assert (row.prefix, row.name, row.created_at) == (made.secret[:10], "laptop", now)
    assert row.digest == keys.digest(made.secret)
    assert made.secret not in str(row)
    assert sorted(row.scopes) == sorted(ALL_BUT_ADMIN)
    assert Scope.ADMIN not in row.scopes


def test_create_takes_the_scopes_that_were_named(now, user):
    key = keys.create(user, Wish(scopes=["markets:read", "markets:read"]), now=now).key

    assert key.scopes == ["markets:read"]


@pytest.mark.parametrize("scopes", [["markets:delete"], ["markets:read", ""], ["Admin"]])
def test_create_with_an_unknown_scope_is_refused(scopes, now, user):
    with pytest.raises(keys.BadKeyRequestError, match="unknown scope"):
        keys.create(user, Wish(scopes=scopes), now=now)

    assert not ApiKey.objects.exists()


def test_scope_admin_is_for_staff(now, user):
    with pytest.raises(keys.BadKeyRequestError, match="staff"):
        keys.create(user, Wish(scopes=["admin"]), now=now)

    assert keys.create(make_staff(), Wish(scopes=["admin"]), now=now).key.scopes == ["admin"]


def test_recognise_tells_whose_key_it_is_and_what_it_may(now, user):
    made = make_key(user, scopes=["markets:read"])

    assert keys.recognise(made.secret, now=now) == (
        user,
        Caller(
            user_id=user.pk, is_staff=False, scopes=frozenset({"markets:read"}), key_id=made.key.pk
        ),
    )


@pytest.mark.parametrize("secret", ["", "mr_", "mr_" + "x" * 43, "ä", "\x00"])
def test_recognise_of_no_key_is_nobody(secret, now, user):
    make_key(user)

    assert keys.recognise(secret, now=now) is None


def test_key_ends_at_its_expiry(now, user):
    secret = make_key(user, expires_at=now + timedelta(hours=1), now=now).secret

    assert keys.recognise(secret, now=now + timedelta(minutes=59))
    assert keys.recognise(secret, now=now + timedelta(hours=1)) is None


def test_revoked_key_is_over_at_once(now, user):
    made = make_key(user)

    assert keys.revoke(made.key, now=now)
    assert not keys.revoke(made.key, now=now + timedelta(hours=1))

    made.key.refresh_from_db()
    assert made.key.revoked_at == now
    assert keys.recognise(made.secret, now=now) is None


def test_key_of_a_user_who_was_locked_out_is_over(now, user):
    secret = make_key(user).secret
    User.objects.filter(pk=user.pk).update(is_active=False)

    assert keys.recognise(secret, now=now) is None


@pytest.mark.parametrize(
    ("is_staff", "scopes", "is_caller_staff"),
    [
        (True, ["admin"], True),
        (True, ["markets:read"], False),
        (False, ["admin"], False),  # staff no more since the key was made
    ],
)
def test_key_is_staffs_only_with_the_scope_and_a_staff_user(is_staff, scopes, is_caller_staff):
    key = make_api_key(user=make_user(is_staff=is_staff), scopes=scopes)

    assert keys.caller_of_key(key).is_staff is is_caller_staff


def test_recognising_costs_a_query_at_most(now, user):
    made = make_key(user)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert keys.recognise(made.secret, now=now)
        return len(queries)

    assert [cost(), cost(), cost()] == ([1, 0, 0] if settings.REDIS_URL else [1, 1, 1])


def test_create_for_email_finds_the_user_however_it_is_written(now, user):
    made = keys.create_for_email(f"  {user.email.upper()} ", by=SYSTEM, now=now)

    assert made.key.user == user
    assert User.objects.count() == 1


def test_create_for_an_unknown_email_makes_a_plain_user(now):
    made = keys.create_for_email(
        "New@Example.com", name="n", scopes=["markets:read"], by=SYSTEM, now=now
    )

    user = made.key.user
    assert (user.email, user.is_staff, user.is_superuser) == ("new@example.com", False, False)
    assert not user.has_usable_password()


def test_create_for_the_first_staff_users_address(now):
    assert (
        keys.create_for_email("admin@localhost", by=SYSTEM, now=now).key.user.email
        == "admin@localhost"
    )


@pytest.mark.parametrize("email", ["", "nobody", "a@", "a b@example.com"])
def test_create_for_what_is_no_email_is_refused(email, now):
    with pytest.raises(keys.BadKeyRequestError, match="e-mail"):
        keys.create_for_email(email, by=SYSTEM, now=now)

    assert not User.objects.exists()


def test_create_that_is_refused_makes_no_user_either(now):
    with pytest.raises(keys.BadKeyRequestError):
        keys.create_for_email("new@example.com", scopes=["admin"], by=SYSTEM, now=now)

    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_create_for_one_email_by_rivals_makes_one_user(now):
    made = rivals(6, lambda _: keys.create_for_email("new@example.com", by=SYSTEM, now=now))

    assert User.objects.count() == 1
    assert len({one.secret for one in made}) == ApiKey.objects.count() == 6


def test_two_keys_of_one_digest_are_refused_by_the_database(user):
    make_api_key(user=user, digest="d")

    with pytest.raises(IntegrityError):
        make_api_key(user=user, digest="d")


def test_rotated_key_is_taken_back_and_another_may_the_same(user, now):
    wish = Wish(
        name="loader",
        scopes=["markets:read"],
        expires_at=now + timedelta(days=1),
        allowed_networks=["203.0.113.0/24"],
    )
    old = keys.create(user, wish, now=now)

    new = keys.rotate(old.key, now=now)

    assert keys.recognise(old.secret, now=now) is None
    same = ("name", "scopes", "expires_at", "allowed_networks", "user_id")
    assert [getattr(new.key, one) for one in same] == [getattr(old.key, one) for one in same]
    assert new.secret != old.secret
    with pytest.raises(keys.BadKeyRequestError, match="taken back already"):
        keys.rotate(old.key, now=now)


def test_key_that_cannot_be_made_anew_is_not_taken_back(user, now):
    old = keys.create(user, Wish(expires_at=now + timedelta(days=1)), now=now)

    with pytest.raises(keys.BadKeyRequestError) as refused:
        keys.rotate(old.key, now=now + timedelta(days=2))

    old.key.refresh_from_db()
    assert old.key.revoked_at is None
    assert [one.field for one in refused.value.fields] == ["expires_at"]


def trail():
    rows = AuditEntry.objects.order_by("pk")
    return [(row.model, row.object_id, row.act, row.said, row.user_name) for row in rows]


def test_keys_of_staff_are_noted_without_their_secret(now):
    ada = make_staff(email="ada@example.org")
    by = keys.caller_of_user(ada)

    made = keys.create(ada, Wish(name="laptop", scopes=["admin"]), by=by, now=now)
    for _ in range(2):  # the second one finds nothing to do
        keys.revoke_own(ada, made.key.pk, by=by, now=now)

    about = ("accounts.apikey", str(made.key.pk))
    assert trail() == [
        (*about, "added", "Made a key of ada@example.org.", "ada@example.org"),
        (*about, "done", "Revoked.", "ada@example.org"),
    ]
    entry = AuditEntry.objects.earliest("pk")
    assert entry.changes == [
        {"name": "Name", "before": "", "after": "laptop"},
        {"name": "Scopes", "before": "", "after": "admin"},
    ]
    assert made.secret not in str(AuditEntry.objects.values())


def test_peoples_own_keys_are_not_staffs_work(user, now):
    by = keys.caller_of_user(user)

    made = keys.create(user, by=by, now=now)
    keys.revoke_own(user, made.key.pk, by=by, now=now)

    assert trail() == []


def test_a_key_that_somebody_else_makes_is_noted(user, now):
    made = keys.create(user, by=SYSTEM, now=now)

    said = f"Made a key of {user}."
    assert trail() == [("accounts.apikey", str(made.key.pk), "added", said, "system")]
