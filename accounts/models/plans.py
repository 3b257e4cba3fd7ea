"""Plans, who has which, and what a billing system said."""

from django.db import models
from django.utils import timezone

from accounts.models.users import User
from accounts.querysets import PlanQuerySet


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
    """Which plan a user has; without a row, or after its end, it is the default one.

    One that is to start later tells what holds until then.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="subscription")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="subscriptions")
    started_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    plan_before = models.ForeignKey(
        Plan,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="holds until the start, where that is to come; none: the default plan",
    )
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


class BillingEvent(models.Model):
    """What a billing system said, once."""

    event_id = models.CharField(max_length=100, unique=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    plan = models.CharField(max_length=40, blank=True, help_text="empty: the subscription ended")
    digest = models.CharField(max_length=64, help_text="of the body")
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    is_applied = models.BooleanField(help_text="no: a later event had been applied")

    class Meta:
        """Order of lists."""

        ordering = ("-received_at", "-pk")

    def __str__(self) -> str:
        return self.event_id
