from typing import Any, ClassVar

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection, models
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from project.core import encryption
from project.core.encryption import EncryptedTextField, UnreadableSecretError


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_secrets_come_back_as_they_were(clear):
    stored = encryption.encrypt(clear)

    assert encryption.decrypt(stored) == clear
    assert not clear or stored != clear


def test_equal_secrets_do_not_look_equal():
    assert encryption.encrypt("a") != encryption.encrypt("a")


def test_wrong_key_is_loud(settings):
    stored = encryption.encrypt("s3cret")
    settings.FIELD_KEYS = Fernet.generate_key().decode()

    with pytest.raises(UnreadableSecretError, match="FIELD_KEYS"):
        encryption.decrypt(stored)


@pytest.mark.parametrize("stored", ["s3cret", "gAAAAA", "ä"])
def test_text_that_was_never_encrypted_is_loud(stored):
    with pytest.raises(UnreadableSecretError):
        encryption.decrypt(stored)


def test_rotated_keys_read_the_old_and_write_with_the_new(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_KEYS = old
    stored = encryption.encrypt("s3cret")

    settings.FIELD_KEYS = f"{new}, {old}"
    assert encryption.decrypt(stored) == "s3cret"
    written = encryption.encrypt("s3cret")

    settings.FIELD_KEYS = new
    assert encryption.decrypt(written) == "s3cret"
    with pytest.raises(UnreadableSecretError):
        encryption.decrypt(stored)


@pytest.mark.parametrize("keys", ["", "short", "no base64 at all!"])
def test_keys_that_are_none_say_so(keys, settings):
    settings.FIELD_KEYS = keys

    with pytest.raises(ImproperlyConfigured, match="FIELD_KEYS"):
        encryption.encrypt("s3cret")


class Vault(models.Model):
    secret: Any = EncryptedTextField(null=True)  # type: ignore[misc]
    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "tests_encryption"

    def __str__(self) -> str:
        return "vault"


@pytest.fixture
def vault_table(transactional_db):
    with connection.schema_editor() as editor:
        editor.create_model(Vault)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Vault)


def test_field_is_encrypted_in_the_database_and_clear_in_python(vault_table):
    vault = Vault.objects.create(secret="s3cret")
    Vault.objects.create(secret=None)

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM tests_encryption_vault WHERE id = %s", [vault.pk])
        stored = cursor.fetchone()[0]
    assert "s3cret" not in stored
    assert Vault.objects.get(pk=vault.pk).secret == "s3cret"
    assert Vault.objects.filter(secret__isnull=True).count() == 1
    with pytest.raises(FieldError):
        Vault.objects.filter(secret="s3cret")
