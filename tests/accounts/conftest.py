"""What tests of accounts share."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from accounts import limiting
from project.core import limits_counting
from tests.project.conftest import _fast_passwords, now, user

__all__ = ["_fast_passwords", "now", "user"]


@pytest.fixture
def first_plans(db: Any) -> None:
    """What the migration seeded: tests with transactions of their own empty all tables."""
    import_module("accounts.migrations.0004_first_plans").seed(apps, None)


@pytest.fixture
def limits_on(settings: Any, first_plans: None) -> Iterator[None]:
    """Let rate limits hold, counted from nothing; other tests know none."""
    settings.RATE_LIMIT_ENABLED = True
    _forget()
    yield
    _forget()


def _forget() -> None:
    shared = limits_counting.here()._shared
    if shared is not None:
        shared.storage.reset()
    limits_counting.forget()
    limiting.forget_all()
