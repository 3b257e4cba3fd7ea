"""How secrets rest in the database: encrypted with the installation's field keys."""

from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


@cache
def _box(keys: str) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
    except ValueError as error:
        raise ImproperlyConfigured("FIELD_KEYS: each is 32 bytes in URL-safe base64") from error


class UnreadableSecretError(Exception):
    """A stored secret was encrypted with a key that is not among ``FIELD_KEYS``."""


def encrypt(clear: str) -> str:
    """Return ``clear`` encrypted with the newest key; an empty text stays empty."""
    return _box(settings.FIELD_KEYS).encrypt(clear.encode()).decode() if clear else ""


def decrypt(stored: str) -> str:
    """Return the clear text of what ``encrypt`` made.

    Raises:
        UnreadableSecretError: none of the keys fits; never an empty or wrong text instead.
    """
    if not stored:
        return ""
    try:
        return _box(settings.FIELD_KEYS).decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise UnreadableSecretError("encrypted with a key that FIELD_KEYS doesn't hold") from error


class EncryptedTextField(models.TextField[str, str]):
    """A text that is encrypted in the database and clear in Python; it can't be searched."""

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in."""
        return None if value is None else encrypt(str(value))

    def from_db_value(
        self, value: str | None, expression: object, connection: object
    ) -> str | None:
        """Decrypt on the way out."""
        return None if value is None else decrypt(value)

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse searches, which could never match: equal texts encrypt differently."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None
