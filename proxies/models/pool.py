"""The pool: proxies, what checks found, and the policy of each pool."""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from project.core.encryption import EncryptedTextField
from proxies.choices import CHECKED, Anonymity, Exclusivity, Pool, ProxyState, Scheme, Verdict
from proxies.identity import Identity
from proxies.querysets import ProxyQuerySet

#: The moment of what has never happened: sorts first on every database, where null would not.
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


def never() -> datetime:
    """Return the moment of what has never happened."""
    return NEVER


class Proxy(models.Model):
    """One outbound proxy: how to reach it, what is known of it, how it may be lent."""

    scheme = models.CharField(max_length=6, choices=Scheme)
    host = models.CharField(max_length=255, help_text="address or name; IPv6 without brackets")
    port = models.PositiveIntegerField()
    username = models.CharField(max_length=255, blank=True)
    password = EncryptedTextField(blank=True, default="")
    password_hash = models.CharField(max_length=32, blank=True, editable=False)

    state = models.CharField(max_length=8, choices=ProxyState, default=ProxyState.UNPROVEN)
    pool = models.CharField(max_length=4, choices=Pool, blank=True)
    score = models.FloatField(null=True, blank=True, help_text="0 to 100; none before a check")
    good_weight = models.FloatField(default=0, help_text="decayed weight of good evidence")
    total_weight = models.FloatField(default=0, help_text="decayed weight of all evidence")
    evidence_at = models.DateTimeField(null=True, blank=True)
    failures_in_row = models.PositiveIntegerField(default=0)

    anonymity = models.CharField(max_length=11, choices=Anonymity, blank=True)
    exit_ip = models.CharField(max_length=45, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166, upper case")
    network = models.CharField(max_length=120, blank=True, help_text="of the exit address")
    tls_ok = models.BooleanField(null=True, blank=True, help_text="reaches TLS sites unread")
    latency_ms = models.FloatField(null=True, blank=True, help_text="of the last good check")
    connect_ms = models.FloatField(null=True, blank=True)

    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now, help_text="last named by a list")
    last_checked_at = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    check_due_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    exclusive_key = models.CharField(max_length=60, editable=False, help_text="of its slots")
    last_lent_at = models.DateTimeField(default=never, editable=False)
    rest_until = models.DateTimeField(default=never, help_text="not lent before, for any target")

    objects = ProxyQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        verbose_name_plural = "proxies"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                # the host first: storing.store looks up a batch of hosts
                fields=["host", "port", "scheme", "username", "password_hash"],
                name="proxy_identity_once",
            ),
            models.CheckConstraint(
                name="proxy_port_exists", condition=Q(port__gte=1, port__lte=65535)
            ),
            models.CheckConstraint(
                name="proxy_score_is_a_percentage",
                condition=Q(score__isnull=True) | Q(score__gte=0, score__lte=100),
            ),
            models.CheckConstraint(
                name="proxy_weights_are_sane",
                condition=Q(good_weight__gte=0, total_weight__gte=models.F("good_weight")),
            ),
            models.CheckConstraint(
                name="proxy_is_pooled_while_healthy",
                condition=(Q(state=ProxyState.HEALTHY) & ~Q(pool=""))
                | (~Q(state=ProxyState.HEALTHY) & Q(pool="")),
            ),
        ]
        indexes = [
            # leasing.acquire: the longest rested healthy proxies of a pool
            models.Index(
                fields=["pool", "last_lent_at"],
                name="proxy_rested",
                condition=Q(state=ProxyState.HEALTHY),
            ),
            # checking: what is due, stalest first
            models.Index(fields=["check_due_at"], name="proxy_due", condition=Q(state__in=CHECKED)),
            # leasing: the proxies behind one slot
            models.Index(fields=["exclusive_key"], name="proxy_exclusive"),
            # figures, stats, list pages: counts and filters by state and pool
            models.Index(fields=["state", "pool", "-id"], name="proxy_state_pool"),
        ]

    def __str__(self) -> str:
        return self.endpoint

    @property
    def identity(self) -> Identity:
        """What makes it this proxy and no other."""
        return (self.scheme, self.host, self.port, self.username, self.password_hash)

    @property
    def endpoint(self) -> str:
        """``scheme://host:port``, without credentials."""
        return f"{self.scheme}://{authority(self.host, self.port)}"


