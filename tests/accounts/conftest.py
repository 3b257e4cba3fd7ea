"""What tests of accounts share."""

from tests.project.conftest import _fast_passwords, now, user

__all__ = ["_fast_passwords", "now", "user"]
