from functools import partial
from typing import Any

import pytest
from django.test import Client

from accounts.api.asgi import CallerMiddleware, recognise
from accounts.models import User
from project.core.callers import NOBODY, Caller
from project.core.hub import in_thread
from tests.factories import make_key, make_staff, make_user

pytestmark = pytest.mark.django_db(transaction=True)


async def caller(kind: str = "http", **headers: str) -> Caller:
    named = [(k.replace("_", "-").lower().encode(), v.encode()) for k, v in headers.items()]
    return await recognise({"type": kind, "headers": named})


def session_of(user: User) -> str:
    browser = Client()
    browser.force_login(user)
    return f"a=b; sessionid={browser.cookies['sessionid'].value}"


async def test_key_and_cookie_are_recognised_as_in_rest():
    staff = await in_thread(make_staff)
    key = await in_thread(lambda: make_key(staff, scopes=["admin"]))

    by_key = await caller(Authorization=f"Api-Key {key.secret}")
    by_cookie = await caller(Cookie=await in_thread(session_of, staff))

    assert by_key == Caller(staff.pk, is_staff=True, scopes=frozenset({"admin"}), key_id=key.key.pk)
    assert by_cookie == Caller(staff.pk, is_staff=True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Api-Key no"},
        {"Authorization": "Bearer x"},
        {"Cookie": "sessionid=no"},
        {"Cookie": "sessionid="},
    ],
)
async def test_nobody_is_nobody(headers):
    assert await caller(**headers) == NOBODY


async def test_cookie_of_somebody_locked_out_or_with_a_new_password_is_nobodys():
    for change in ({"is_active": False}, {"password": "changed"}):
        user = await in_thread(make_user)
        cookie = await in_thread(session_of, user)
        await in_thread(partial(User.objects.filter(pk=user.pk).update, **change))

        assert await caller(Cookie=cookie) == NOBODY


async def test_websocket_from_another_sites_page_is_nobodys():
    cookie = await in_thread(lambda: session_of(make_user()))
    ours = {"Cookie": cookie, "Host": "m.example:8000", "Origin": "http://m.example:8000"}

    assert (await caller("websocket", **ours)).is_known
    assert await caller("websocket", **{**ours, "Origin": "http://m.example"}) == NOBODY
    assert (await caller("http", **{**ours, "Origin": "http://evil.example"})).is_known


async def test_middleware_puts_the_caller_into_the_scope():
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["caller"])

    await CallerMiddleware(app)({"type": "http", "headers": []}, None, None)

    assert seen == [NOBODY]
