"""Who may use the product, and how much: users, keys, plans, limits."""

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.choices import CountedBy, RaisedBy, Scope
from accounts.querysets import ApiKeyQuerySet, PlanQuerySet, UserManager
from project.core.encryption import EncryptedTextField


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


class Plan(models.Model):
    """How much a user may have; an empty number is no limit, or the general one of a rate."""

    name = models.SlugField(max_length=40, unique=True, help_text="stable, for programs")
    title = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True)
    is_default = models.BooleanField(
        default=False, help_text="of everybody without a subscription, and of anonymous callers"
    )
    is_unlimited = models.BooleanField(
        default=False, verbose_name="no limits", help_text="of rate or quota: for services"
    )
    is_public = models.BooleanField(default=True, help_text="shown in the list of plans")
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    api_per_minute = models.PositiveIntegerField(
        null=True, blank=True, verbose_name="API requests per minute"
    )
    streams_per_minute = models.PositiveIntegerField(
        null=True, blank=True, verbose_name="streams opened per minute"
    )
    leases_at_once = models.PositiveIntegerField(null=True, blank=True)
    jobs_at_once = models.PositiveIntegerField(null=True, blank=True)
    jobs_per_day = models.PositiveIntegerField(null=True, blank=True)

    objects = PlanQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="plan_default_once",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Subscription(models.Model):
    """Which plan a user has; without a row, or after its end, it is the default one."""

    user = models.OneToOneField(User, models.CASCADE, related_name="subscription")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="subscriptions")
    started_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        """Rules kept by the database."""

        ordering = ("user",)
        constraints = [
            models.CheckConstraint(
                name="subscription_ends_after_its_start",
                condition=models.Q(ends_at__isnull=True)
                | models.Q(ends_at__gt=models.F("started_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.plan}"


class RateLimitRule(models.Model):
    """A rule of staff's: it takes the place of the rule of the same name in the settings."""

    name = models.SlugField(max_length=40, unique=True, help_text="e.g. api, sign_in, export")
    paths = models.JSONField(
        default=list, help_text='patterns, e.g. ["/api/proxies/export"]; * one step, ** any number'
    )
    methods = models.JSONField(
        default=list, blank=True, help_text='e.g. ["POST"]; none: all methods'
    )
    amount = models.PositiveIntegerField(help_text="requests allowed")
    per_s = models.PositiveIntegerField(default=60, verbose_name="in seconds")
    by = models.CharField(
        max_length=10, choices=CountedBy, default=CountedBy.CALLER, verbose_name="counted by"
    )
    raised_by = models.CharField(
        max_length=20,
        choices=RaisedBy,
        blank=True,
        help_text="the number of the caller's plan that replaces the amount",
    )
    is_on = models.BooleanField(
        default=True, help_text="off: the rule of the settings holds, where there is one"
    )

    class Meta:
        """Rules kept by the database."""

        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                name="rate_limit_rule_allows_something",
                condition=models.Q(amount__gte=1, per_s__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RateLimitSwitch(models.Model):
    """The switch of all rate limits: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    is_on = models.BooleanField(default=True, verbose_name="rate limits hold")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        """Rules kept by the database."""

        constraints = [
            models.CheckConstraint(name="rate_limit_switch_once", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return "Rate limits hold" if self.is_on else "Rate limits are off"


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


class KeptAnswer(models.Model):
    """The answer to a request with an ``Idempotency-Key``, for whoever sends it again."""

    caller = models.CharField(max_length=40, help_text="key:… or user:…")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, help_text="of method, address and body")
    token = models.UUIDField(help_text="whose claim it is while the work goes on")
    status = models.PositiveSmallIntegerField(null=True, help_text="empty: still at work")
    content_type = models.CharField(max_length=100, blank=True)
    body = EncryptedTextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="kept_answer_once"),
        ]
        indexes = [
            # repeating: drops the old ones
            models.Index(fields=["created_at"], name="kept_answer_age"),
        ]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"


class Flag(models.Model):
    """A feature, and who has it."""

    name = models.SlugField(max_length=60, unique=True)
    description = models.CharField(max_length=200, blank=True)
    everybody = models.BooleanField(default=False)
    staff = models.BooleanField(default=False)
    percent = models.PositiveSmallIntegerField(
        default=0, verbose_name="share of users, percent", help_text="the same users each time"
    )
    users = models.ManyToManyField(User, blank=True, related_name="+")

    class Meta:
        """Rules kept by the database."""

        ordering = ("name",)
        verbose_name = "feature flag"
        constraints = [
            models.CheckConstraint(
                name="flag_percent_is_a_percentage",
                condition=models.Q(percent__gte=0, percent__lte=100),
            ),
        ]

    def __str__(self) -> str:
        return self.name
