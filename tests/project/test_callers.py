import pytest

from project.core.callers import NOBODY, SYSTEM, Caller


@pytest.mark.parametrize(
    ("caller", "scope", "may"),
    [
        (NOBODY, "markets:read", False),
        (Caller(user_id=1), "markets:write", True),
        (Caller(user_id=1), "admin", False),
        (Caller(user_id=1, scopes=frozenset({"markets:read"})), "markets:read", True),
        (Caller(user_id=1, scopes=frozenset({"markets:read"})), "markets:write", False),
        (Caller(user_id=1, scopes=frozenset()), "markets:read", False),
        (Caller(user_id=1, is_staff=True), "admin", True),
        (Caller(user_id=1, is_staff=True, scopes=frozenset({"admin"})), "markets:write", True),
        (SYSTEM, "admin", False),  # it never asks at an edge
    ],
)
def test_may(caller, scope, may):
    assert caller.may(scope) is may
