"""Users, their keys, and where they are signed in."""

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.choices import Scope
from accounts.querysets import ApiKeyQuerySet, UserManager
from project.core.encryption import EncryptedTextField


class User(AbstractBaseUser, PermissionsMixin):
    """A person, or a service's account: the e-mail is the login."""

    email = models.EmailField(unique=True, help_text="in lower case")
    name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField(
        default=False, verbose_name="staff", help_text="may use the admin"
    )
    is_active = models.BooleanField(default=True, verbose_name="active")
    second_factor_at = models.DateTimeField(
        null=True, editable=False, help_text="since when a code is wanted at sign-in"
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()
    #: Of a remembered user, who comes without their password: what sessions were signed with, and
    #: whether there is a password at all.
    proof: str = ""
    has_password: bool = False

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

    def set_password(self, raw_password: str | None) -> None:
        """Set the password; what sessions were signed with holds no more."""
        self.proof = ""
        super().set_password(raw_password)

    def get_session_auth_hash(self) -> str:
        """Return what a session of this user must carry: another one after a new password."""
        return self.proof or super().get_session_auth_hash()

    def has_usable_password(self) -> bool:
        """Say whether the user can sign in, not only use keys: staff pages ask each time."""
        return self.has_password if self.proof else super().has_usable_password()

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
    allowed_networks = models.JSONField(
        default=list, blank=True, help_text="networks it may be used from; none: from anywhere"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_address = models.GenericIPAddressField(null=True, blank=True, editable=False)
    last_agent = models.CharField(max_length=300, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        """Order of lists."""

        ordering = ("-created_at",)
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}".strip()


class Session(AbstractBaseSession):
    """A browser session; it names its user, so that both are read at once."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")

    class Meta:
        """Order of lists."""

        ordering = ("-expire_date",)

    def __str__(self) -> str:
        return f"session until {self.expire_date:%Y-%m-%d %H:%M}"


class Device(models.Model):
    """One browser in which a user signed in."""

    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    session_key = models.CharField(max_length=40, unique=True, editable=False)
    agent = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Order of lists."""

        ordering = ("-last_seen_at", "-pk")

    def __str__(self) -> str:
        return f"{self.agent[:60] or 'unknown browser'} at {self.address or 'unknown address'}"


class SignInFailures(models.Model):
    """Failed sign-ins to one e-mail, from one address or from anywhere; of unknown ones, too."""

    name = models.CharField(max_length=64, unique=True, help_text="a digest: it names nobody")
    failures = models.PositiveIntegerField(default=0)
    first_failed_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Order of lists, and the index of the clean-up."""

        ordering = ("-first_failed_at",)
        verbose_name_plural = "sign-in failures"
        indexes = [
            # locking_out: drops the old ones
            models.Index(fields=["first_failed_at"], name="sign_in_failures_age"),
        ]

    def __str__(self) -> str:
        return f"{self.failures} since {self.first_failed_at:%Y-%m-%d %H:%M}"


class SecondFactor(models.Model):
    """The app that shows a user's codes; before it is confirmed, one on trial."""

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor")
    secret = EncryptedTextField(help_text="base32")
    last_step = models.BigIntegerField(null=True, help_text="of the code used last")
    recovery = models.JSONField(default=list, help_text="digests of the codes not yet used")

    class Meta:
        """Order of lists."""

        ordering = ("user",)

    def __str__(self) -> str:
        return f"second factor of {self.user}"
