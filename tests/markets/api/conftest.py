"""Clients of the tests: a user, a member of staff, and nobody."""

import pytest
from rest_framework.test import APIClient

from tests.factories import make_key, make_staff, make_user


def client_of(user, **key):
    return APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user, **key).secret}")


@pytest.fixture
def user(db):
    return client_of(make_user())


@pytest.fixture
def staff(db):
    return client_of(make_staff(), scopes=["admin"])


@pytest.fixture
def nobody():
    return APIClient()
