from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from project.core.api import permissions
from project.core.api.callers import caller_of
from project.core.callers import NOBODY, SYSTEM, Caller

READER = Caller(user_id=1, scopes=frozenset({"markets:read"}))
WRITER = Caller(user_id=1, scopes=frozenset({"markets:read", "markets:write"}))
PERSON = Caller(user_id=1)
STAFF = Caller(user_id=1, is_staff=True)
STAFF_KEY = Caller(user_id=1, is_staff=True, scopes=frozenset({"admin"}))


def lets(permission: Any, caller: Caller, method: str = "GET") -> bool:
    request = getattr(APIRequestFactory(), method.lower())("/")
    request.auth = caller
    return bool(permission().has_permission(request, None))


@pytest.mark.parametrize(
    ("caller", "everybody", "known", "staff", "reads", "writes"),
    [
        (NOBODY, True, False, False, False, False),
        (PERSON, True, True, False, True, True),
        (READER, True, True, False, True, False),
        (WRITER, True, True, False, True, True),
        (STAFF, True, True, True, True, True),
        (STAFF_KEY, True, True, True, True, True),
    ],
    ids=["nobody", "person", "reader", "writer", "staff", "staff key"],
)
def test_who_may_what(caller, everybody, known, staff, reads, writes):
    assert not lets(permissions.DenyAll, caller)
    assert lets(permissions.Anybody, caller) is everybody
    assert lets(permissions.IsKnown, caller) is known
    assert lets(permissions.IsStaff, caller) is staff
    assert lets(permissions.InMarkets, caller) is reads
    assert lets(permissions.InMarkets, caller, "HEAD") is reads
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert lets(permissions.InMarkets, caller, method) is writes


@pytest.mark.parametrize(
    ("permission", "app"),
    [
        (permissions.InProxies, "proxies"),
        (permissions.InMarkets, "markets"),
        (permissions.InAnalysis, "analysis"),
        (permissions.InAccounts, "accounts"),
    ],
)
def test_scope_opens_its_own_app_alone(permission, app):
    others = [one for one in ("proxies", "markets", "analysis", "accounts") if one != app]

    assert lets(permission, Caller(user_id=1, scopes=frozenset({f"{app}:read"})))
    assert not lets(permission, Caller(user_id=1, scopes=frozenset(f"{x}:read" for x in others)))


def test_scope_admin_of_somebody_who_is_no_staff_opens_nothing():
    caller = Caller(user_id=1, scopes=frozenset({"admin"}))

    assert not caller.may("admin")
    assert not caller.may("markets:read")


def test_request_that_was_not_authenticated_is_nobodys():
    assert caller_of(Request(APIRequestFactory().get("/"))) == NOBODY
    assert not NOBODY.is_known
    assert SYSTEM.is_staff
