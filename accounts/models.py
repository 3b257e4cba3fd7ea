"""Who may use the product: users and their API keys."""

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.choices import Scope
from accounts.querysets import ApiKeyQuerySet, UserManager


class User(AbstractBaseUser, PermissionsMixin):
    """A person, or a service's account: the e-mail is the login."""

    email = models.EmailField(unique=True, help_text="in lower case")
    name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField(
        default=False, verbose_name="staff", help_text="may use the admin"
    )
    is_active = models.BooleanField(default=True, verbose_name="active")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        """Rules kept by the database."""

        ordering = ("email",)
        constraints = [
            # a login is looked up in lower case: in capitals it could never sign in
            models.CheckConstraint(
                name="user_email_in_lower_case", condition=models.Q(email=Lower("email"))
            )
        ]

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Return the e-mail as it is stored; forms call it."""
        return super().normalize_username(username).strip().lower()

    def get_full_name(self) -> str:
        """Return the name, or the e-mail where there is none: what the admin greets with."""
        return self.name or self.email

    def get_short_name(self) -> str:
        """Return the name, or the e-mail where there is none."""
        return self.name or self.email


def all_scopes_but_admin() -> list[str]:
    """Return the scopes of a key for which none was named."""
    return [scope.value for scope in Scope if scope != Scope.ADMIN]


class ApiKey(models.Model):
    """A key that lets a program act for a user; only its digest is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100, blank=True)
    prefix = models.CharField(
        max_length=12, editable=False, help_text="first characters, to tell keys apart"
    )
    digest = models.CharField(
        max_length=64, unique=True, editable=False, help_text="SHA-256 of the key, hexadecimal"
    )
    scopes = models.JSONField(default=all_scopes_but_admin)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        """Order of lists."""

        ordering = ("-created_at",)
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}".strip()
