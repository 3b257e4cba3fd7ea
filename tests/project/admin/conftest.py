"""Staff who are signed in to the console."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import make_staff


@pytest.fixture
def ada(db: Any) -> User:
    """A member of staff who may do everything."""
    return make_staff(email="ada@example.org")


@pytest.fixture
def console(ada: User) -> Client:
    """The console as that member of staff opens it."""
    client = Client()
    client.force_login(ada)
    return client
