"""What tests of the proxies app share: clients, and private addresses where they are wanted."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from project.core import working
from project.core.models import Run
from project.core.working import Work
from tests.factories import make_key, make_staff, make_user


@pytest.fixture
def user(db: Any) -> User:
    return make_user()


def client_of(user: User, **key: Any) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user, **key).secret}")


@pytest.fixture
def api(user: User) -> APIClient:
    """A program that shows a plain user's key."""
    return client_of(user)


@pytest.fixture
def stranger_api(db: Any) -> APIClient:
    """A program of another user."""
    return client_of(make_user())


@pytest.fixture
def staff_api(db: Any) -> APIClient:
    """A program that shows a staff user's key with scope ``admin``."""
    return client_of(make_staff(), scopes=["admin"])


@pytest.fixture
def private_networks(settings: Any) -> None:
    """Let loopback be reached."""
    settings.ALLOW_PRIVATE_NETWORKS = True


@pytest.fixture
def do() -> Callable[[Run, Callable[[Work], None]], Run]:
    """Return what does a run by its verb and shows what became of it."""

    def done(run: Run, verb: Callable[[Work], None]) -> Run:
        working.execute(str(run.pk), verb, kind=run.kind)
        run.refresh_from_db()
        return run

    return done


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
