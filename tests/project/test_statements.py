import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from project.core import statements
from project.core.moments import read
from tests.factories import make_user

pytestmark = pytest.mark.django_db
BY_NAME = "SELECT id, email FROM accounts_user WHERE email = %(email)s OR email = %(other)s"


def test_one_and_every_take_parameters_by_name():
    user = make_user(email="a@example.com")

    assert statements.one(BY_NAME, {"email": user.email, "other": user.email}) == (
        user.pk,
        user.email,
    )
    assert statements.every(BY_NAME, {"email": "x", "other": user.email}) == [(user.pk, user.email)]
    assert statements.one(BY_NAME, {"email": "x", "other": "y"}) is None


def test_change_says_how_many_rows():
    make_user()

    changed = statements.change("UPDATE accounts_user SET name = %(name)s", {"name": "ö%"})

    assert (changed, User.objects.get().name) == (1, "ö%")


def test_errors_are_djangos():
    first, second = make_user(), make_user()
    values = {"email": first.email, "id": second.pk}

    with pytest.raises(IntegrityError), transaction.atomic():
        statements.change("UPDATE accounts_user SET email = %(email)s WHERE id = %(id)s", values)


def test_in_a_broken_transaction_nothing_is_run():
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            statements.one("SELECT 1", {})


def test_moments_and_tokens_come_back_as_they_went():
    now, token = datetime(2026, 1, 5, 12, 0, 0, 5, tzinfo=UTC), uuid.uuid4()
    values = {"now": statements.moment(now), "token": statements.token(token)}
    cast = "timestamptz" if statements.is_postgres() else "text"

    row = statements.one(f"SELECT CAST(%(now)s AS {cast}), %(token)s", values)

    assert row is not None
    assert (read(row[0]), uuid.UUID(str(row[1]))) == (now, token)


@pytest.mark.parametrize("value", ["7", 7, 7.5, "ö", None])
def test_values_keep_their_kind(value):
    if statements.is_postgres():
        pytest.skip("SQLite's statements alone are written anew")

    assert statements.one("SELECT %(v)s, typeof(%(v)s)", {"v": value}) == (
        value,
        {str: "text", int: "integer", float: "real", type(None): "null"}[type(value)],
    )


def test_a_moment_of_elsewhere_is_stored_as_that_of_utc():
    moment = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)

    there = statements.moment(moment.astimezone(timezone(timedelta(hours=9))))

    assert read(there) == moment
    assert there == connection.ops.adapt_datetimefield_value(moment)


def test_json_is_read_whatever_the_driver_gives():
    assert statements.json_of('["a"]') == statements.json_of(["a"]) == ["a"]