def authority(host: str, port: int) -> str:
    """Return ``host:port`` as URLs have it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def usable_url(scheme: str, host: str, port: int, *, username: str, password: str) -> str:
    """Return the URL that clients take; a secret where there is a password.

    A proxy listed as ``https`` is spoken to in plain HTTP, by CONNECT: that is what its checks
    proved, and what ``http://`` tells clients.
    """
    spoken = Scheme.HTTP.value if scheme == Scheme.HTTPS else scheme
    login = f"{quote(username, '')}:{quote(password, '')}@" if username or password else ""
    return f"{spoken}://{login}{authority(host, port)}"


class PoolPolicy(models.Model):
    """How proxies of one pool are ranked, lent, rested and checked; empty: as settings say."""

    pool = models.CharField(max_length=4, choices=Pool, unique=True)
    enter_score = models.FloatField(
        null=True, blank=True, help_text="a proxy rises into the pool at this score"
    )
    leave_score = models.FloatField(
        null=True, blank=True, help_text="and falls out of it below this one"
    )
    lease_ttl_s = models.PositiveIntegerField(
        null=True, blank=True, help_text="how long a lease lasts unless its holder says so"
    )
    max_leases = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="at once, per proxy"
    )
    uses_per_window = models.PositiveIntegerField(
        null=True, blank=True, help_text="most leases of a proxy in any window; 0: any number"
    )
    window_s = models.PositiveIntegerField(
        null=True, blank=True, help_text="length of that window, at most a day"
    )
    exclusive_by = models.CharField(
        max_length=12, choices=Exclusivity, default=Exclusivity.ENDPOINT
    )
    is_per_target = models.BooleanField(
        default=False,
        help_text="holders with different targets may share a proxy; uses count per target",
    )
    cool_down_s = models.PositiveIntegerField(
        null=True, blank=True, help_text="rest of a proxy that failed a holder"
    )
    check_every_s = models.PositiveIntegerField(
        null=True, blank=True, help_text="time between two checks"
    )

    class Meta:
        """Rules kept by the database."""

        verbose_name_plural = "pool policies"
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(
                name="policy_leaves_below_where_it_enters",
                condition=Q(leave_score__gte=0, enter_score__lte=100)
                & Q(leave_score__lte=models.F("enter_score")),
            ),
            models.CheckConstraint(
                name="policy_lends_at_all",
                condition=Q(max_leases__gte=1, lease_ttl_s__gte=1, check_every_s__gte=1),
            ),
            # records of leases, by which uses are counted, are kept for longer than a day
            models.CheckConstraint(
                name="policy_window_is_a_day_at_most",
                condition=Q(window_s__gte=1, window_s__lte=86400),
            ),
        ]

    def __str__(self) -> str:
        return self.get_pool_display()


class CheckTarget(models.Model):
    """A site that collectors use: checks of proxies ask whether it is reached."""

    url = models.CharField(
        max_length=500,
        unique=True,
        verbose_name="URL",
        validators=[URLValidator(schemes=["http", "https"])],
        help_text="asked with GET; any answer but a refusal counts as reached",
    )
    is_enabled = models.BooleanField(default=True, verbose_name="enabled")
    every_s = models.PositiveIntegerField(
        default=1800, help_text="a proxy is asked about it at most so often"
    )

    class Meta:
        """Rules kept by the database."""

        ordering = ("url",)
        constraints = [
            models.CheckConstraint(
                name="check_target_leaves_sites_in_peace", condition=Q(every_s__gte=60)
            ),
        ]

    def __str__(self) -> str:
        return self.url


class Check(models.Model):
    """What one check of a proxy found: the evidence behind its score."""

    proxy = models.ForeignKey(Proxy, models.CASCADE, related_name="checks")
    run = models.ForeignKey("core.Run", models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    verdict = models.CharField(max_length=12, choices=Verdict)
    detail = models.CharField(max_length=200, blank=True)
    latency_ms = models.FloatField(null=True, blank=True)
    connect_ms = models.FloatField(null=True, blank=True)
    exit_ip = models.CharField(max_length=45, blank=True)
    anonymity = models.CharField(max_length=11, choices=Anonymity, blank=True)
    tls_ok = models.BooleanField(null=True, blank=True)

    class Meta:
        """Rules kept by the database."""

        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="check_that_passed_has_a_latency",
                condition=~Q(verdict=Verdict.OK) | Q(latency_ms__isnull=False),
            ),
            # a round that is resumed checks no proxy twice
            models.UniqueConstraint(fields=["run", "proxy"], name="check_once_per_round"),
        ]
        indexes = [
            # a proxy's page: its latest checks
            models.Index(fields=["proxy", "-id"], name="check_proxy_newest"),
            # forgetting: the old ones
            models.Index(fields=["at"], name="check_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} at {self.at:%Y-%m-%d %H:%M:%S}"
