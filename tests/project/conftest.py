"""What tests of the floor share: the broker's queue, a key's client, a quick password hasher."""

import queue
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from celery import current_app
from kombu import pools
from rest_framework.test import APIClient

from accounts.models import User
from project.core.callers import Caller
from tests.factories import make_key, make_staff, make_user
from tests.project import kinds

__all__ = ["kinds"]


def drained() -> list[tuple[str, str]]:
    """Take all messages off the broker: name of the task and run id each."""
    found = []
    with current_app.connection_for_read() as connection:
        own: Any = current_app.amqp.queues["millrace"]
        waiting = connection.SimpleQueue(own)
        while True:
            try:
                message = waiting.get(block=False)
            except queue.Empty:
                break
            message.ack()
            found.append((message.headers["task"], message.payload[1].get("run_id", "")))
        waiting.close()
    return found


@pytest.fixture
def sent() -> Iterator[Callable[[], list[tuple[str, str]]]]:
    """Return what takes the messages off the real broker, which is empty at the start."""
    drained()
    yield drained
    drained()


@pytest.fixture
def broker_away() -> Iterator[None]:
    """Nothing can be sent: what is written to the broker goes nowhere."""
    app: Any = current_app
    url = app.conf.broker_url
    gone = "redis://127.0.0.1:1/0" if url.startswith("redis") else "sqlitequeue:////proc/none/x"
    app.conf.broker_write_url = gone
    _forget_pools(app)
    yield
    app.conf.broker_write_url = url
    _forget_pools(app)


def _forget_pools(app: Any) -> None:
    """Let the next message open connections anew: a pool once closed stays so for its address."""
    pools.reset()
    app._pool = None
    app.amqp._producer_pool = None


@pytest.fixture
def now() -> datetime:
    """The moment at which tests take place."""
    return datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.fixture
def user(db: Any) -> User:
    """A plain user."""
    return make_user()


@pytest.fixture
def caller(user: User) -> Caller:
    """A plain user as verbs see them."""
    return Caller(user_id=user.pk)


@pytest.fixture
def api(user: User) -> APIClient:
    """A program that shows a plain user's key."""
    return APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user).secret}")


@pytest.fixture
def staff_api(db: Any) -> APIClient:
    """A program that shows a staff user's key with scope ``admin``."""
    key = make_key(make_staff(), scopes=["admin"])
    return APIClient(HTTP_AUTHORIZATION=f"Api-Key {key.secret}")


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
