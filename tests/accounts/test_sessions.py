from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Session
from accounts.sessions import SessionStore
from tests.factories import make_subscription, make_user

pytestmark = pytest.mark.django_db


def session_of(user: Any) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def test_row_names_its_user_who_comes_along_with_the_plan():
    subscription = make_subscription()
    key = session_of(subscription.user)
    assert Session.objects.get().user == subscription.user

    with CaptureQueriesContext(connection) as queries:
        store = SessionStore(key)
        store.get("")
        assert store.owner is not None
        assert store.owner.subscription.plan == subscription.plan

    assert len(queries) <= 1
    assert str(Session.objects.get()).startswith("session until ")


def test_session_without_a_user_has_none():
    store = SessionStore()
    store["word"] = "x"
    store.save()

    again = SessionStore(store.session_key)

    assert (again["word"], again.owner) == ("x", None)
    assert Session.objects.get().user is None


@pytest.mark.parametrize("key", ["", "unknown", "x" * 40, None])
def test_unknown_session_is_empty(key):
    assert dict(SessionStore(key).items()) == {}


def test_session_that_ended_is_empty_and_dropped():
    key = session_of(make_user())
    SessionStore(key).get("")
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    from accounts import recalling

    recalling.forget_session(key)

    assert dict(SessionStore(key).items()) == {}
    SessionStore.clear_expired()
    assert Session.objects.count() == 0


def test_session_ends_with_its_user():
    user = make_user()
    session_of(user)

    user.delete()

    assert Session.objects.count() == 0


@pytest.mark.django_db(transaction=True)
async def test_session_is_read_and_written_from_coroutines():
    store = SessionStore()
    await store.aset("word", "x")
    await store.asave()

    assert await SessionStore(store.session_key).aget("word") == "x"
    await store.adelete()
    assert await SessionStore(store.session_key).aget("word") is None
