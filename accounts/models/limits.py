"""Rules of rate limits, answers kept for requests sent again, and feature flags."""

from django.db import models

from accounts.choices import CountedBy, RaisedBy
from accounts.models.users import User
from project.core.encryption import EncryptedTextField


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
    burst = models.PositiveIntegerField(
        null=True,
        blank=True,
        verbose_name="at once",
        help_text="how many may come at once, where room for more comes back as fast as above;"
        " empty: all of them, in a window that slides",
    )
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
            models.CheckConstraint(
                name="rate_limit_burst_allows_something",
                condition=models.Q(burst__isnull=True) | models.Q(burst__gte=1),
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
        """Rules kept by the database, and the name for people."""

        verbose_name_plural = "rate limit switches"
        constraints = [
            models.CheckConstraint(name="rate_limit_switch_once", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return "Rate limits hold" if self.is_on else "Rate limits are off"


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
